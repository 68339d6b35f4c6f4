/** Applications without a line about certificates, started as their owners start them. */
// needs: openssl
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createSecureServer } from 'node:http2'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { after, type TestContext, test } from 'node:test'
import type { TLSSocket } from 'node:tls'
import { WebSocketServer } from 'ws'
import { type Finished, run } from '../../support/run.ts'
import { temporaryFolder } from '../../support/temporary-folder.ts'
import { startAskingServer } from '../asking-server.ts'
import { OpensslAuthority } from '../est-authority.ts'
import { putCredential } from '../held-credential.ts'

const preload = join(import.meta.dirname, '../../../src/device/attach/preload.ts')
const authority = new OpensslAuthority()
after(() => authority.remove())
const server = authority.endEntity('localhost', 'DNS:localhost')

function start(env: Readonly<Record<string, string>>, ...args: readonly string[]): Promise<Finished> {
  return run(process.execPath, ['--import', preload, ...args], { env })
}

/** Says over HTTP/1.1, HTTP/2 and WebSocket what certificate it was shown. */
async function startWebServer(t: TestContext): Promise<number> {
  const web = createSecureServer({
    allowHTTP1: true,
    key: server.key,
    cert: server.certificate,
    requestCert: true,
    rejectUnauthorized: false,
  })
  const shown = (socket: unknown): string =>
    `shown:${(socket as TLSSocket).getPeerX509Certificate()?.fingerprint256.replaceAll(':', '').toLowerCase() ?? 'none'}`
  web.on('request', (request, response) => {
    response.end(shown(request.httpVersion === '2.0' ? request.stream.session?.socket : request.socket))
  })
  const sockets = new WebSocketServer({ noServer: true })
  web.on('upgrade', (request, socket, head) => {
    sockets.handleUpgrade(request, socket, head, (opened) => opened.send(shown(request.socket)))
  })
  web.listen(0, '127.0.0.1')
  await once(web, 'listening')
  t.after(() => web.close())
  return (web.address() as AddressInfo).port
}

const connack = Buffer.of(0x20, 2, 0, 0)

test('every way out of Node shows the certificate, in worker threads too', async (t) => {
  const directory = join(temporaryFolder(t), 'device')
  const fingerprint = putCredential(authority, directory, 'pump-7')
  const webPort = await startWebServer(t)
  const broker = await startAskingServer(t, server, {}, (socket) => socket.once('data', () => socket.write(connack)))
  const application = join(import.meta.dirname, 'applications/every-way.mjs')
  const { status, stdout, stderr } = await start(
    { HANDFAST_DEVICE_DIR: directory },
    application,
    String(webPort),
    String(broker.port),
  )
  assert.equal(status, 0, stderr)
  const { 'MQTT.js': mqtt, ...saw } = JSON.parse(stdout) as Record<string, string>
  assert.equal(Object.keys(saw).length, 10)
  assert.deepEqual(
    Object.entries(saw).filter(([, what]) => what !== `shown:${fingerprint}`),
    [],
  )
  assert.equal(mqtt, 'see the server')
  assert.deepEqual(broker.shown, [fingerprint])
})

test('without a folder the application does not start, and the way out is said', async () => {
  const { status, stdout, stderr } = await start({ HANDFAST_DEVICE_DIR: '' }, '-e', 'console.log("started")')
  assert.deepEqual([status, stdout], [2, ''])
  assert.match(stderr, /^error: HANDFAST_DEVICE_DIR is not set\n {2}code: HF-7601 attachment-misconfigured\n {2}hint: /)
})

test('hosts that cannot be read stop the application', async () => {
  const env = { HANDFAST_DEVICE_DIR: '/nowhere', HANDFAST_ATTACH_HOSTS: 'https://hub.example' }
  const { status, stderr } = await start(env, '-e', '0')
  assert.equal(status, 2)
  assert.match(stderr, /"https:\/\/hub\.example" is no host/)
})

test('a device that is not enrolled yet starts with a warning', async (t) => {
  const directory = join(temporaryFolder(t), 'device')
  const { status, stdout, stderr } = await start({ HANDFAST_DEVICE_DIR: directory }, '-e', 'console.log("started")')
  assert.deepEqual([status, stdout], [0, 'started\n'])
  assert.match(stderr, /\[HF-9207\] HandfastWarning: there is no folder in .*; no certificate is shown/)
})

test('loaded twice it attaches once', async (t) => {
  const directory = join(temporaryFolder(t), 'device')
  const env = { HANDFAST_DEVICE_DIR: directory, NODE_OPTIONS: `--import ${preload}` }
  const { stderr } = await start(env, '-e', '0')
  assert.equal(stderr.match(/HandfastWarning/g)?.length, 1)
})
