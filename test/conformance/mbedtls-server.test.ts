/** A server in C with Debian's mbedTLS and the header of `handfast verify header`: who comes in, and why everybody else does not. */
// needs: cc
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { type TestContext, test } from 'node:test'
import { connect } from 'node:tls'
import type { FailureName } from '../../src/core/failure/catalogue.ts'
import { failure } from '../../src/core/failure/catalogue.ts'
import { parsePolicy } from '../../src/core/policy/file/parse.ts'
import type { Extension } from '../../src/core/x509/extensions.ts'
import { basicConstraints, extendedKeyUsage, keyUsage, subjectAltName } from '../../src/core/x509/extensions.ts'
import { oids } from '../../src/core/x509/oids.ts'
import { readAuthorities } from '../../src/verify/authorities.ts'
import { mbedtlsHeader } from '../../src/verify/header/header.ts'
import { authority } from '../support/anchor-bed.ts'
import { startHubProcess } from '../support/hub-process.ts'
import { type OwnCertificate, ownCertificate } from '../support/own-certificate.ts'
import { needs } from '../support/programs.ts'
import { run } from '../support/run.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'

const source = join(import.meta.dirname, 'mbedtls-server.c')
const isThere = existsSync('/usr/include/mbedtls/ssl.h')
const wanted = isThere ? needs('cc') : { skip: 'libmbedtls-dev is not installed' }
const nowSec = Math.floor(Date.now() / 1000)

interface Shown {
  readonly key: string
  readonly cert: string
}

interface Server {
  /** What the server printed about a connection, and what the client read. */
  visit(shown: Shown | null): Promise<{ readonly printed: string; readonly read: string }>
}

async function compiled(folder: string, flags: readonly string[] = []): Promise<string> {
  const program = join(folder, `server-${flags.length}`)
  const strict = ['-std=c99', '-D_POSIX_C_SOURCE=200809L', '-Wall', '-Wextra', '-Werror', '-pedantic', '-O1', ...flags]
  const libraries = ['-lmbedtls', '-lmbedx509', '-lmbedcrypto']
  const { status, stderr } = await run('cc', [...strict, '-I', folder, '-o', program, source, ...libraries])
  assert.equal(status, 0, stderr)
  return program
}

/** The program with a certificate of its own. */
async function started(
  t: TestContext,
  folder: string,
  program: string,
  atSec: number,
  more: readonly string[] = [],
): Promise<Server> {
  const own = ownCertificate('server')
  const [certificate, key] = [join(folder, 'server.pem'), join(folder, 'server.key')]
  writeFileSync(certificate, own.pem)
  writeFileSync(key, keyOf(own))
  const child = spawn(program, [certificate, key, String(atSec), ...more], { stdio: ['pipe', 'pipe', 'inherit'] })
  t.after(() => child.kill('SIGKILL'))
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
  const next = async (): Promise<string> => String((await lines.next()).value)
  const port = Number(/^port (\d+)$/.exec(await next())?.[1])
  return {
    async visit(shown) {
      const socket = connect({ host: '127.0.0.1', port, rejectUnauthorized: false, ...shown })
      let read = ''
      socket.on('data', (text: Buffer) => {
        read += text.toString('utf8')
      })
      socket.on('error', () => {})
      const closed = new Promise((resolve) => socket.once('close', resolve))
      const printed = await next()
      await closed
      return { printed, read }
    },
  }
}

function keyOf({ privateKey }: OwnCertificate): string {
  return privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()
}

function shownBy(own: OwnCertificate, ...behind: readonly OwnCertificate[]): Shown {
  return { key: keyOf(own), cert: [own, ...behind].map(({ pem }) => pem).join('') }
}

interface Made {
  readonly uris?: readonly string[]
  readonly dnsNames?: readonly string[]
  readonly purposes?: readonly string[] | null
  readonly usages?: Parameters<typeof keyUsage>[0]
  readonly isAuthority?: boolean
  readonly more?: readonly Extension[]
  readonly fromSec?: number
  readonly untilSec?: number
}

