/** Answers of OpenSSL's responder and of this hub's own are read, and what could be forged or old is refused. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { suite, test } from 'node:test'
import { readCertificate } from '../../../src/core/x509/certificate.ts'
import { type OcspSubject, ocspQuestion, readOcspAnswer } from '../../../src/core/x509/ocsp-client.ts'
import { parseOcspRequest } from '../../../src/core/x509/ocsp-request.ts'
import { ocspErrors } from '../../../src/core/x509/ocsp-response.ts'
import { decodePem } from '../../../src/core/x509/pem.ts'
import type { DeviceFiles } from '../../support/hub-process.ts'
import { Maker } from '../../support/maker.ts'
import { needs } from '../../support/programs.ts'
import { temporaryFolder } from '../../support/temporary-folder.ts'

const certificateIn = (file: string) =>
  readCertificate(decodePem(readFileSync(file, 'utf8'))[0]?.der ?? new Uint8Array())
const unfit = { code: 'ocsp-answer-unfit' }
const nowSec = (): number => Math.floor(Date.now() / 1000)

interface Bed {
  readonly maker: Maker
  readonly device: DeviceFiles
  readonly subject: OcspSubject
}

async function bed(t: Parameters<typeof temporaryFolder>[0]): Promise<Bed> {
  const maker = await Maker.start(temporaryFolder(t), 'ca')
  const device = await maker.issue('device', 'mill-1', '', null)
  const { serialNumber } = certificateIn(device.cert)
  return { maker, device, subject: { issuer: certificateIn(maker.path('ca.pem')), serialNumber } }
}

suite('the answer of a responder', needs('openssl'), () => {
  test('says good, revoked or unknown, with its dates', async (t) => {
    const { maker, device, subject } = await bed(t)
    const good = readOcspAnswer(await maker.ocsp(ocspQuestion(subject)), subject, nowSec())
    assert.equal(good.status, 'good')
    assert.equal((good.nextUpdateSec ?? 0) - good.thisUpdateSec, 86_400)
    await maker.revoke(device.cert)
    assert.equal(readOcspAnswer(await maker.ocsp(ocspQuestion(subject)), subject, nowSec()).status, 'revoked')
    const stranger = { ...subject, serialNumber: '1234' }
    assert.equal(readOcspAnswer(await maker.ocsp(ocspQuestion(stranger)), stranger, nowSec()).status, 'unknown')
  })

  test('may be signed by whom the authority has certified for it, in its dates, and by nobody else', async (t) => {
    const { maker, subject } = await bed(t)
    const question = ocspQuestion(subject)
    const answerOf = async (responder: DeviceFiles) => maker.ocsp(question, responder)
    const delegate = await maker.issue('delegate', 'responder', '', 'extendedKeyUsage=OCSPSigning')
    assert.equal(readOcspAnswer(await answerOf(delegate), subject, nowSec()).status, 'good')
    const ended = nowSec() + 31 * 86_400
    const own = await maker.issue('own', 'responder 2', '', null)
    const client = await maker.issue('client', 'responder 3', '', 'extendedKeyUsage=clientAuth')
    const other = await Maker.start(temporaryFolder(t), 'ca')
    const namesake = await other.issue('delegate', 'responder', '', 'extendedKeyUsage=OCSPSigning')
    for (const responder of [own, client, namesake]) {
      const answer = await answerOf(responder)
      assert.throws(() => readOcspAnswer(answer, subject, nowSec()), unfit)
    }
    const late = await answerOf(delegate)
    assert.throws(() => readOcspAnswer(late, subject, ended), unfit)
  })

  test('is refused about another certificate, before its time and after it, and with any bit changed', async (t) => {
    const { maker, subject } = await bed(t)
    const answer = await maker.ocsp(ocspQuestion(subject))
    assert.throws(() => readOcspAnswer(answer, { ...subject, serialNumber: '1234' }, nowSec()), unfit)
    assert.throws(() => readOcspAnswer(answer, subject, nowSec() - 400), unfit)
    assert.throws(() => readOcspAnswer(answer, subject, nowSec() + 86_500), unfit)
    const { issuer } = subject
    const { status } = readOcspAnswer(answer, subject, nowSec())
    for (let at = 0; at < answer.length; at += 3) {
      const damaged = new Uint8Array(answer)
      damaged[at] = (damaged[at] ?? 0) ^ 1
      let word: string
      try {
        word = readOcspAnswer(damaged, { issuer, serialNumber: subject.serialNumber }, nowSec()).status
      } catch (error) {
        assert.ok(error instanceof Error && 'code' in error, String(error))
        continue
      }
      // What is not signed, such as a certificate that nobody needs, may be another.
      assert.equal(word, status)
    }
  })

  test('is no answer where the responder says why it gives none', async (t) => {
    const { subject } = await bed(t)
    for (const error of Object.values(ocspErrors)) {
      assert.throws(() => readOcspAnswer(error, subject, nowSec()), unfit)
    }
    assert.throws(() => readOcspAnswer(new Uint8Array(), subject, nowSec()), unfit)
    assert.throws(() => readOcspAnswer(new Uint8Array(100_000), subject, nowSec()), unfit)
  })

  test('is asked for by a question that this hub would answer itself', async (t) => {
    const { subject } = await bed(t)
    const { certificates, nonce } = parseOcspRequest(ocspQuestion(subject))
    assert.deepEqual([certificates.length, nonce], [1, null])
    assert.deepEqual([certificates[0]?.hash, certificates[0]?.serialNumber], ['sha1', subject.serialNumber])
  })
})
