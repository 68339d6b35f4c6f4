// needs: openssl
import assert from 'node:assert/strict'
import { X509Certificate } from 'node:crypto'
import { once } from 'node:events'
import { chmodSync } from 'node:fs'
import { join } from 'node:path'
import { after, type TestContext, test } from 'node:test'
import tls, { type ConnectionOptions, type TLSSocket } from 'node:tls'
import { inspect } from 'node:util'
import type { HubError } from '../../../src/core/errors.ts'
import { attachedConnect } from '../../../src/device/attach/attach.ts'
import { parseHosts } from '../../../src/device/attach/hosts.ts'
import { credentialSource } from '../../../src/device/credential-source.ts'
import { openCredentialStore } from '../../../src/device/store/open.ts'
import { temporaryFolder } from '../../support/temporary-folder.ts'
import { startAskingServer } from '../asking-server.ts'
import { OpensslAuthority } from '../est-authority.ts'
import { putCredential } from '../held-credential.ts'

const authority = new OpensslAuthority()
const stranger = new OpensslAuthority()
after(() => {
  authority.remove()
  stranger.remove()
})
const san = 'DNS:localhost,DNS:other.example,IP:127.0.0.1'
const ofHub = authority.endEntity('hub', san)
const ofStranger = stranger.endEntity('hub', san)

/** An application on a device whose credential is in a folder. */
function application(t: TestContext, hosts: string | null = null) {
  const directory = join(temporaryFolder(t), 'device')
  const warnings: HubError[] = []
  const connect = attachedConnect(tls.connect, {
    source: credentialSource(directory),
    hosts: hosts === null ? null : parseHosts(hosts),
    warn: (problem) => warnings.push(problem),
  })
  const opened = async (options: ConnectionOptions): Promise<TLSSocket> => {
    const socket = connect({ host: '127.0.0.1', ...options })
    t.after(() => socket.destroy())
    await once(socket, 'secureConnect')
    return socket
  }
  return { directory, warnings, connect, opened }
}

/** To the hub by its name, whatever that resolves to here. */
const toHub = (port: number): ConnectionOptions => ({ port, servername: 'localhost' })

test('the hub is shown the certificate and verified with its roots', async (t) => {
  const server = await startAskingServer(t, ofHub)
  const { directory, opened, warnings } = application(t)
  const fingerprint = putCredential(authority, directory, 'pump-7')
  const socket = await opened(toHub(server.port))
  await server.saw(1)
  assert.deepEqual([socket.authorized, ...server.shown, ...warnings], [true, fingerprint])
})

test('a server that asks for none is shown none', async (t) => {
  const server = await startAskingServer(t, ofHub, { requestCert: false })
  const { directory, opened } = application(t)
  putCredential(authority, directory, 'pump-7')
  await opened(toHub(server.port))
  await server.saw(1)
  assert.deepEqual(server.shown, [null])
})

test('a renewed certificate is used by the next connection, and the one before stays open', async (t) => {
  const server = await startAskingServer(t, ofHub)
  const { directory, opened } = application(t)
  const first = putCredential(authority, directory, 'pump-7')
  const before = await opened(toHub(server.port))
  const second = putCredential(authority, directory, 'pump-7')
  await opened(toHub(server.port))
  await server.saw(2)
  assert.deepEqual(server.shown, [first, second])
  assert.equal(before.destroyed, false)
})

test('a session that was begun with the certificate before is not resumed; one of the present is', async (t) => {
  const server = await startAskingServer(t, ofHub, { maxVersion: 'TLSv1.2' })
  const { directory, connect, opened } = application(t)
  putCredential(authority, directory, 'pump-7')
  const socket = connect({ host: '127.0.0.1', ...toHub(server.port) })
  t.after(() => socket.destroy())
  const [own] = (await once(socket, 'session', { signal: t.signal })) as [Buffer]
  assert.equal((await opened({ ...toHub(server.port), session: own })).isSessionReused(), true)
  const unknown = Buffer.from(own)
  assert.equal((await opened({ ...toHub(server.port), session: unknown })).isSessionReused(), false)
  const renewed = putCredential(authority, directory, 'pump-7')
  assert.equal((await opened({ ...toHub(server.port), session: own })).isSessionReused(), false)
  assert.equal(server.shown.at(-1), renewed)
})

test('a session that was begun with the certificate is not resumed once the device has none', async (t) => {
  const server = await startAskingServer(t, ofHub, { maxVersion: 'TLSv1.2' })
  const { directory, connect, opened } = application(t)
  putCredential(authority, directory, 'pump-7')
  const socket = connect({ host: '127.0.0.1', ...toHub(server.port) })
  t.after(() => socket.destroy())
  const [session] = (await once(socket, 'session', { signal: t.signal })) as [Buffer]
  openCredentialStore(directory).clear()
  const later = { ...toHub(server.port), ca: authority.read('root.pem'), session }
  assert.equal((await opened(later)).isSessionReused(), false)
  await server.saw(2)
  assert.equal(server.shown.at(-1), null)
})

