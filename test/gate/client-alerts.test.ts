// needs: openssl
/** Real clients that end the handshake, each with the cause that the hub can tell from what it knows besides the alert. */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { createPrivateKey, generateKeyPairSync } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, suite, type TestContext, test } from 'node:test'
import { connect as tlsConnect } from 'node:tls'
import type { FailureName } from '../../src/core/failure/catalogue.ts'
import type { NewAttempt } from '../../src/hub/ports/attempts.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'
import { pump, selfSigned, serverCertificate } from './certificates.ts'
import { type TestGate, testGate } from './test-gate.ts'

const folder = temporaryFolder({ after })
const serverFile = join(folder, 'server.pem')
writeFileSync(serverFile, serverCertificate.cert)

/** The attempt of an OpenSSL client that verifies, by its code. */
async function attemptOf(
  t: TestContext,
  { port, attempts }: TestGate,
  code: FailureName,
  ...options: readonly string[]
): Promise<NewAttempt> {
  const client = spawn('openssl', ['s_client', '-connect', `127.0.0.1:${port}`, '-verify_return_error', ...options], {
    stdio: ['pipe', 'ignore', 'ignore'],
  })
  t.after(() => client.kill())
  return attempts.with(code)
}

const trusting = ['-CAfile', serverFile, '-servername', 'localhost']
const in2100 = '4102444800'

suite('a client that does not accept the hub', { timeout: 20_000 }, () => {
  test('without its root', async (t) => {
    const gate = await testGate(t)
    assert.match((await attemptOf(t, gate, 'hub-untrusted')).sentence, /unknown_ca \(48\)/)
  })

  test('under another name than stands in the certificate', async (t) => {
    const gate = await testGate(t)
    const options = ['-CAfile', serverFile, '-servername', 'hub.example', '-verify_hostname', 'hub.example']
    assert.match((await attemptOf(t, gate, 'hub-name-mismatch', ...options)).sentence, /asked for "hub\.example"/)
  })

  test('under an address that does not stand in it', async (t) => {
    const gate = await testGate(t)
    const options = ['-CAfile', serverFile, '-noservername', '-verify_ip', '127.0.0.1']
    assert.match(
      (await attemptOf(t, gate, 'hub-name-mismatch', ...options)).sentence,
      /not have the address 127\.0\.0\.1/,
    )
  })

  test('with a clock that is ahead, which is not the same as a hub with a certificate that has ended', async (t) => {
    const gate = await testGate(t)
    const early = await attemptOf(t, gate, 'hub-certificate-expired', ...trusting, '-attime', in2100)
    assert.match(early.sentence, /that of the hub is good until \d{4}-.*: its clock is ahead/)
    gate.clock.offsetMs = 3 * 86_400_000
    const late = await attemptOf(t, gate, 'server-certificate-expired', ...trusting, '-attime', in2100)
    assert.match(late.sentence, /and the certificate of the hub expired 2 days ago/)
  })

  test('with a clock that is behind: the alert gives no reason, and none is made up', async (t) => {
    const gate = await testGate(t)
    const attempt = await attemptOf(t, gate, 'tls-client-rejected-hub', ...trusting, '-attime', '86400')
    assert.match(attempt.sentence, /bad_certificate \(42\), which gives no reason: .* its clock may stand before/)
  })

  test('for what its certificate is for', async (t) => {
    const gate = await testGate(t)
    await attemptOf(t, gate, 'hub-certificate-unsupported', ...trusting, '-purpose', 'timestampsign')
  })
})

