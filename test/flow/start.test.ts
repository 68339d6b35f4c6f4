/** Starting: what goes wrong is one clear sentence and an exit status, and what was chosen first is kept. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { test } from 'node:test'
import { connect } from 'node:tls'
import type { HubView } from '../../src/api-schema/views.ts'
import { databaseEnvironment, onOneDatabase } from '../support/hub-database.ts'
import { repository, startHubProcess, upArguments } from '../support/hub-process.ts'
import { type OwnCertificate, ownCertificate } from '../support/own-certificate.ts'
import { needs, programPath } from '../support/programs.ts'
import { type Finished, run } from '../support/run.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'

function keyText({ privateKey }: OwnCertificate): string {
  return privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()
}

/** Starts a hub that should not come up. */
async function up(data: string, args: readonly string[] = [], wrapper: readonly string[] = []): Promise<Finished> {
  const launcher = join(repository, 'bin/handfast.js')
  const [command = process.execPath, ...rest] = [...wrapper, process.execPath, launcher]
  return run(command, [...rest, ...upArguments(data, `${data}.ready`), ...args], {
    env: await databaseEnvironment(data),
    timeoutMs: 20_000,
  })
}

function assertFails(finished: Finished, status: number, message: RegExp): void {
  assert.equal(finished.status, status, finished.stderr)
  assert.match(finished.stderr, message)
  assert.match(finished.stderr, /hint: /)
}

test('a second hub on the same data directory is refused', onOneDatabase, async (t) => {
  const data = join(temporaryFolder(t), 'data')
  const hub = await startHubProcess(t, { data })
  assertFails(await up(data), 5, /another hub runs on/)
  assertFails(await up(data, ['--mqtt-port', String(hub.mqtt.port)]), 5, /another hub runs on/)
})

test(
  'a taken port is named with the flag that changes it, and the data directory is free afterwards',
  onOneDatabase,
  async (t) => {
    const data = join(temporaryFolder(t), 'data')
    const other = createServer().listen(0, '127.0.0.1')
    t.after(() => other.close())
    await once(other, 'listening')
    const address = other.address()
    const port = typeof address === 'object' && address !== null ? address.port : 0
    const failed = await up(data, ['--mqtt-port', String(port)])
    assertFails(failed, 6, new RegExp(`MQTT port ${port} .* is taken`))
    assert.match(failed.stderr, /--mqtt-port/)
    const hub = await startHubProcess(t, { data })
    assert.equal(await hub.stop(), 0)
  },
)

