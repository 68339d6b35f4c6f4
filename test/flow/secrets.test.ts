/**
 * A hub at work, in trouble and in a crash, with the log wide open: no secret that was in play stands anywhere in what it
 * has written, answered or kept.
 */
import assert from 'node:assert/strict'
import { createPrivateKey } from 'node:crypto'
import { once } from 'node:events'
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { connect as tcpConnect } from 'node:net'
import { join } from 'node:path'
import { test } from 'node:test'
import mqtt from 'mqtt'
import type { BootstrapView } from '../../src/api-schema/views.ts'
import { Secret } from '../../src/core/secret.ts'
import { openKeyFolder } from '../../src/keys/file/key-folder.ts'
import { databaseEnvironment } from '../support/hub-database.ts'
import { type DeviceFiles, type HubProcess, startHubProcess } from '../support/hub-process.ts'
import { clientOptions, connected, refused } from '../support/mqtt-client.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'

const passphrase = 'correct-horse-battery-staple-9471'
const wrongPassphrase = 'a-wrong-passphrase-of-somebody-5502'

/** Texts and bytes by what they are. */
type Secrets = Map<string, readonly Buffer[]>

/** Every form in which a text is likely to leak. */
function formsOf(text: string): readonly Buffer[] {
  const bytes = Buffer.from(text)
  return [text, bytes.toString('base64').replace(/=+$/, ''), bytes.toString('hex'), encodeURIComponent(text)].map(
    (form) => Buffer.from(form),
  )
}

/** The private number of a key: its bytes, and what PEM, JWK and a hexadecimal dump make of it. */
function formsOfKey(pem: string): readonly Buffer[] {
  const key = createPrivateKey(pem)
  const number = Buffer.from(key.export({ format: 'jwk' }).d ?? '', 'base64url')
  assert.equal(number.length, 32)
  const lines = pem.split('\n').filter((line) => line.length === 64)
  assert.ok(lines.length > 1)
  return [number, ...[number.toString('base64url'), number.toString('hex'), ...lines].map((text) => Buffer.from(text))]
}

function leaksIn(bytes: Buffer, secrets: Secrets): readonly string[] {
  return [...secrets].filter(([, forms]) => forms.some((form) => bytes.includes(form))).map(([name]) => name)
}

/** The token at the end of a bootstrap string: as it is sent, and its secret part. */
function keepToken(secrets: Secrets, name: string, bootstrap: string): string {
  const token = bootstrap.split('/').at(-1) ?? ''
  const secret = token.split('.')[1] ?? ''
  assert.equal(secret.length, 43)
  secrets.set(name, [...formsOf(secret), Buffer.from(secret, 'base64url'), ...formsOf(`pump-7:${token}`)])
  return token
}

/** All files below a folder, but for those that are there to hold a secret. */
function filesIn(folder: string, except: readonly string[]): ReadonlyMap<string, Buffer> {
  const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile())
  const paths = files.map((entry) => join(entry.parentPath, entry.name)).filter((path) => !except.includes(path))
  return new Map(paths.map((path) => [path, readFileSync(path)]))
}

async function anyAnswer(url: string, init: RequestInit = {}): Promise<string> {
  const response = await fetch(url, init)
  return `${response.status}\n${JSON.stringify([...response.headers])}\n${await response.text()}`
}

/** Speaks to the gate in ways that it refuses, with secrets where they do not belong. */
async function knockWrongly(hub: HubProcess, pump: DeviceFiles, token: string): Promise<void> {
  await refused({ ...clientOptions(hub.mqtt.port, pump, 5), key: undefined, cert: undefined } as never)
  const options = { ...clientOptions(hub.mqtt.port, pump, 5), username: 'pump-7', password: token }
  const client = await mqtt.connectAsync(options)
  await client.publishAsync('devices/other/x', 'not mine', { qos: 1 }).catch(() => {})
  await client.endAsync(true)
  const raw = tcpConnect(hub.mqtt.port, '127.0.0.1')
  raw.end(`GET /${token} HTTP/1.1\r\nAuthorization: Bearer ${token}\r\n\r\n`)
  raw.on('error', () => {})
  await once(raw, 'close')
}

