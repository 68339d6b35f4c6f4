/** Connections, requests and stores with a key in a token, against servers of whom some are not what they say. */
import assert from 'node:assert/strict'
import { X509Certificate } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { HubError } from '../../src/core/errors.ts'
import type { FailureName } from '../../src/core/failure/catalogue.ts'
import { parseIdentityId } from '../../src/core/identity/id.ts'
import { parseCertificateRequest, verifyCertificateRequest } from '../../src/core/x509/certificate-request.ts'
import { certificateRequestBy } from '../../src/device/certificate-request.ts'
import { checkPlace, type KeyPlace, readKeyReference } from '../../src/device/key-elsewhere/reference.ts'
import { referTo } from '../../src/device/key-elsewhere/use-key.ts'
import { openCredentialStore } from '../../src/device/store/open.ts'
import { exchange, openTls } from '../../src/device/tls-exchange.ts'
import { needsToken, softToken } from '../support/soft-token.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'
import { EstServer, OpensslAuthority } from './est-authority.ts'

const id = parseIdentityId('pump-7')

function assertCode(code: FailureName) {
  return (error: unknown): boolean => {
    assert.ok(error instanceof HubError, String(error))
    assert.equal(error.code, code, error.message)
    return true
  }
}

test('a place that is none, or holds a PIN, is refused by name', () => {
  const place = (uri: string, name = 'pkcs11', module: string | null = null): KeyPlace => ({
    openssl: { uri, through: 'engine', name, module },
    signer: null,
  })
  for (const each of [
    place('pkcs11:token=a?pin-value=1234'),
    place('pkcs11:token=a?PIN-VALUE=1234'),
    place('/etc/key.pem'),
    place('pkcs11:token=a b'),
    place(`pkcs11:${'x'.repeat(1_024)}`),
    place('pkcs11:token=a', '../engine'),
    place('pkcs11:token=a', 'pkcs11', 'softhsm2.so'),
    { openssl: null, signer: 'sign' },
  ]) {
    assert.throws(() => checkPlace(each), assertCode('key-reference-invalid'))
  }
  assert.equal(readKeyReference('{'), null)
  assert.equal(readKeyReference('{"publicKey":"AAAA"}'), null)
})

test('a key in a token', needsToken(), async (t) => {
  const folder = temporaryFolder(t)
  const authority = new OpensslAuthority()
  t.after(() => authority.remove())
  const token = softToken(join(folder, 'token'), 'EC:prime256v1')
  Object.assign(process.env, token.env, { TMPDIR: join(folder, 'tmp') })
  mkdirSync(join(folder, 'tmp'))
  const openssl = { uri: token.uri, through: 'engine', name: 'pkcs11', module: token.modulePath } as const
  const reference = await referTo({ openssl, signer: null })
  const request = await certificateRequestBy(id, reference)
  const chain = authority.sign(Buffer.from(request)) + authority.read('issuing.pem')
  const identity = { key: reference, chain }
  const root = authority.read('root.pem')
  const leftInTemporary = (): readonly string[] => readdirSync(join(folder, 'tmp'))

  await t.test('signs a request that proves that it is there', () => {
    const read = parseCertificateRequest(request)
    verifyCertificateRequest(read)
    assert.deepEqual(Buffer.from(read.publicKey), Buffer.from(reference.publicKey))
  })

  await t.test('shows its certificate, and the bytes go through as they are', async () => {
    const server = await EstServer.start(authority.endEntity('localhost', 'DNS:localhost'), (_, response) =>
      response.end('Q\nR\nK\n'),
    )
    const address = { host: 'localhost', port: server.port }
    const socket = await openTls(address, { root, identity })
    const body = 'Q\nR\nK\nk\n'
    const answer = await exchange(socket, address, { method: 'POST', path: '/', body })
    server.stop()
    assert.deepEqual([answer.status, answer.body.toString()], [200, 'Q\nR\nK\n'])
    assert.equal(server.requests[0]?.body, body)
    assert.deepEqual(server.requests[0]?.certificate, new X509Certificate(chain).raw)
  })

  for (const [what, host, server, believed] of [
    ['has another name', 'localhost', authority.endEntity('other', 'DNS:other.example'), root],
    ['has another address', '127.0.0.1', authority.endEntity('address', 'IP:127.0.0.9'), root],
    ['stands for itself', 'localhost', authority.selfSigned('localhost-self'), root],
    [
      'is of another root',
      'localhost',
      authority.endEntity('named', 'DNS:localhost'),
      authority.selfSigned('another').certificate,
    ],
  ] as const) {
    await t.test(`a server that ${what} is told nothing`, async () => {
      const listening = await EstServer.start(server, (_, response) => response.end())
      const opened = openTls({ host, port: listening.port }, { root: believed, identity })
      await assert.rejects(opened, assertCode('enrolment-tls-untrusted'))
      listening.stop()
      assert.equal(listening.received, '')
    })
  }

  await t.test('nobody who listens is another failure', async () => {
    const server = await EstServer.start(authority.endEntity('gone', 'DNS:localhost'), () => {})
    server.stop()
    const opened = openTls({ host: 'localhost', port: server.port }, { root, identity })
    await assert.rejects(opened, assertCode('hub-unreachable'))
  })

  await t.test('a key that is not in the token is named', async () => {
    const elsewhere = { ...openssl, uri: openssl.uri.replace('device-key', 'none') }
    await assert.rejects(referTo({ openssl: elsewhere, signer: null }), assertCode('key-program-failed'))
    const key = { ...reference, place: { openssl: elsewhere, signer: null } }
    const opened = openTls({ host: 'localhost', port: 1 }, { root, identity: { key, chain } })
    await assert.rejects(opened, assertCode('key-program-failed'))
  })

  await t.test('nothing is left in the folder for temporary files', () => assert.deepEqual(leftInTemporary(), []))

  await t.test('a store keeps a reference to it', () => {
    const path = join(folder, 'store')
    const store = openCredentialStore(path)
    const certificates = [new X509Certificate(chain), new X509Certificate(authority.read('issuing.pem'))]
    const credential = { chain: certificates, roots: [new X509Certificate(root)], hub: null }
    store.install({ ...credential, keyReference: reference })
    const again = openCredentialStore(path)
    assert.deepEqual(again.deviceIdentity()?.key, reference)
    assert.ok(again.current()?.certificate.raw.equals(certificates[0]?.raw ?? Buffer.of()))
    assert.throws(() => again.tlsIdentity(), assertCode('key-elsewhere'))
    assert.equal(existsSync(again.files.key), false)

    const other = new X509Certificate(authority.endEntity('stranger', 'DNS:stranger').certificate)
    const mismatched = { ...credential, chain: [other], keyReference: reference }
    assert.throws(() => store.prepareNext(mismatched), assertCode('key-certificate-mismatch'))

    const file = join(path, 'current', 'key_reference.json')
    writeFileSync(file, readFileSync(file, 'utf8').replace('pin-source=file', 'pin-value=1&x'))
    assert.throws(() => again.deviceIdentity(), assertCode('key-reference-invalid'))
    writeFileSync(file, '{')
    assert.equal(again.current(), null, 'a pair of which one half is unreadable is none')
  })
})