test('a first start that cannot serve says why and leaves nothing behind', async (t) => {
  const folder = temporaryFolder(t)
  const data = join(folder, 'data')
  const file = (name: string, text: string): string => {
    writeFileSync(join(folder, name), text, { mode: 0o600 })
    return join(folder, name)
  }
  const [missing, text] = [join(folder, 'missing.pem'), file('text.pem', 'no certificate')]
  const broker = ['--broker', 'mqtts://127.0.0.1:1']
  const [one, other] = [ownCertificate('gate'), ownCertificate('another')]
  const [certificate, key] = [file('gate.pem', one.pem), file('other.key', keyText(other))]
  const starts: readonly (readonly [number, RegExp, readonly string[]])[] = [
    [7, /"192\.0\.2\.1" is no address of this machine/, ['--host', '192.0.2.1']],
    [7, /missing\.pem" cannot be read: there is no such file/, [...broker, '--broker-ca', missing]],
    [7, /text\.pem" holds no certificate in PEM/, [...broker, '--broker-ca', text]],
    [7, /cannot be read: it is a folder/, [...broker, '--broker-login-file', folder]],
    [7, /other\.key" is not that of the first/, [...broker, '--broker-cert', certificate, '--broker-key', key]],
    [7, /missing\.pem" cannot be read/, ['--tls-cert', missing, '--tls-key', missing]],
    [2, /missing\.pem" cannot be read/, ['--passphrase-file', missing]],
    [7, /text\.pem" is a file and no folder/, ['--journal', text]],
  ]
  for (const [status, said, args] of starts) {
    assertFails(await up(data, args), status, said)
    assert.ok(!existsSync(data), args.join(' '))
  }
})

test('a file, and a folder that others use, are no data directory, and keep their modes', onOneDatabase, async (t) => {
  const folder = temporaryFolder(t)
  const [file, shared] = [join(folder, 'file'), join(folder, 'shared')]
  writeFileSync(file, '', { mode: 0o644 })
  mkdirSync(shared)
  chmodSync(shared, 0o755)
  writeFileSync(join(shared, 'other'), '')
  assertFails(await up(file, []), 7, /is a file and no folder/)
  assertFails(await up(shared, []), 7, /holds files of others/)
  assert.deepEqual(
    [file, shared].map((path) => statSync(path).mode & 0o777),
    [0o644, 0o755],
  )
  assert.deepEqual(readdirSync(shared), ['other'])
})

test('everything in the data directory is closed to others, and an open one is closed', onOneDatabase, async (t) => {
  const data = join(temporaryFolder(t), 'data')
  mkdirSync(data)
  chmodSync(data, 0o755)
  await startHubProcess(t, { data })
  assert.equal(statSync(data).mode & 0o777, 0o700)
  const open: string[] = []
  for (const entry of readdirSync(data, { recursive: true, withFileTypes: true })) {
    const mode = statSync(join(entry.parentPath, entry.name)).mode & 0o777
    if (entry.name !== 'ca.pem' && (mode & 0o077) !== 0) open.push(`${entry.name} ${mode.toString(8)}`)
  }
  assert.deepEqual(open, [])
})

test('no file holds a private key in the clear', async (t) => {
  const data = join(temporaryFolder(t), 'data')
  await startHubProcess(t, { data })
  for (const entry of readdirSync(data, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue
    const text = readFileSync(join(entry.parentPath, entry.name)).toString('latin1')
    assert.ok(!/PRIVATE KEY/.test(text), `${entry.name} holds a key in PEM`)
  }
})

test('the public name and the realm of the first start are kept', async (t) => {
  const data = join(temporaryFolder(t), 'data')
  const first = await startHubProcess(t, { data, args: ['--realm', 'plant.example'] })
  const before = await first.json<HubView>(['status'])
  assert.equal(await first.stop(), 0)
  assertFails(await up(data, ['--realm', 'other.example']), 2, /the realm is "plant.example" since the first start/)
  const second = await startHubProcess(t, { data })
  const after = await second.json<HubView>(['status'])
  assert.equal(after.realm, 'plant.example')
  assert.equal(after.rootFingerprint, before.rootFingerprint)
})

test('after a change of its public name, the hub still answers to the old one', onOneDatabase, async (t) => {
  const data = join(temporaryFolder(t), 'data')
  const first = await startHubProcess(t, { data, args: ['--public-name', 'old.plant.example'] })
  await first.stop()
  const second = await startHubProcess(t, { data, args: ['--public-name', 'new.plant.example'] })
  for (const name of ['new.plant.example', 'old.plant.example', 'localhost']) {
    const socket = connect({
      port: second.https.port,
      host: '127.0.0.1',
      servername: name,
      ca: readFileSync(second.ca),
    })
    await once(socket, 'secureConnect')
    socket.destroy()
  }
})

test('a wrong passphrase opens nothing, and says so', async (t) => {
  const folder = temporaryFolder(t)
  const data = join(folder, 'data')
  const [right, wrong] = [join(folder, 'right'), join(folder, 'wrong')]
  writeFileSync(right, 'correct horse\n', { mode: 0o600 })
  writeFileSync(wrong, 'battery staple\n', { mode: 0o600 })
  const hub = await startHubProcess(t, { data, args: ['--passphrase-file', right] })
  await hub.stop()
  const failed = await up(data, ['--passphrase-file', wrong])
  assertFails(failed, 7, /passphrase/)
  assert.ok(!failed.stderr.includes('battery'))
})

test('a clock before the birth of the root is refused', needs('faketime'), async (t) => {
  const data = join(temporaryFolder(t), 'data')
  const hub = await startHubProcess(t, { data })
  await hub.stop()
  assertFails(await up(data, [], [programPath('faketime') ?? '', '2020-01-01 00:00:00']), 7, /clock/)
})

test('a data directory that cannot be made is named', onOneDatabase, async (t) => {
  const folder = temporaryFolder(t)
  writeFileSync(join(folder, 'file'), '')
  assertFails(await up(join(folder, 'file', 'data')), 7, /is a file and no folder/)
})

test('an unknown flag and an unknown setting are refused with the nearest known one', onOneDatabase, async (t) => {
  const folder = temporaryFolder(t)
  const flag = await up(join(folder, 'data'), ['--mqtt-prot', '1'])
  assert.equal(flag.status, 2)
  assert.match(flag.stderr, /--mqtt-port/)
  const config = join(folder, 'handfast.yaml')
  writeFileSync(config, 'mqtt-prot: 1\n')
  const setting = await up(join(folder, 'data'), ['--config', config])
  assert.equal(setting.status, 2)
  assert.match(setting.stderr, /mqtt-?port/i)
})