test('no secret leaves a hub, whatever it does and whatever goes wrong', async (t) => {
  const folder = temporaryFolder(t)
  const data = join(folder, 'data')
  const secrets: Secrets = new Map([
    ['the passphrase', formsOf(passphrase)],
    ['a wrong passphrase', formsOf(wrongPassphrase)],
  ])
  const env = {
    HANDFAST_PASSPHRASE: passphrase,
    NODE_OPTIONS: `--disable-warning=ExperimentalWarning --import=${join(import.meta.dirname, 'crash-on-signal.js')}`,
  }
  const args = ['--log-level', 'debug', '--metrics-listen', '127.0.0.1:0', '--api-listen', '127.0.0.1:0']
  const { HANDFAST_DATABASE_URL: database = '' } = await databaseEnvironment(data)
  const { password } = new URL(database || 'none:')
  if (password !== '') secrets.set('the password of the database', formsOf(password))
  const hub = await startHubProcess(t, { data, args, env })
  /** What was written or answered, by where. */
  const said = new Map<string, string>()
  const ask = async (name: string, cliArgs: readonly string[]): Promise<void> => {
    const { stdout, stderr } = await hub.cli([...cliArgs, '--json'])
    said.set(`handfast ${name}`, stdout + stderr)
  }

  const adminKey = readFileSync(join(data, 'admin.key'), 'utf8').trim()
  secrets.set('the admin key', formsOf(adminKey.split('.')[1] ?? ''))

  // A whole life: enrolled, connected, given another string, refused, revoked.
  const { bootstrap } = await hub.json<BootstrapView>(['device', 'add', 'pump-7'])
  const used = keepToken(secrets, 'a used token', bootstrap)
  const enrolment = await hub.cli(['enrol', '-', '--dir', join(folder, 'pump-7')], { input: bootstrap })
  assert.equal(enrolment.status, 0, enrolment.stderr)
  said.set('handfast enrol', enrolment.stdout + enrolment.stderr)
  const file = (name: string): string => join(folder, 'pump-7', name)
  const pump = {
    ...{ id: 'pump-7', folder: join(folder, 'pump-7'), ca: file('ca.pem') },
    ...{ cert: file('client_cert.pem'), key: file('private_key.pem') },
  }
  secrets.set('the key of a device', formsOfKey(readFileSync(pump.key, 'utf8')))
  await (await connected(clientOptions(hub.mqtt.port, pump, 5))).endAsync()
  const open = await hub.json<BootstrapView>(['device', 'token', 'pump-7'])
  const unused = keepToken(secrets, 'an open token', open.bootstrap)

  // Failures of every kind, each with a secret at hand.
  const guess = `${unused.slice(0, -1)}${unused.endsWith('A') ? 'B' : 'A'}`
  secrets.set('a guessed token', formsOf(guess.split('.')[1] ?? ''))
  const wrongs = [bootstrap, open.bootstrap.replace(unused, guess), open.bootstrap.slice(0, -2), used]
  for (const [index, wrong] of wrongs.entries()) {
    const failed = await hub.cli(['enrol', '-', '--dir', join(folder, `thief-${index}`)], { input: wrong })
    assert.notEqual(failed.status, 0)
    said.set(`handfast enrol, refused ${index}`, failed.stdout + failed.stderr)
  }
  await knockWrongly(hub, pump, unused)
  const wrongKey = `${adminKey.slice(0, -1)}${adminKey.endsWith('A') ? 'B' : 'A'}`
  secrets.set('a guessed API key', formsOf(wrongKey.split('.')[1] ?? ''))
  assert.ok(hub.metrics !== null)
  const bearer = { headers: { Authorization: `Bearer ${adminKey}` } }
  for (const [listener, { port }] of Object.entries({ http: hub.http, metrics: hub.metrics })) {
    for (const path of ['/readyz', '/metrics', '/nothing']) {
      said.set(`${listener} ${path}`, await anyAnswer(`http://127.0.0.1:${port}${path}`, bearer))
    }
  }
  const wrongCli = await hub.cli(['status'], {
    env: { HANDFAST_URL: `https://127.0.0.1:${hub.https.port}`, HANDFAST_KEY: wrongKey, HANDFAST_CA: hub.ca },
  })
  said.set('handfast status, wrong key', wrongCli.stdout + wrongCli.stderr)

  await ask('status', ['status'])
  await ask('device list', ['device', 'list'])
  await ask('device show', ['device', 'show', 'pump-7'])
  await ask('attempts', ['attempts'])
  await ask('audit', ['audit'])
  await ask('revoke', ['revoke', 'pump-7', '--reason', 'keyCompromise'])
  await refused(clientOptions(hub.mqtt.port, pump, 5))

  // A crash that prints what Node knows, then a start with the wrong passphrase, then one with the right one.
  hub.process.kill('SIGUSR2')
  await once(hub.process, 'exit')
  assert.match(hub.output(), /Error: crash/)
  const locked = hub.cli(['up', '--data', data, '--host', '127.0.0.1', '--mqtt-port', '0'], {
    env: {
      HANDFAST_PASSPHRASE: wrongPassphrase,
      HANDFAST_DEBUG: '1',
      HANDFAST_HTTP_PORT: '0',
      HANDFAST_HTTPS_PORT: '0',
    },
  })
  const refusedStart = await locked
  assert.equal(refusedStart.status, 7, refusedStart.stderr)
  said.set('handfast up, wrong passphrase', refusedStart.stdout + refusedStart.stderr)
  const again = await startHubProcess(t, { data, args, env })
  await again.stop()
  said.set('the log', hub.output() + again.output())

  await addKeysOfTheHub(secrets, data)
  // On PostgreSQL the keys of the authorities are not in a file.
  assert.ok(secrets.size >= 9, [...secrets.keys()].join(', '))

  await t.test('the log is as wide open as it can be, so there is something to find', () => {
    const log = said.get('the log') ?? ''
    for (const word of ['"level":"debug"', '"msg":"attempt"', '"msg":"request"', '"msg":"admin act"', 'token-used']) {
      assert.ok(log.includes(word), `the log has no ${word}`)
    }
    assert.ok(log.includes('HANDFAST_'), 'the crash shows the environment')
  })

  for (const [place, text] of said) {
    await t.test(`${place} holds none`, () => assert.deepEqual(leaksIn(Buffer.from(text), secrets), []))
  }

  await t.test('no file of the data directory holds one in the clear, but for the admin key in its own', () => {
    const files = filesIn(data, [join(data, 'admin.key')])
    assert.ok(files.size > 5)
    for (const [path, bytes] of files) assert.deepEqual(leaksIn(bytes, secrets), [], path)
  })

  await t.test('each of them would be found', () => {
    const place = join(folder, 'leak')
    for (const [name, forms] of secrets) {
      for (const form of forms) {
        writeFileSync(place, Buffer.concat([Buffer.from('{"msg":"'), form, Buffer.from('"}\n')]))
        assert.ok(leaksIn(readFileSync(place), secrets).includes(name), name)
      }
    }
  })
})

/** The keys of the authorities and of the listeners, opened as the hub opens them. */
async function addKeysOfTheHub(secrets: Secrets, data: string): Promise<void> {
  const keys = await openKeyFolder({ folder: join(data, 'keys'), passphrase: new Secret(passphrase) })
  for (const file of readdirSync(join(data, 'keys')).filter((name) => name.endsWith('.key.json'))) {
    const name = file.replace('.key.json', '')
    secrets.set(`the key ${name}`, formsOfKey((await keys.exportPem(name)).reveal()))
  }
}