suite('a handshake in which nothing is shared says what', { timeout: 20_000 }, () => {
  const failing = async (t: TestContext, code: FailureName, options: object): Promise<string> => {
    const { port, attempts } = await testGate(t, 'listener' in options ? { listener: options.listener as object } : {})
    tlsConnect({ host: '127.0.0.1', port, servername: 'localhost', ...options }).on('error', () => {})
    return (await attempts.with(code)).sentence
  }

  test('of suites', async (t) => {
    const sentence = await failing(t, 'tls-no-shared-cipher', { maxVersion: 'TLSv1.2', ciphers: 'AES128-SHA' })
    assert.match(sentence, /none of the cipher suites TLS_RSA_WITH_AES_128_CBC_SHA/)
  })

  test('of suites of TLS 1.3', async (t) => {
    const only = { minVersion: 'TLSv1.3', ciphers: 'TLS_AES_128_CCM_SHA256' }
    assert.match(await failing(t, 'tls-no-shared-cipher', only), /TLS_AES_128_CCM_SHA256/)
  })

  test('of curves, in TLS 1.2, where OpenSSL speaks of suites', async (t) => {
    const only = { maxVersion: 'TLSv1.2', ecdhCurve: 'brainpoolP256r1' }
    assert.match(await failing(t, 'tls-no-shared-group', only), /none of the curves brainpoolP256r1/)
  })

  test('of keys: a client that verifies RSA alone, in both versions', async (t) => {
    await failing(t, 'tls-client-needs-rsa', { maxVersion: 'TLSv1.2', ciphers: 'ECDHE-RSA-AES128-GCM-SHA256' })
    await failing(t, 'tls-client-needs-rsa', { minVersion: 'TLSv1.3', sigalgs: 'rsa_pss_rsae_sha256' })
  })

  test('of signatures', async (t) => {
    await failing(t, 'tls-no-shared-signature', { minVersion: 'TLSv1.3', sigalgs: 'ecdsa_secp521r1_sha512' })
  })

  test('of application protocols', async (t) => {
    const sentence = await failing(t, 'tls-no-application-protocol', {
      listener: { alpn: ['mqtt'] },
      ALPNProtocols: ['x-amzn-mqtt-ca'],
    })
    assert.match(sentence, /"x-amzn-mqtt-ca"/)
  })
})

suite('a client with the wrong key', { timeout: 20_000 }, () => {
  test('shows the certificate and cannot prove it', async (t) => {
    const { port, attempts, admission } = await testGate(t)
    const key = halves(generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey, createPrivateKey(pump.key))
    const ends = tlsConnect({
      host: '127.0.0.1',
      port,
      ca: serverCertificate.cert,
      servername: 'localhost',
      key,
      cert: pump.cert,
    })
    ends.on('error', () => {})
    await attempts.with('client-key-unproved')
    assert.deepEqual(admission.judged, [], 'nobody was asked about a certificate that is not proved')
  })

  test('is told that its curve is not taken, in TLS 1.2', async (t) => {
    const { port, attempts } = await testGate(t)
    const own = selfSigned('curved', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:secp256k1')
    tlsConnect({
      ...{ host: '127.0.0.1', port, ca: serverCertificate.cert, servername: 'localhost' },
      ...{ key: own.key, cert: own.cert, maxVersion: 'TLSv1.2' },
    }).on('error', () => {})
    await attempts.with('client-curve-unsupported')
  })
})

/** A key file with the private half of one key and the public half of another: libraries take it, and sign in vain. */
function halves(secret: ReturnType<typeof createPrivateKey>, open: ReturnType<typeof createPrivateKey>): string {
  const [own, other] = [secret, open].map((key) => key.export({ format: 'jwk' }))
  const octets = (text: string | undefined) => Buffer.from(text ?? '', 'base64url')
  const point = Buffer.concat([Buffer.from([4]), octets(other?.x), octets(other?.y)])
  const der = Buffer.concat([
    Buffer.from('30770201010420', 'hex'),
    octets(own?.d),
    Buffer.from('a00a06082a8648ce3d030107a144034200', 'hex'),
    point,
  ])
  return `-----BEGIN EC PRIVATE KEY-----\n${der.toString('base64')}\n-----END EC PRIVATE KEY-----\n`
}
