// needs: openssl
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { createPublicKey } from 'node:crypto'
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, afterEach, beforeEach, describe, test } from 'node:test'
import { HubError } from '../../src/core/errors.ts'
import type { FailureName } from '../../src/core/failure/catalogue.ts'
import type { Bootstrap } from '../../src/core/identity/bootstrap.ts'
import { parseIdentityId } from '../../src/core/identity/id.ts'
import { keyWords } from '../../src/core/identity/key-words.ts'
import { Secret } from '../../src/core/secret.ts'
import { parseCertificateRequest } from '../../src/core/x509/certificate-request.ts'
import { publicKeyHash } from '../../src/core/x509/public-key.ts'
import { type EnrolResult, enrol } from '../../src/device/enrol.ts'
import {
  bootstrapFor,
  type EstHandler,
  EstServer,
  honest,
  type KeyAndCertificate,
  OpensslAuthority,
  sendCertificates,
  testToken,
} from './est-authority.ts'

const authority = new OpensslAuthority()
const hubTls = authority.endEntity('hub', 'IP:127.0.0.1,DNS:localhost')
after(() => authority.remove())

describe('enrolment on a device', () => {
  let directory = ''
  let server: EstServer | null = null

  beforeEach(() => {
    directory = join(mkdtempSync(join(tmpdir(), 'handfast-device-')), 'pump-7')
  })
  afterEach(() => {
    server?.stop()
    server = null
    rmSync(join(directory, '..'), { recursive: true, force: true })
  })

  async function serve(handler: EstHandler = honest(authority), tls: KeyAndCertificate = hubTls): Promise<EstServer> {
    server?.stop()
    server = await EstServer.start(tls, handler)
    return server
  }

  function enrolAt(hub: EstServer, change: Partial<Bootstrap> = {}, force = false): Promise<EnrolResult> {
    return enrol({ bootstrap: bootstrapFor(authority, hub.port, change), directory, force })
  }

  async function refused(work: Promise<unknown>): Promise<HubError> {
    const error = await work.then(
      () => assert.fail('it was not refused'),
      (reason: unknown) => reason,
    )
    assert.ok(error instanceof HubError, String(error))
    return error
  }

  async function assertRefused(work: Promise<unknown>, code: FailureName): Promise<HubError> {
    const error = await refused(work)
    assert.equal(error.code, code, error.message)
    return error
  }

  test('leaves key, chain and root in the folder, with modes that keep others out', async () => {
    const result = await enrolAt(await serve())

    assert.equal(result.outcome, 'enrolled')
    assert.deepEqual(readdirSync(directory).sort(), [
      'ca.pem',
      'client_cert.pem',
      'current',
      'private_key.pem',
      'slots',
    ])
    assert.equal(statSync(directory).mode & 0o777, 0o700)
    assert.equal(statSync(result.files.key).mode & 0o777, 0o600)
    assert.equal(readFileSync(result.files.ca, 'utf8'), authority.read('root.pem'))
    const chain = readFileSync(result.files.certificate, 'utf8')
    assert.equal(chain, authority.read('device.pem') + authority.read('issuing.pem'), 'leaf first, then its issuer')
    const verified = execFileSync(
      'openssl',
      [
        'verify',
        '-x509_strict',
        '-CAfile',
        result.files.ca,
        '-untrusted',
        result.files.certificate,
        result.files.certificate,
      ],
      { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] },
    ).trim()
    assert.equal(verified, `${result.files.certificate}: OK`)
  })

  test('asks with CN = id and a P-256 key, the token as the password of the id', async () => {
    const hub = await serve()
    await enrolAt(hub)

    const [, request] = hub.requests
    assert.equal(request?.path, '/.well-known/est/simpleenroll')
    const basic = Buffer.from(request?.authorization.replace(/^Basic /, '') ?? '', 'base64').toString()
    assert.equal(basic, `pump-7:${testToken}`)
    const text = execFileSync('openssl', ['req', '-inform', 'DER', '-noout', '-text'], {
      input: Buffer.from(request?.body ?? '', 'base64'),
      encoding: 'utf8',
    })
    assert.match(text, /Subject: CN = pump-7\n/)
    assert.match(text, /ASN1 OID: prime256v1/)
  })

  test('makes a key of the kind that is asked for, also in place of one that the hub did not take', async () => {
    const picky = await serve((request, response) => {
      if (request.path.endsWith('cacerts')) honest(authority)(request, response)
      else problem(response, 400, { code: 'csr-key-unacceptable', detail: 'no ECDSA', hint: 'RSA' })
    })
    await assertRefused(enrolAt(picky), 'csr-key-unacceptable')
    const bootstrap = bootstrapFor(authority, (await serve()).port)
    const { files } = await enrol({ bootstrap, directory, key: { kind: 'new', keyKind: 'RSA-2048' } })
    const { asymmetricKeyType, asymmetricKeyDetails } = createPublicKey(readFileSync(files.certificate))
    assert.deepEqual([asymmetricKeyType, asymmetricKeyDetails?.modulusLength], ['rsa', 2048])
  })

  test('a hub with another root is refused before anything is asked of it', async () => {
    const hub = await serve()
    await assertRefused(enrolAt(hub, { rootFingerprint: 'a'.repeat(64) }), 'enrolment-root-mismatch')
    assert.deepEqual(
      hub.requests.map(({ path }) => path),
      ['/.well-known/est/cacerts'],
    )
  })

  test('a relay that shows the genuine root but cannot prove it never sees the token', async () => {
    const relay = await serve(honest(authority), authority.selfSigned('relay'))
    await assertRefused(enrolAt(relay), 'enrolment-tls-untrusted')
    assertNothingSecret(relay)
  })

  test('a device of the same authority cannot pose as the hub, its certificate is for clients', async () => {
    const thief = await serve(honest(authority), authority.endEntity('thief', 'IP:127.0.0.1', 'clientAuth'))
    await assertRefused(enrolAt(thief), 'enrolment-tls-untrusted')
    assertNothingSecret(thief)
  })

  test('a server of the same authority under another name is not the hub', async () => {
    const other = await serve(honest(authority), authority.endEntity('other', 'DNS:other.example,IP:127.0.0.2'))
    const byAddress = await assertRefused(enrolAt(other), 'enrolment-tls-untrusted')
    assert.match(byAddress.message, /not for "127\.0\.0\.1"/)
    const byName = await assertRefused(enrolAt(other, { host: 'localhost' }), 'enrolment-tls-untrusted')
    assert.match(byName.message, /not for "localhost"/)
    assertNothingSecret(other)
  })

  function assertNothingSecret(relay: EstServer): void {
    assert.match(relay.received, /^GET \/\.well-known\/est\/cacerts /, 'the relay was asked for its root')
    assert.doesNotMatch(relay.received, /authorization/i)
    assert.ok(!relay.received.includes(testToken))
    assert.ok(!relay.received.includes(Buffer.from(`pump-7:${testToken}`).toString('base64')))
    assert.ok(!relay.received.includes('simpleenroll'))
  }

  test('after a lost answer the same command goes on with the same key', async () => {
    const cutting = await serve((request, response) => {
      if (request.path.endsWith('cacerts')) honest(authority)(request, response)
      else response.destroy()
    })
    await assertRefused(enrolAt(cutting), 'hub-unreachable')
    assert.deepEqual(readdirSync(directory), ['private_key.pump-7.new'], 'the key was on disk before it was used')

    const hub = await serve()
    const result = await enrolAt(hub)

    assert.equal(hub.requests[1]?.body !== undefined, true)
    assert.equal(
      publicKeyIn(hub.requests[1]?.body),
      publicKeyIn(cutting.requests[1]?.body),
      'the hub can give the same answer only for the same key',
    )
    assert.deepEqual(readdirSync(directory).sort(), [
      'ca.pem',
      'client_cert.pem',
      'current',
      'private_key.pem',
      'slots',
    ])
    assert.equal(result.outcome, 'enrolled')
  })

  test('the same command again changes nothing and asks nothing', async () => {
    const first = await enrolAt(await serve())
    const key = readFileSync(first.files.key, 'utf8')
    const hub = await serve()

    const second = await enrolAt(hub)

    assert.equal(second.outcome, 'kept')
    assert.equal(second.fingerprint, first.fingerprint)
    assert.deepEqual(hub.requests, [])
    assert.equal(readFileSync(first.files.key, 'utf8'), key)
  })

  test('another string for the same device at the same hub enrols it again, without being forced', async () => {
    const newToken = new Secret(`fedcba9876543210.${'t'.repeat(43)}`)
    const first = await enrolAt(await serve())
    const second = await enrolAt(await serve(), { token: newToken })
    assert.notEqual(second.fingerprint, first.fingerprint)
  })

  test('the credential of another device is not overwritten, unless that is asked for', async () => {
    const newToken = new Secret(`fedcba9876543210.${'t'.repeat(43)}`)
    const first = await enrolAt(await serve())
    const hub = await serve()

    const other = { token: newToken, id: parseIdentityId('pump-8') }
    await assertRefused(enrolAt(hub, other), 'credential-exists')
    assert.deepEqual(hub.requests, [])
    const second = await enrolAt(hub, other, true)

    assert.notEqual(second.fingerprint, first.fingerprint)
    assert.equal((await enrolAt(hub, other)).outcome, 'kept')
  })

  test('a forced enrolment that fails leaves the pair that works as it was', async () => {
    const first = await enrolAt(await serve())
    const before = [first.files.key, first.files.certificate, first.files.ca].map((file) => readFileSync(file, 'utf8'))
    const refusing = await serve((request, response) => {
      if (request.path.endsWith('cacerts')) honest(authority)(request, response)
      else problem(response, 401, { code: 'token-used', detail: 'the token was used', hint: 'make a new one' })
    })

    await assertRefused(enrolAt(refusing, {}, true), 'token-used')

    const now = [first.files.key, first.files.certificate, first.files.ca].map((file) => readFileSync(file, 'utf8'))
    assert.deepEqual(now, before)
  })

  test('what the hub says about a refusal reaches the person, code and hint', async () => {
    const hub = await serve((request, response) => {
      if (request.path.endsWith('cacerts')) honest(authority)(request, response)
      else problem(response, 401, { code: 'token-expired', detail: 'it expired\u001b[2J', hint: 'make a new one' })
    })
    const error = await assertRefused(enrolAt(hub), 'token-expired')
    assert.equal(error.message, 'it expired [2J', 'without the control characters that came with it')
    assert.equal(error.hint, 'make a new one')
  })

  test('a hub that has not decided is not an error of the device, and says when to ask again', async () => {
    const hub = await serve((request, response) => {
      if (request.path.endsWith('cacerts')) return honest(authority)(request, response)
      response.writeHead(202, { 'Retry-After': '60' }).end()
    })
    const error = await assertRefused(enrolAt(hub), 'enrolment-waits')
    assert.match(error.hint, /in 60 s/)
  })

  test('a device whose key waits shows its words once and asks with the same key until there is an answer', async () => {
    const bodies: string[] = []
    const hub = await serve((request, response) => {
      if (request.path.endsWith('cacerts')) return honest(authority)(request, response)
      bodies.push(request.body)
      if (bodies.length > 3) return honest(authority)(request, response)
      response.writeHead(202, { 'Retry-After': bodies.length === 3 ? '999999' : '1' }).end()
    })
    const waitedMs: number[] = []
    const words: string[] = []
    const { outcome } = await enrol({
      bootstrap: bootstrapFor(authority, hub.port),
      directory,
      wait: async (ms) => void waitedMs.push(ms),
      onProgress: ({ kind, text }) => void (kind === 'words' && words.push(text)),
    })
    assert.equal(outcome, 'enrolled')
    // Between what is polite and what is bearable, whatever the hub says.
    assert.deepEqual(waitedMs, [5_000, 5_000, 3_600_000])
    const spki = createPublicKey(readFileSync(join(directory, 'client_cert.pem'))).export({
      type: 'spki',
      format: 'der',
    })
    assert.deepEqual(words, [keyWords(publicKeyHash(spki))])
    const keys = bodies.map((body) => parseCertificateRequest(Buffer.from(body, 'base64')).publicKey)
    assert.equal(new Set(keys.map((key) => Buffer.from(key).toString('hex'))).size, 1)
  })

  test('a certificate for another key, another id or from another authority is not put in place', async () => {
    const foreign = new OpensslAuthority()
    const answers: readonly ((body: string) => string)[] = [
      () => authority.certsOnly('hub.pem'),
      (body) => {
        authority.sign(Buffer.from(body, 'base64'), '/CN=pump-8')
        return authority.certsOnly('device.pem')
      },
      (body) => {
        foreign.sign(Buffer.from(body, 'base64'))
        return foreign.certsOnly('device.pem', 'issuing.pem')
      },
    ]
    for (const answer of answers) {
      const hub = await serve((request, response) => {
        if (request.path.endsWith('cacerts')) honest(authority)(request, response)
        else sendCertificates(response, answer(request.body))
      })
      await assertRefused(enrolAt(hub), 'hub-answer-unexpected')
      assert.deepEqual(readdirSync(directory), ['private_key.pump-7.new'])
    }
    foreign.remove()
  })

  test('an answer without end or without sense is given up', async () => {
    const senseless: readonly EstHandler[] = [
      (_request, response) => response.end('x'.repeat(100_000)),
      (_request, response) => response.setHeader('Content-Type', 'application/pkcs7-mime').end('A'.repeat(100_000)),
      (_request, response) => response.setHeader('Content-Type', 'application/pkcs7-mime').end('%%%'),
      (_request, response) => response.setHeader('Content-Type', 'application/pkcs7-mime').end('MAA='),
      (_request, response) => response.writeHead(502, { 'Content-Type': 'text/html' }).end('<h1>Bad Gateway</h1>'),
    ]
    for (const handler of senseless) await assertRefused(enrolAt(await serve(handler)), 'hub-answer-unexpected')
  })

  test('a hub that is not there is told apart from a name that is not there', async () => {
    const hub = await serve()
    hub.stop()
    const noHub = await assertRefused(enrolAt(hub), 'hub-unreachable')
    assert.match(noHub.message, /refused/)
    const noName = await assertRefused(enrolAt(hub, { host: 'hub.invalid' }), 'hub-unreachable')
    assert.match(noName.message, /name/)
  })

  test('warns when the clock of the device is behind the certificate, and goes on', async () => {
    const hub = await serve()
    const warnings: string[] = []
    await enrol({
      bootstrap: bootstrapFor(authority, hub.port),
      directory,
      nowMs: () => 0,
      onProgress: ({ kind, text }) => kind === 'warning' && warnings.push(text),
    })
    assert.equal(warnings.length, 1)
    assert.match(warnings[0] ?? '', /1970-01-01/)
  })
})

function publicKeyIn(base64Request: string | undefined): string {
  const pem = execFileSync('openssl', ['req', '-inform', 'DER', '-noout', '-pubkey'], {
    input: Buffer.from(base64Request ?? '', 'base64'),
    encoding: 'utf8',
  })
  return createPublicKey(pem).export({ type: 'spki', format: 'der' }).toString('hex')
}

function problem(
  response: { writeHead(status: number, headers: Record<string, string>): { end(body: string): unknown } },
  status: number,
  fields: Readonly<Record<string, string>>,
): void {
  response.writeHead(status, { 'Content-Type': 'application/problem+json' }).end(JSON.stringify({ status, ...fields }))
}
