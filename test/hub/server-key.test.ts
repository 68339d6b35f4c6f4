/** Keys that the hub makes: handed out once, kept nowhere, never given again. */
import assert from 'node:assert/strict'
import { createPrivateKey, X509Certificate } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { HubError } from '../../src/core/errors.ts'
import type { FailureName } from '../../src/core/failure/catalogue.ts'
import {
  parseCertificateRequest,
  requestWithKey,
  verifyCertificateRequest,
} from '../../src/core/x509/certificate-request.ts'
import { derUtf8String } from '../../src/core/x509/der-writer.ts'
import { subjectKeyIdentifier } from '../../src/core/x509/extensions.ts'
import { buildName } from '../../src/core/x509/name.ts'
import { oids } from '../../src/core/x509/oids.ts'
import { keyIdentifier } from '../../src/core/x509/public-key.ts'
import { enrol, enrolWithServerKey } from '../../src/hub/enrol.ts'
import { makeServerKey } from '../../src/hub/server-key.ts'
import { attribute, makeRequest } from '../core/x509/request-support.ts'
import { deviceRequest, hubParts, registered } from '../support/hub-parts.ts'

async function asking(t: { after(step: () => unknown): unknown }) {
  const hub = await hubParts(t)
  const { tokenText, token } = await registered(hub, 'pump-7')
  const { certificateRequest } = deviceRequest('pump-7')
  return { hub, token, request: { tokenText, claimedId: 'pump-7', certificateRequest } }
}

function refuses(code: FailureName): (error: unknown) => boolean {
  return (error) => error instanceof HubError && error.code === code
}

test('the certificate is for the key that comes with it, and the registry says who made it', async (t) => {
  const { hub, request } = await asking(t)
  const { credential, serverKey } = await enrolWithServerKey(hub, request)
  assert.ok(new X509Certificate(credential.certificate).checkPrivateKey(serverKey.privateKey))
  assert.equal((await hub.store.credentials.find(credential.fingerprint))?.keyOrigin, 'hub')
})

test('asking again with the token makes another key and revokes the certificate that was lost', async (t) => {
  const { hub, request } = await asking(t)
  const first = await enrolWithServerKey(hub, request)
  const second = await enrolWithServerKey(hub, request)
  assert.notEqual(second.credential.publicKeyHash, first.credential.publicKeyHash)
  const lost = await hub.store.credentials.find(first.credential.fingerprint)
  assert.deepEqual([lost?.state, lost?.revocationReason], ['revoked', 'superseded'])
  assert.equal((await hub.store.credentials.find(second.credential.fingerprint))?.state, 'pending')
  const events = await hub.store.events.after(0, 100)
  assert.ok(
    events.some((event) => event.type === 'credential-revoked' && event.serialNumber === first.credential.serialNumber),
  )
})

test('asked twice at once, one certificate stays and the other is revoked', async (t) => {
  const { hub, request } = await asking(t)
  const answers = await Promise.all([1, 2, 3].map(() => enrolWithServerKey(hub, request)))
  const states = await Promise.all(
    answers.map(async ({ credential }) => (await hub.store.credentials.find(credential.fingerprint))?.state),
  )
  assert.deepEqual(states.toSorted(), ['pending', 'revoked', 'revoked'])
})

test('a certificate that has been used is not made anew, and neither is one that somebody has revoked', async (t) => {
  for (const state of ['active', 'revoked'] as const) {
    const { hub, request } = await asking(t)
    const { credential } = await enrolWithServerKey(hub, request)
    await hub.store.write((tx) => tx.credentials.update({ ...credential, state }))
    await assert.rejects(enrolWithServerKey(hub, request), refuses('token-used'))
  }
})

test('the two ways to enrol do not mix: a token is used for a key of the device or for one of the hub', async (t) => {
  const first = await asking(t)
  await enrol(first.hub, first.request)
  await assert.rejects(enrolWithServerKey(first.hub, first.request), refuses('token-used'))
  const second = await asking(t)
  await enrolWithServerKey(second.hub, second.request)
  await assert.rejects(enrol(second.hub, second.request), refuses('token-used'))
})

test('nothing is made anew after the token has expired', async (t) => {
  const { hub, request } = await asking(t)
  await enrolWithServerKey(hub, request)
  hub.clock.advance(2 * 86_400_000)
  await assert.rejects(enrolWithServerKey(hub, request), refuses('token-expired'))
})

test('key and signature of the request are not looked at, its names are', async (t) => {
  const { hub, request } = await asking(t)
  const broken = Buffer.from(request.certificateRequest)
  broken.writeUInt8(broken.readUInt8(broken.length - 1) ^ 1, broken.length - 1)
  await enrolWithServerKey(hub, { ...request, certificateRequest: broken })
  const { certificateRequest } = deviceRequest('pump-8')
  await assert.rejects(enrolWithServerKey(hub, { ...request, certificateRequest }), refuses('csr-asks-too-much'))
})

test('neither the database nor the log holds anything of the key', async (t) => {
  const { hub, request } = await asking(t)
  const { serverKey } = await enrolWithServerKey(hub, request)
  const { d = '' } = serverKey.privateKey.export({ format: 'jwk' })
  const scalar = Buffer.from(d, 'base64url')
  await hub.store.close()
  for (const file of [hub.databasePath, `${hub.databasePath}-wal`]) {
    const bytes = readIfThere(file)
    assert.equal(bytes.includes(scalar), false, file)
    assert.equal(bytes.includes(scalar.toString('hex')) || bytes.includes(scalar.toString('base64')), false, file)
  }
  assert.ok(!JSON.stringify(hub.log.lines).includes(d))
})

test('each kind of key is made as the profile names it first', async () => {
  const kinds = { 'P-256': 'ec', 'P-384': 'ec', 'RSA-3072': 'rsa', RSA: 'rsa', Ed25519: 'ed25519' } as const
  for (const [name, type] of Object.entries(kinds)) {
    const { privateKey } = await makeServerKey({ keyTypes: [name as keyof typeof kinds, 'P-384'] })
    assert.equal(privateKey.asymmetricKeyType, type)
    const { namedCurve, modulusLength } = privateKey.asymmetricKeyDetails ?? {}
    if (name === 'P-384') assert.equal(namedCurve, 'secp384r1')
    if (name.startsWith('RSA')) assert.equal(modulusLength, name === 'RSA-3072' ? 3_072 : 2_048)
  }
})

test('a request with another key keeps what it says and proves that key', async () => {
  const asked = [subjectKeyIdentifier(keyIdentifier(parseCertificateRequest(makeRequest()).publicKey))]
  const original = parseCertificateRequest(
    makeRequest({
      subject: buildName('pump-7'),
      extensions: asked,
      attributes: [attribute(oids.challengePassword, derUtf8String('bound'))],
    }),
  )
  for (const type of ['P-256', 'P-384', 'RSA', 'Ed25519'] as const) {
    const { privateKey, publicKey } = await makeServerKey({ keyTypes: [type] })
    const replaced = parseCertificateRequest(requestWithKey(original, publicKey, privateKey))
    verifyCertificateRequest(replaced)
    assert.deepEqual(replaced.subject.der, original.subject.der)
    assert.deepEqual(replaced.requestedExtensions, original.requestedExtensions)
    assert.equal(replaced.challengePassword, 'bound')
    assert.deepEqual(replaced.publicKey, new Uint8Array(publicKey))
    assert.ok(createPrivateKey(privateKey.export({ type: 'pkcs8', format: 'pem' })))
  }
})

function readIfThere(path: string): Buffer {
  try {
    return readFileSync(path)
  } catch {
    return Buffer.alloc(0)
  }
}
