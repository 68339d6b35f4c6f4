/** The servers of docs/verify.md, run as they stand, and who comes to them. */
import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync, writeFileSync } from 'node:fs'
import { request } from 'node:https'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import type { TestContext } from 'node:test'
import mqtt from 'mqtt'
import type { BootstrapView } from '../../src/api-schema/views.ts'
import { encodePem } from '../../src/core/x509/pem.ts'
import { authority, crlOf, serialOf } from '../support/anchor-bed.ts'
import type { HubProcess } from '../support/hub-process.ts'
import type { OwnCertificate } from '../support/own-certificate.ts'
import { ownCertificate } from '../support/own-certificate.ts'
import { client } from '../verify/bed.ts'

interface Bed {
  readonly hub: HubProcess
  readonly project: string
}

interface Shown {
  readonly key: string
  readonly cert: string
}

interface Server {
  readonly port: number
  said(): string
}

export async function serversOfVerify(t: TestContext, { hub, project }: Bed): Promise<void> {
  const shop = join(project, 'shop')
  const { bootstrap } = await hub.json<BootstrapView>(['verify', 'add', 'shop', '--name', 'localhost'])
  await hub.json(['enrol', bootstrap, '--dir', shop])
  const press = shownFrom((await hub.enrolled('press-1', join(project, 'press-1'))).folder)
  const fan = shownFrom((await hub.enrolled('fan-1', join(project, 'fan-1'))).folder)
  const ca = readFileSync(hub.ca, 'utf8')

  const [web, broker] = await Promise.all(
    ['shop.mjs', 'broker.mjs'].map((name) => started(t, project, name, { SHOP_DIR: shop })),
  )
  assert.ok(web !== undefined && broker !== undefined)
  assert.deepEqual(await visited(web.port, ca, fan), [200, 'hello fan-1 of no group\n'])
  const general = 'not accepted by this hub; its operator can see why\n'
  assert.deepEqual(await visited(web.port, ca, null), [403, general])
  assert.deepEqual(await visited(web.port, ca, shownFrom(shop)), [403, general], 'a service is no device')

  const url = `mqtts://localhost:${broker.port}`
  const session = mqtt.connect(url, { ca, ...press, clientId: 'press-1', protocolVersion: 4, reconnectPeriod: 0 })
  await event(session, 'connect')
  await session.subscribeAsync('devices/press-1/#')
  await assert.rejects(session.subscribeAsync('devices/fan-1/#'), ({ packet }) => packet.granted[0] === 128)
  const heard = event(session, 'message')
  await session.publishAsync('devices/press-1/messages', 'hello')
  assert.equal(await heard, 'devices/press-1/messages')

  assert.equal((await visited(web.port, ca, press))[0], 200)
  const closed = event(session, 'close')
  await hub.json(['revoke', 'press-1', '--reason', 'keyCompromise'])
  await closed
  assert.deepEqual(await visited(web.port, ca, press), [403, 'revoked\n'])
  assert.match(
    web.said(),
    /certificate-revoked: the certificate [0-9a-f]+ of press-1 was revoked at .*\(keyCompromise\)/,
  )
  assert.deepEqual((await visited(web.port, ca, fan))[0], 200)

  await byAuthorities(t, project)
}

/** The example without a hub: an authority of somebody else, and its CRL. */
async function byAuthorities(t: TestContext, project: string): Promise<void> {
  const [acme, server] = [authority('acme issuing'), ownCertificate('server')]
  const nowSec = Math.floor(Date.now() / 1000)
  const [good, bad] = ['pump-7', 'pump-8'].map((name) => {
    return client(name, acme, { fromSec: nowSec - 3_600, untilSec: nowSec + 86_400 })
  })
  assert.ok(good !== undefined && bad !== undefined)
  const page = readFileSync(join(import.meta.dirname, '../../docs/verify.md'), 'utf8')
  const policy = /^ {4}# policy\.yaml\n((?: {4}.*\n)+)/m.exec(page)?.[1]?.replaceAll(/^ {4}/gm, '') ?? ''
  const files: Readonly<Record<string, string | Uint8Array>> = {
    ...{ 'acme.pem': acme.pem, 'policy.yaml': policy, 'server.pem': server.pem, 'server.key': keyOf(server) },
    'acme.crl': encodePem('X509 CRL', crlOf(acme, [serialOf(bad)], { thisUpdateSec: nowSec - 60 })),
  }
  for (const [name, content] of Object.entries(files)) writeFileSync(join(project, name), content)
  const service = await started(t, project, 'service.mjs', {})
  const visits = [good, bad].map(async (each) => visited(service.port, null, { cert: each.pem, key: keyOf(each) }))
  assert.deepEqual(await Promise.all(visits), [
    [200, 'hello pump-7\n'],
    [403, 'revoked\n'],
  ])
}

function keyOf({ privateKey }: OwnCertificate): string {
  return privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()
}

function shownFrom(folder: string): Shown {
  const read = (name: string): string => readFileSync(join(folder, name), 'utf8')
  return { key: read('private_key.pem'), cert: read('client_cert.pem') }
}

/** Runs an example until it says its port; it ends with the test. */
async function started(
  t: TestContext,
  cwd: string,
  name: string,
  env: Readonly<Record<string, string>>,
): Promise<Server> {
  const child: ChildProcess = spawn(process.execPath, [name], { cwd, env: { ...process.env, ...env, PORT: '0' } })
  t.after(() => child.kill('SIGKILL'))
  let said = ''
  child.stderr?.on('data', (text: Buffer) => {
    said += text.toString('utf8')
  })
  const lines = createInterface({ input: child.stdout ?? process.stdin })
  const line = await Promise.race([
    once(lines, 'line').then(([first]) => String(first)),
    once(child, 'exit').then(() => Promise.reject(new Error(`${name} ended: ${said}`))),
  ])
  return { port: Number(/^port (\d+)$/.exec(line)?.[1]), said: () => said }
}

/** The first thing that an event tells. */
function event(session: mqtt.MqttClient, name: 'connect' | 'message' | 'close'): Promise<unknown> {
  return new Promise((resolve, reject) => {
    session.once(name, (first?: unknown) => resolve(first))
    session.once('error', reject)
  })
}

function visited(port: number, ca: string | null, shown: Shown | null): Promise<readonly [number, string]> {
  return new Promise((resolve, reject) => {
    const trust = ca === null ? { rejectUnauthorized: false } : { ca }
    const asked = request({ host: 'localhost', port, agent: false, ...trust, ...shown }, (answer) => {
      let body = ''
      answer.on('data', (text: Buffer) => {
        body += text.toString('utf8')
      })
      answer.on('end', () => resolve([answer.statusCode ?? 0, body]))
    })
    asked.on('error', reject)
    asked.end()
  })
}
