/** An application that goes out of Node in every way that there is, and servers that say what they were shown. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createSecureServer } from 'node:http2'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import type { TLSSocket } from 'node:tls'
import { WebSocketServer } from 'ws'
import type { Finished } from '../../support/run.ts'
import { temporaryFolder } from '../../support/temporary-folder.ts'
import { startAskingServer } from '../asking-server.ts'
import type { KeyAndCertificate, OpensslAuthority } from '../est-authority.ts'
import { putCredential } from '../held-credential.ts'

/** It needs the packages mqtt and ws beside it. */
export const everyWay: string = join(import.meta.dirname, 'applications/every-way.mjs')

const connack = Buffer.of(0x20, 2, 0, 0)

/**
 * Fails unless every connection of the application shows the certificate of a device.
 *
 * @param start starts it with the attachment, with these variables and arguments
 */
export async function assertEveryWayShows(
  t: TestContext,
  authority: OpensslAuthority,
  start: (env: Readonly<Record<string, string>>, args: readonly string[]) => Promise<Finished>,
): Promise<void> {
  const server = authority.endEntity('localhost', 'DNS:localhost')
  const directory = join(temporaryFolder(t), 'device')
  const fingerprint = putCredential(authority, directory, 'pump-7')
  const webPort = await startWebServer(t, server)
  const broker = await startAskingServer(t, server, {}, (socket) => socket.once('data', () => socket.write(connack)))
  const { status, stdout, stderr } = await start({ HANDFAST_DEVICE_DIR: directory }, [`${webPort}`, `${broker.port}`])
  assert.equal(status, 0, stderr)
  const { 'MQTT.js': mqtt, ...saw } = JSON.parse(stdout) as Record<string, string>
  assert.equal(Object.keys(saw).length, 10)
  assert.deepEqual(
    Object.entries(saw).filter(([, what]) => what !== `shown:${fingerprint}`),
    [],
  )
  assert.equal(mqtt, 'see the server')
  assert.deepEqual(broker.shown, [fingerprint])
}

/** Says over HTTP/1.1, HTTP/2 and WebSocket what certificate it was shown. */
async function startWebServer(t: TestContext, server: KeyAndCertificate): Promise<number> {
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
