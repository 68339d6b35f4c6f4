/** serverkeygen over real TLS: the key and its certificate, in clear and under a passphrase. */
import assert from 'node:assert/strict'
import { createPrivateKey, X509Certificate } from 'node:crypto'
import { describe, test } from 'node:test'
import { deviceProfile } from '../../src/core/profile/built-in.ts'
import { derUtf8String } from '../../src/core/x509/der-writer.ts'
import { oids } from '../../src/core/x509/oids.ts'
import { readCertsOnly } from '../../src/core/x509/pkcs7.ts'
import { addProfile } from '../../src/hub/change-profiles.ts'
import { registerDevice } from '../../src/hub/register-device.ts'
import { attribute, makeRequest } from '../core/x509/request-support.ts'
import { deviceRequest, registered } from '../support/hub-parts.ts'
import { basic, listener, once } from './est-listener.ts'
import { type Answer, assertProblem } from './problem.ts'

describe('serverkeygen', () => {
  const path = '/.well-known/est/serverkeygen'

  test('answers with a key and its certificate, to a token and to a certificate', async (t) => {
    const est = await listener(t)
    const { tokenText } = await registered(est.hub, 'pump-7')
    const body = deviceRequest('pump-7').certificateRequest
    const made = await once(est, null, { path, body, headers: basic('pump-7', tokenText) })
    const first = partsOf(made)
    assert.equal(made.headers['cache-control'], 'no-store')
    assert.equal(first.keyType, 'application/pkcs8')
    const privateKey = createPrivateKey({ key: Buffer.from(first.key, 'base64'), type: 'pkcs8', format: 'der' })
    assert.ok(first.certificate.checkPrivateKey(privateKey))

    const pem = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()
    const shown = { key: pem, cert: first.certificate.toString() }
    const second = partsOf(await once(est, shown, { path, body }))
    const nextKey = createPrivateKey({ key: Buffer.from(second.key, 'base64'), type: 'pkcs8', format: 'der' })
    assert.ok(second.certificate.checkPrivateKey(nextKey))
    assert.notEqual(second.key, first.key)
    const row = await est.hub.store.credentials.findBySerial(second.certificate.serialNumber.toLowerCase())
    assert.deepEqual([row?.keyOrigin, row?.state], ['hub', 'pending'])
  })

  test('encrypts the key under the passphrase that comes with the request', async (t) => {
    const est = await listener(t)
    const { tokenText } = await registered(est.hub, 'pump-7')
    const passphrase = 'correct horse battery'
    const headers = { ...basic('pump-7', tokenText), 'handfast-key-passphrase': passphrase }
    const answer = await once(est, null, { path, body: deviceRequest('pump-7').certificateRequest, headers })
    const { keyType, key, certificate } = partsOf(answer)
    assert.equal(keyType, 'application/pkcs8-encrypted')
    const der = { key: Buffer.from(key, 'base64'), type: 'pkcs8', format: 'der' } as const
    assert.throws(() => createPrivateKey(der))
    assert.ok(certificate.checkPrivateKey(createPrivateKey({ ...der, passphrase })))
    assert.ok(!JSON.stringify(est.hub.log.lines).includes(passphrase))
  })

  test('encrypts it in the way that mbedTLS reads where the profile is for mbedTLS', async (t) => {
    const est = await listener(t)
    const { hub } = est
    await addProfile(hub, hub.actor, {
      ...deviceProfile,
      name: 'small',
      compatibility: 'mbedtls',
      keyTypes: ['RSA-2048'],
    })
    const order = { id: 'pump-7', group: null, attributes: {}, tokenLifetimeSec: 86_400, profiles: ['small'] }
    const { tokenText } = await registerDevice(hub, hub.actor, order)
    const passphrase = 'correct horse battery'
    const headers = { ...basic('pump-7', tokenText), 'handfast-key-passphrase': passphrase }
    const body = deviceRequest('pump-7').certificateRequest
    const answer = await once(est, null, { path: '/.well-known/est/small/serverkeygen', body, headers })
    assert.equal(answer.statusCode, 200, answer.body)
    assert.match(answer.body, /Content-Type: application\/x-pem-file\r\nContent-Transfer-Encoding: 7bit\r\n/)
    const [pem = ''] =
      /-----BEGIN RSA PRIVATE KEY-----\r\nProc-Type: 4,ENCRYPTED\r\n[\s\S]*?-----END RSA PRIVATE KEY-----\r\n/.exec(
        answer.body,
      ) ?? []
    const key = createPrivateKey({ key: pem, format: 'pem', passphrase })
    assert.equal(key.asymmetricKeyDetails?.modulusLength, 2_048)
  })

  test('refuses by name a passphrase that no reader takes, and a key in a CMS envelope', async (t) => {
    const est = await listener(t)
    const { tokenText } = await registered(est.hub, 'pump-7')
    const headers = basic('pump-7', tokenText)
    const body = deviceRequest('pump-7').certificateRequest
    const short = { path, body, headers: { ...headers, 'handfast-key-passphrase': 'short' } }
    assert.equal(JSON.parse((await once(est, null, short)).body).code, 'key-passphrase-unusable')
    for (const oid of [oids.decryptKeyIdentifier, oids.asymmetricDecryptKeyIdentifier]) {
      const enveloped = makeRequest({ attributes: [attribute(oid, derUtf8String('key-1'))] })
      const answer = await once(est, null, { path, body: enveloped, headers })
      assertProblem(answer, 400, 'server-key-encryption-unsupported')
    }
  })
})

function partsOf(answer: Answer): { keyType: string; key: string; certificate: X509Certificate } {
  assert.equal(answer.statusCode, 200, answer.body)
  const boundary = /^multipart\/mixed; boundary=([0-9a-f]{32})$/.exec(String(answer.headers['content-type']))?.[1]
  assert.ok(boundary !== undefined)
  const [before, key, certificate, end] = answer.body.split(`--${boundary}`)
  assert.deepEqual([before, end], ['', '--\r\n'])
  const [keyType = '', keyBody = ''] = partOf(key)
  const [type, certificateBody = ''] = partOf(certificate)
  assert.equal(type, 'application/pkcs7-mime; smime-type=certs-only')
  const [leaf, ...others] = readCertsOnly(Buffer.from(certificateBody, 'base64'))
  assert.ok(leaf !== undefined && others.length === 0)
  return { keyType, key: keyBody, certificate: new X509Certificate(leaf) }
}

function partOf(section: string | undefined): readonly string[] {
  const [headers = '', body = ''] = (section ?? '').trimStart().split('\r\n\r\n')
  assert.match(headers, /^Content-Transfer-Encoding: base64$/m)
  return [/^Content-Type: (.*)$/m.exec(headers)?.[1] ?? '', body]
}