test('a host that is not named is left as it was', async (t) => {
  const server = await startAskingServer(t, ofHub)
  const { directory, opened, warnings } = application(t)
  putCredential(authority, directory, 'pump-7')
  await opened({ port: server.port, servername: 'other.example', ca: authority.read('root.pem') })
  await assert.rejects(opened({ port: server.port, servername: 'other.example' }), {
    code: 'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  })
  await server.saw(1)
  assert.deepEqual([...server.shown, ...warnings], [null])
})

test('hosts that are named take the place of the hub, and are verified with its roots or those of Node', async (t) => {
  const mine = await startAskingServer(t, ofHub)
  const publics = await startAskingServer(t, ofStranger)
  const defaults = tls.getCACertificates('default')
  tls.setDefaultCACertificates([...defaults, stranger.read('root.pem')])
  t.after(() => tls.setDefaultCACertificates(defaults))
  const { directory, opened } = application(t, `other.example, localhost:${publics.port}`)
  const fingerprint = putCredential(authority, directory, 'pump-7', { host: 'hub.example' })
  await opened({ port: mine.port, servername: 'other.example' })
  await opened({ port: publics.port, servername: 'other.example' })
  await opened({ port: publics.port, servername: 'localhost' })
  await Promise.all([mine.saw(1), publics.saw(2)])
  assert.deepEqual([...mine.shown, ...publics.shown], [fingerprint, fingerprint, fingerprint])
})

test('no authority of the public can speak for the hub', async (t) => {
  const server = await startAskingServer(t, ofStranger)
  const defaults = tls.getCACertificates('default')
  tls.setDefaultCACertificates([...defaults, stranger.read('root.pem')])
  t.after(() => tls.setDefaultCACertificates(defaults))
  const { directory, opened } = application(t)
  putCredential(authority, directory, 'pump-7')
  await assert.rejects(opened(toHub(server.port)), { code: 'UNABLE_TO_GET_ISSUER_CERT_LOCALLY' })
})

test('a server of the hub under another name than its own is not accepted', async (t) => {
  const server = await startAskingServer(t, authority.endEntity('elsewhere', 'DNS:elsewhere.example'))
  const { directory, opened } = application(t)
  putCredential(authority, directory, 'pump-7')
  await assert.rejects(opened(toHub(server.port)), { code: 'ERR_TLS_CERT_ALTNAME_INVALID' })
})

test('an application that brings a certificate or roots of its own is heard', async (t) => {
  const server = await startAskingServer(t, ofHub)
  const { directory, opened } = application(t)
  putCredential(authority, directory, 'pump-7')
  const { key, certificate } = authority.endEntity('own', 'DNS:own', 'clientAuth')
  await opened({ ...toHub(server.port), key, cert: certificate, ca: authority.read('root.pem') })
  await server.saw(1)
  assert.equal(server.shown[0], new X509Certificate(certificate).fingerprint256.replaceAll(':', '').toLowerCase())
  await assert.rejects(opened({ ...toHub(server.port), ca: stranger.read('root.pem') }))
})

test('an application that verifies nobody is given no certificate, and told so once', async (t) => {
  const server = await startAskingServer(t, ofStranger)
  const { directory, opened, warnings } = application(t)
  putCredential(authority, directory, 'pump-7')
  for (let times = 0; times < 2; times++) await opened({ ...toHub(server.port), rejectUnauthorized: false })
  await server.saw(2)
  assert.deepEqual(server.shown, [null, null])
  assert.deepEqual(
    warnings.map(({ code }) => code),
    ['attachment-unverified'],
  )
})

test('a folder that is filled later is used from then on; until then its absence is told once', async (t) => {
  const server = await startAskingServer(t, ofHub)
  const { directory, opened, warnings } = application(t, 'localhost')
  for (let times = 0; times < 2; times++) await assert.rejects(opened(toHub(server.port)))
  const fingerprint = putCredential(authority, directory, 'pump-7')
  await opened(toHub(server.port))
  await server.saw(1)
  assert.deepEqual(server.shown, [fingerprint])
  assert.deepEqual(
    warnings.map(({ code }) => code),
    ['credential-missing'],
  )
})

test('a key that others may read from some moment on is not used any more', async (t) => {
  const server = await startAskingServer(t, ofHub)
  const { directory, opened, warnings } = application(t)
  putCredential(authority, directory, 'pump-7')
  await opened(toHub(server.port))
  chmodSync(join(directory, 'private_key.pem'), 0o644)
  await assert.rejects(opened(toHub(server.port)))
  assert.deepEqual(
    warnings.map(({ code }) => code),
    ['store-unwritable'],
  )
})

test('where neither hosts are named nor a hub is known, nobody is shown anything', async (t) => {
  const server = await startAskingServer(t, ofHub)
  const { directory, opened, warnings } = application(t)
  putCredential(authority, directory, 'pump-7', null)
  await opened({ ...toHub(server.port), ca: authority.read('root.pem') })
  await server.saw(1)
  assert.deepEqual(server.shown, [null])
  assert.deepEqual(
    warnings.map(({ code }) => code),
    ['attachment-host-unknown'],
  )
})

test('what an application prints of a connection holds no key', async (t) => {
  const server = await startAskingServer(t, ofHub)
  const { directory, opened } = application(t)
  putCredential(authority, directory, 'pump-7')
  const own = toHub(server.port)
  const socket = await opened(own)
  const printed = inspect(socket, { depth: 10, showHidden: true }) + inspect(own)
  assert.match(printed, /servername: 'localhost'/)
  assert.doesNotMatch(printed, /PRIVATE KEY/)
})
