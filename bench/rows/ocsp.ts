/** What an answer about a certificate costs, over plain HTTP, over many different certificates. */
import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { readCertificate } from '../../src/core/x509/certificate.ts'
import { encodePem } from '../../src/core/x509/pem.ts'
import { certificateId, nonce, ocspRequest } from '../../test/core/x509/ocsp-support.ts'
import { programPath } from '../../test/support/programs.ts'
import type { Bed } from '../bed.ts'
import type { Row } from '../figures.ts'
import { fillRegistry } from '../filled-registry.ts'
import { cpuPerPiece, inRounds, withSides } from '../measure.ts'
import { startHub } from '../servers/handfast.ts'
import { answers, freeTarget, startProgram } from '../servers/program.ts'
import type { Side, Target } from '../sides.ts'

const atOnce = 16

/** Somebody who answers OCSP. */
interface Responder extends Side {
  readonly http: Target
  readonly path: string
}

/** What they are asked, each line the base64 of one request. */
interface Questions {
  readonly plain: string
  readonly withNonce: string
}

export async function ocspRows(bed: Bed): Promise<readonly Row[]> {
  const { sizes, folder, closing, options } = bed
  const data = join(folder, 'ocsp')
  await (await startHub(closing, { name: 'handfast', data, profiles: null })).stop()
  bed.report(`a registry of ${sizes.ocspCertificates} certificates`)
  const path = join(data, 'handfast.db')
  const { serialOf } = fillRegistry({
    path,
    certificates: sizes.ocspCertificates,
    revoked: 0,
    base: 'http://localhost',
  })
  const issuer = issuingCertificate(path)
  const serials = Array.from({ length: sizes.ocspCertificates }, (_, index) => serialOf(index))
  const questions = writeQuestions(folder, issuer, serials)

  const responses = join(folder, 'ocsp.responses')

  const starts = [
    async (): Promise<Responder> => {
      const hub = await startHub(closing, { name: 'handfast', data, profiles: options.profiles })
      // cfssl signs nothing: what it hands out was signed by the hub.
      await bed.load.run('collectOcsp', { target: hub.http, path: '/ocsp', file: questions.plain, out: responses })
      return { ...hub, path: '/ocsp' }
    },
    () => startOpenssl(bed, issuer, serials),
    ...(programPath('cfssl') === null ? [] : [() => startCfsslResponder(bed, responses)]),
  ]
  return withSides(starts, async (sides) => {
    const asked = async (name: string, some: readonly Responder[], file: string, count: number): Promise<Row> => {
      bed.report(name)
      const series = await inRounds(some, { warmUps: 1, rounds: sizes.rounds }, (side) =>
        cpuPerPiece(side, async () => {
          const isKeptAlive = side.name !== 'openssl-ocsp'
          const { http: target, path: where } = side
          const { seconds } = await bed.load.run('askOcsp', { target, path: where, file, count, atOnce, isKeptAlive })
          return { pieces: count, seconds }
        }),
      )
      return { name, unit: 'µs CPU', rank: 50, series }
    }
    const many = `${sizes.ocspCertificates} certificates`
    const signing = sides.filter(({ name }) => name !== 'cfssl')
    return [
      await asked(`OCSP answer over ${many}, ${atOnce} at one time`, sides, questions.plain, sizes.ocspPerRound),
      await asked(
        `OCSP answer to a nonce, ${atOnce} at one time`,
        signing,
        questions.withNonce,
        sizes.ocspPerRound / 4,
      ),
    ]
  })
}

function issuingCertificate(path: string): Uint8Array {
  const database = new DatabaseSync(path, { readOnly: true })
  const row = database.prepare(`select certificate from authorities where role = 'issuing' limit 1`).get()
  database.close()
  return new Uint8Array(row?.certificate as Uint8Array)
}

function writeQuestions(folder: string, issuer: Uint8Array, serials: readonly string[]): Questions {
  const fields = readCertificate(issuer)
  const written = (name: string, requestOf: (serial: string) => Uint8Array): string => {
    const path = join(folder, name)
    writeFileSync(path, serials.map((serial) => Buffer.from(requestOf(serial)).toString('base64')).join('\n'))
    return path
  }
  return {
    // SHA-1, because the others know nothing else.
    plain: written('ocsp.requests', (serial) => ocspRequest([certificateId(fields, serial, 'sha1')])),
    withNonce: written('ocsp-nonce.requests', (serial) =>
      ocspRequest([certificateId(fields, serial, 'sha1')], {
        extensions: [nonce(createHash('sha256').update(serial).digest())],
      }),
    ),
  }
}

/** OpenSSL's own responder: it knows the certificates from a file, signs each answer, and ends each connection. */
async function startOpenssl(bed: Bed, issuer: Uint8Array, serials: readonly string[]): Promise<Responder> {
  const folder = join(bed.folder, 'openssl-ocsp')
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  const file = (name: string): string => join(folder, name)
  const lines = serials.map((serial) => `V\t361231235959Z\t\t${serial.toUpperCase()}\tunknown\t/CN=${serial}`)
  writeFileSync(file('index.txt'), `${lines.join('\n')}\n`)
  writeFileSync(file('ca.pem'), encodePem('CERTIFICATE', issuer))
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-keyout', file('key.pem')]
  execFileSync('openssl', ['req', '-x509', ...key, '-subj', '/CN=responder', '-days', '10', '-out', file('cert.pem')], {
    stdio: 'ignore',
  })
  const http = await freeTarget()
  const { pid, stop } = await startProgram(bed.closing, {
    program: programPath('openssl') ?? 'openssl',
    args: [
      ...['ocsp', '-index', file('index.txt'), '-CA', file('ca.pem'), '-rsigner', file('cert.pem')],
      ...['-rkey', file('key.pem'), '-port', `${http.port}`, '-ndays', '1', '-ignore_err', '-resp_key_id'],
    ],
    log: file('output'),
    // A connection that asks nothing would keep it busy for ever.
    hasStarted: async () => readFileSync(file('output'), 'utf8').includes('waiting for OCSP client connections'),
  })
  return { name: 'openssl-ocsp', pids: [pid], http, path: '/', stop }
}

/** cfssl's responder, which reads from a file what was signed before. */
async function startCfsslResponder(bed: Bed, responses: string): Promise<Responder> {
  const http = await freeTarget()
  const { pid, stop } = await startProgram(bed.closing, {
    program: programPath('cfssl') ?? 'cfssl',
    args: ['ocspserve', `-address=${http.host}`, `-port=${http.port}`, `-responses=${responses}`, '-loglevel=2'],
    log: join(bed.folder, 'cfssl-ocsp.output'),
    hasStarted: () => answers(http),
  })
  return { name: 'cfssl', pids: [pid], http, path: '/', stop }
}
