// needs: mosquitto_pub
/** A hub with several listeners, as operator and devices use them: passwords, WebSocket, and what each refuses. */
// one database: the settings of listeners are in no database, and passwords are rows like others
import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { suite, test } from 'node:test'
import type { NewPasswordView, PasswordListView } from '../../src/api-schema/passwords.ts'
import type { AttemptView, HubView, PageView } from '../../src/api-schema/views.ts'
import { type HubProcess, repository, startHubProcess } from '../support/hub-process.ts'
import { connected, nextEvent, tlsOf } from '../support/mqtt-client.ts'
import { run } from '../support/run.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'

const settings = `
listeners:
  - name: passwords
    host: 127.0.0.1
    port: 0
    client-certificate: none
  - name: either
    host: 127.0.0.1
    port: 0
    client-certificate: optional
    tls-versions: [1.3]
  - name: web
    host: 127.0.0.1
    port: 0
    client-certificate: optional
    websocket: /mqtt
`

suite('a hub with several listeners', { timeout: 120_000 }, () => {
  test('serves each as its settings say, and takes passwords back', async (t) => {
    const folder = temporaryFolder(t)
    const file = join(folder, 'handfast.yaml')
    writeFileSync(file, settings)
    const hub = await startHubProcess(t, { data: join(folder, 'data'), args: ['--config', file] })
    const ports = await portsOf(hub)
    const files = await hub.enrolled('pump-7', join(folder, 'pump-7'))
    const { text, password } = await hub.json<NewPasswordView>(['password', 'set', 'pump-7'])
    assert.ok(text !== null)

    const publish = async (listener: string, secret: string): Promise<number | null> => {
      const who = ['-u', 'pump-7', '-P', secret, '-i', 'p', '-t', 'devices/pump-7/up', '-m', 'hello', '-q', '1']
      const where = ['-h', 'localhost', '-p', String(ports.get(listener)), '--cafile', hub.ca]
      return (await run('mosquitto_pub', [...where, ...who])).status
    }
    assert.equal(await publish('passwords', text), 0)
    assert.equal(await publish('either', text), 0)
    assert.notEqual(await publish('mqtt', text), 0)
    assert.notEqual(await publish('passwords', 'wrong'), 0)

    const url = {
      host: 'localhost',
      path: '/mqtt',
      protocol: 'wss',
      port: ports.get('web') ?? 0,
      reconnectPeriod: 0,
    } as const
    const byCertificate = await connected({ ...url, ...tlsOf(files), wsOptions: tlsOf(files), clientId: 'w1' })
    const ca = { ca: readFileSync(hub.ca) }
    const byPassword = await connected({
      ...url,
      ...ca,
      wsOptions: ca,
      username: 'pump-7',
      password: text,
      clientId: 'w2',
    })

    const gone = nextEvent(byPassword, 'close')
    const ended = await hub.json<PasswordListView>(['password', 'revoke', 'pump-7'])
    assert.deepEqual(
      ended.items.map(({ id, state }) => [id, state]),
      [[password.id, 'ended']],
    )
    await gone
    assert.notEqual(await publish('passwords', text), 0)
    assert.equal(byCertificate.connected, true)
    await byCertificate.endAsync()

    const { items } = await hub.json<PageView<AttemptView>>(['attempts', '--device', 'pump-7'])
    const told = items.map(({ listener, code, outcome }) => `${listener} ${code ?? outcome}`)
    for (const each of [
      'passwords admitted',
      'either admitted',
      'web admitted',
      'passwords password-wrong',
      'web password-ended',
    ]) {
      assert.ok(told.includes(each), `${each} is not among ${told.join(', ')}`)
    }
    assert.equal(hub.output().includes(text), false)
    assert.equal(await hub.stop(), 0)
  })

  test('a mistake in the file stops the start, with its line', async (t) => {
    const folder = temporaryFolder(t)
    const file = join(folder, 'handfast.yaml')
    writeFileSync(file, settings.replace('client-certificate: none', 'client-certificate: nobody'))
    const { status, stderr } = await run(process.execPath, [
      join(repository, 'bin/handfast.js'),
      'up',
      '--data',
      join(folder, 'data'),
      '--config',
      file,
    ])
    assert.equal(status, 2)
    assert.match(stderr, /line 6: "nobody" is not one of required, optional, none/)
  })
})

async function portsOf(hub: HubProcess): Promise<ReadonlyMap<string, number>> {
  const { listeners } = await hub.json<HubView>(['status'])
  assert.deepEqual(
    listeners.map(({ name, path }) => [name, path]),
    [
      ['mqtt', null],
      ['passwords', null],
      ['either', null],
      ['web', '/mqtt'],
    ],
  )
  return new Map(listeners.map(({ name, port }) => [name, port]))
}