/** An alternative name as nobody should issue it: C reads it up to the zero. */
function uriWithZero(text: string): Extension {
  const uri = Buffer.from(`${text}\0x`)
  const value = Buffer.concat([Buffer.of(0x30, uri.length + 2, 0x86, uri.length), uri])
  return { oid: oids.subjectAltName, critical: false, value: new Uint8Array(value) }
}

function client(issuer: OwnCertificate | null, made: Made = {}, commonName = 'pump-7'): OwnCertificate {
  const {
    uris = ['urn:acme:device:pump-7'],
    dnsNames = [],
    purposes = [oids.clientAuth],
    usages = ['digitalSignature'],
  } = made
  const names = { uris: [...uris], dnsNames: [...dnsNames], ipAddresses: [], emails: [] }
  return ownCertificate(commonName, {
    ...(issuer === null ? {} : { issuer }),
    validity: { notBeforeSec: made.fromSec ?? nowSec - 3_600, notAfterSec: made.untilSec ?? nowSec + 86_400 },
    extensions: [
      ...(made.isAuthority === true ? [basicConstraints(0)] : []),
      ...(made.more ?? []),
      keyUsage(usages),
      ...(purposes === null ? [] : [extendedKeyUsage(purposes)]),
      ...(uris.length + dnsNames.length === 0 ? [] : [subjectAltName(names, false)]),
    ],
  })
}

const policy = `identify:
  - name: acme-devices
    anchors: [acme]
    from: san.uri
    match: 'urn:acme:device:(?<id>[a-z0-9-]{1,32})'
    identity: '\${id}'
  - name: maker-devices
    anchors: [maker]
    from: cn
    match: '(?<id>[a-z]+-\\d+)\\.maker'
    identity: '\${id}'
  - name: maker-hosts
    anchors: [maker]
    from: san.dns
    match: '(?<id>[a-z0-9.-]+)'
    identity: '\${id}'
`

test('a server in C lets in whom the rules find, and nobody else', wanted, async (t) => {
  const folder = temporaryFolder(t)
  const [acme, maker] = [authority('acme issuing'), authority('maker issuing')]
  const line = authority('acme line 4', acme)
  const header = mbedtlsHeader(readAuthorities({ acme: acme.pem }), parsePolicy(policy).identify)
  writeFileSync(join(folder, 'handfast_verify.h'), header)
  const makerFile = join(folder, 'maker.pem')
  writeFileSync(makerFile, maker.pem)
  const program = await compiled(folder)
  const server = await started(t, folder, program, nowSec, [`maker=${makerFile}`])
  const judged = async (shown: Shown | null): Promise<string> => {
    const { printed, read } = await server.visit(shown)
    assert.equal(read, printed.startsWith('HF-') ? '' : `hello ${printed}`)
    return printed
  }

  const welcome: readonly (readonly [string, string, Shown])[] = [
    ['a device of the authority', 'pump-7', shownBy(client(acme))],
    [
      'one with the same name twice',
      'pump-7',
      shownBy(client(acme, { uris: ['urn:acme:device:pump-7', 'urn:acme:device:pump-7'] })),
    ],
    ['one of an authority that came at run time', 'press-12', shownBy(client(maker, { uris: [] }, 'press-12.maker'))],
    ['one that a later rule finds', 'a.b', shownBy(client(maker, { uris: [], dnsNames: ['a.b'] }, 'x'))],
    ['one that sends its authority along', 'pump-7', shownBy(client(acme), acme)],
  ]
  for (const [words, id, shown] of welcome) assert.equal(await judged(shown), id, words)

  const refused: readonly (readonly [string, FailureName, Shown | null])[] = [
    ['no certificate', 'verify-not-judged', null],
    ['another authority', 'certificate-foreign-authority', shownBy(client(authority('other')))],
    ['another authority of the same name', 'certificate-foreign-authority', shownBy(client(authority('acme issuing')))],
    ['a certificate of its own making', 'certificate-foreign-authority', shownBy(client(null))],
    ['an authority in between', 'foreign-chain-invalid', shownBy(client(line), line)],
    ['an authority in between that is not sent', 'certificate-foreign-authority', shownBy(client(line))],
    ['one that is over', 'certificate-expired', shownBy(client(acme, { untilSec: nowSec - 60 }))],
    ['one that begins later', 'foreign-not-yet-valid', shownBy(client(acme, { fromSec: nowSec + 3_600 }))],
    ['one for servers', 'certificate-wrong-usage', shownBy(client(acme, { purposes: [oids.serverAuth] }))],
    ['one that does not say for whom it is', 'certificate-wrong-usage', shownBy(client(acme, { purposes: null }))],
    ['one that may not sign', 'certificate-cannot-sign', shownBy(client(acme, { usages: ['keyAgreement'] }))],
    ['an authority', 'certificate-is-authority', shownBy(client(acme, { isAuthority: true }))],
    ['the authority itself', 'certificate-foreign-authority', shownBy(acme)],
    ['another name', 'identification-none', shownBy(client(acme, { uris: ['urn:acme:sensor:pump-7'] }))],
    ['a longer name', 'identification-none', shownBy(client(acme, { uris: [`urn:acme:device:${'a'.repeat(33)}`] }))],
    [
      'a name with a zero in it',
      'identification-none',
      shownBy(client(acme, { uris: [], more: [uriWithZero('urn:acme:device:pump-7')] })),
    ],
    ['no name', 'identification-none', shownBy(client(acme, { uris: [] }))],
    [
      'the name in another field',
      'identification-none',
      shownBy(client(acme, { uris: [], dnsNames: ['urn:acme:device:pump-7'] })),
    ],
    ['two names', 'identification-unfit', shownBy(client(acme, { uris: ['urn:acme:device:a', 'urn:acme:device:b'] }))],
    ['a name that is no id', 'identification-unfit', shownBy(client(maker, { uris: [], dnsNames: ['.a'] }, 'x'))],
    ['a name that is for another authority', 'identification-none', shownBy(client(maker, {}, 'x'))],
  ]
  for (const [words, code, shown] of refused) {
    assert.equal(await judged(shown), `${failure(code).id} ${code}`, words)
  }

  // Its own clock, where mbedTLS has another or none.
  const later = await started(t, folder, program, nowSec + 2 * 86_400)
  assert.match((await later.visit(shownBy(client(acme)))).printed, / certificate-expired$/)
  const unset = await started(t, folder, program, 0)
  assert.match((await unset.visit(shownBy(client(acme)))).printed, / verify-clock-unset$/)
  const known = await started(t, folder, program, nowSec)
  assert.match(
    (await known.visit(shownBy(client(maker, { uris: [] }, 'press-12.maker')))).printed,
    / certificate-foreign-authority$/,
  )
})

test('the header that the hub writes lets its devices in, and neither its services nor others', wanted, async (t) => {
  const folder = temporaryFolder(t)
  const hub = await startHubProcess(t, { data: join(folder, 'data') })
  const out = join(folder, 'handfast_verify.h')
  const written = await hub.cli(['verify', 'header', '--out', out])
  assert.equal(written.status, 0, written.stderr)
  assert.match(written.stdout, /It trusts:\n {2}hub until 20\d\d-\d\d-\d\d, SHA-256 [0-9a-f]{64}\n$/)
  const again = await hub.cli(['verify', 'header', '--out', out])
  assert.match(again.stderr, new RegExp(failure('files-exist').id))
  const server = await started(t, folder, await compiled(folder, ['-DHANDFAST_WITHOUT_CLOCK']), 0)
  const { cert, key } = await hub.enrolled('pump-7', join(folder, 'pump-7'))
  const pump = { cert: readFileSync(cert, 'utf8'), key: readFileSync(key, 'utf8') }
  assert.equal((await server.visit(pump)).read, 'hello pump-7')
  const { bootstrap } = await hub.json<{ bootstrap: string }>(['verify', 'add', 'shop', '--name', 'localhost'])
  const shop = join(folder, 'shop')
  await hub.json(['enrol', bootstrap, '--dir', shop])
  const service = {
    cert: readFileSync(join(shop, 'client_cert.pem'), 'utf8'),
    key: readFileSync(join(shop, 'private_key.pem'), 'utf8'),
  }
  assert.match((await server.visit(service)).printed, / identification-none$/)
})
