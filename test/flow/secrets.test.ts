/**
 * A hub at work, in trouble and in a crash, with the log wide open: no secret that was in play stands anywhere in what it
 * has written, answered or kept.
 */
import assert from 'node:assert/strict'
import { createPrivateKey } from 'node:crypto'
import { once } from 'node:events'
import { readdirSync, readFileSync } from 'node:fs'
import { connect as tcpConnect } from 'node:net'
import { join } from 'node:path'
import { test } from 'node:test'
import mqtt from 'mqtt'
import type { BootstrapView } from '../../src/api-schema/views.ts'
import { Secret } from '../../src/core/secret.ts'
import { openKeyFolder } from '../../src/keys/file/key-folder.ts'
import { databaseEnvironment } from '../support/hub-database.ts'
import { type DeviceFiles, deviceFiles, type HubProcess, startHubProcess } from '../support/hub-process.ts'
import { clientOptions, connected, refused } from '../support/mqtt-client.ts'
import type { Finished, RunOptions } from '../support/run.ts'
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

/** The token at the end of a bootstrap string. */
function tokenIn(bootstrap: string): string {
  return bootstrap.split('/').at(-1) ?? ''
}

/** The part of a token or key that is secret. */
function secretIn(text: string): string {
  const secret = text.split('.')[1] ?? ''
  assert.equal(secret.length, 43)
  return secret
}

/** Keeps the token of a bootstrap string: its secret part, and how it is sent. */
function keepToken(secrets: Secrets, name: string, bootstrap: string): void {
  const token = tokenIn(bootstrap)
  const secret = secretIn(token)
  secrets.set(name, [...formsOf(secret), Buffer.from(secret, 'base64url'), ...formsOf(`pump-7:${token}`)])
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

/** A hub at work, the secrets that are in play, and all that was written or answered, by where. */
interface Bed {
  readonly hub: HubProcess
  readonly folder: string
  readonly secrets: Secrets
  readonly said: Map<string, string>
}

/** Runs the command line and keeps what it says. */
async function tell(
  { hub, said }: Bed,
  name: string,
  args: readonly string[],
  options?: RunOptions,
): Promise<Finished> {
  const finished = await hub.cli(args, options)
  said.set(name, finished.stdout + finished.stderr)
  return finished
}

/** A device that enrols, connects and is given another string. */
async function live(bed: Bed): Promise<{ pump: DeviceFiles; used: string; unused: string }> {
  const { hub, folder, secrets } = bed
  const first = await hub.json<BootstrapView>(['device', 'add', 'pump-7'])
  keepToken(secrets, 'a used token', first.bootstrap)
  const directory = join(folder, 'pump-7')
  const { status } = await tell(bed, 'handfast enrol', ['enrol', '-', '--dir', directory], { input: first.bootstrap })
  assert.equal(status, 0)
  const pump = deviceFiles('pump-7', directory)
  secrets.set('the key of a device', formsOfKey(readFileSync(pump.key, 'utf8')))
  const ready = ['--dir', directory, '--out', join(folder, 'pump-7-files')]
  assert.equal(
    (await tell(bed, 'handfast device files', ['device', 'files', 'pump-7', '--for', 'node', ...ready])).status,
    0,
  )
  await (await connected(clientOptions(hub.mqtt.port, pump, 5))).endAsync()
  const second = await hub.json<BootstrapView>(['device', 'token', 'pump-7'])
  keepToken(secrets, 'an open token', second.bootstrap)
  return { pump, used: first.bootstrap, unused: second.bootstrap }
}

/** The same secret with another last letter: what somebody guesses is nobody's business either. */
function guessed(secret: string): string {
  return `${secret.slice(0, -1)}${secret.endsWith('A') ? 'B' : 'A'}`
}

/** Enrolments that fail for every reason, each with a token at hand. */
async function enrolWrongly(bed: Bed, used: string, unused: string): Promise<void> {
  const { folder, secrets } = bed
  const guess = guessed(unused)
  keepToken(secrets, 'a guessed token', guess)
  for (const [index, input] of [used, guess, unused.slice(0, -2), tokenIn(used)].entries()) {
    const directory = join(folder, `thief-${index}`)
    const { status } = await tell(bed, `handfast enrol, refused ${index}`, ['enrol', '-', '--dir', directory], {
      input,
    })
    assert.notEqual(status, 0)
  }
}

/** Speaks to the gate in ways that it refuses, with secrets where they do not belong. */
async function knockWrongly({ hub }: Bed, pump: DeviceFiles, token: string): Promise<void> {
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

/** Asks for everything that there is to read, with keys right, wrong and in the wrong place. */
async function askEverything(bed: Bed): Promise<void> {
  const { hub, said, secrets } = bed
  const adminKey = readFileSync(join(hub.data, 'admin.key'), 'utf8').trim()
  const wrongKey = guessed(adminKey)
  secrets.set('the admin key', formsOf(secretIn(adminKey)))
  secrets.set('a guessed API key', formsOf(secretIn(wrongKey)))
  const bearer = { headers: { Authorization: `Bearer ${adminKey}` } }
  for (const [listener, address] of Object.entries({ http: hub.http, metrics: hub.metrics })) {
    for (const path of ['/readyz', '/metrics', '/nothing']) {
      said.set(`${listener} ${path}`, await anyAnswer(`http://127.0.0.1:${address?.port}${path}`, bearer))
    }
  }
  const env = { HANDFAST_URL: `https://127.0.0.1:${hub.api?.port}`, HANDFAST_KEY: wrongKey, HANDFAST_CA: hub.ca }
  assert.equal((await tell(bed, 'handfast status, wrong key', ['status'], { env })).status, 3)
  for (const args of [
    ['status'],
    ['device', 'list'],
    ['device', 'show', 'pump-7'],
    ['attempts'],
    ['attempts', '--cases'],
    ['audit'],
  ]) {
    assert.equal((await tell(bed, `handfast ${args.join(' ')}`, [...args, '--json'])).status, 0)
  }
  await tell(bed, 'handfast revoke', ['revoke', 'pump-7', '--reason', 'keyCompromise', '--json'])
}

test('no secret leaves a hub, whatever it does and whatever goes wrong', async (t) => {
  const folder = temporaryFolder(t)
  const data = join(folder, 'data')
  const secrets: Secrets = new Map([
    ['the passphrase', formsOf(passphrase)],
    ['a wrong passphrase', formsOf(wrongPassphrase)],
  ])
  const { HANDFAST_DATABASE_URL: database = '' } = await databaseEnvironment(data)
  const { password } = new URL(database || 'none:')
  if (password !== '') secrets.set('the password of the database', formsOf(password))
  const env = {
    HANDFAST_PASSPHRASE: passphrase,
    NODE_OPTIONS: `--disable-warning=ExperimentalWarning --import=${join(import.meta.dirname, 'crash-on-signal.js')}`,
  }
  const args = ['--log-level', 'debug', '--metrics-listen', '127.0.0.1:0', '--api-listen', '127.0.0.1:0']
  const hub = await startHubProcess(t, { data, args, env })
  const bed: Bed = { hub, folder, secrets, said: new Map() }

  const { pump, used, unused } = await live(bed)
  await enrolWrongly(bed, used, unused)
  await knockWrongly(bed, pump, tokenIn(unused))
  await askEverything(bed)
  await refused(clientOptions(hub.mqtt.port, pump, 5))

  // A crash that prints what Node knows, then a start with the wrong passphrase, then one with the right one.
  hub.process.kill('SIGUSR2')
  await once(hub.process, 'exit')
  assert.match(hub.output(), /Error: crash/)
  const ports = { HANDFAST_HTTP_PORT: '0', HANDFAST_HTTPS_PORT: '0', HANDFAST_MQTT_PORT: '0' }
  const locked = await tell(bed, 'handfast up, wrong passphrase', ['up', '--data', data, '--host', '127.0.0.1'], {
    env: { ...ports, HANDFAST_DATABASE_URL: database, HANDFAST_PASSPHRASE: wrongPassphrase, HANDFAST_DEBUG: '1' },
  })
  assert.equal(locked.status, 7, locked.stderr)
  const again = await startHubProcess(t, { data, args, env })
  await again.stop()
  bed.said.set('the log', hub.output() + again.output())
  await addKeysOfTheHub(secrets, data)
  // On PostgreSQL the keys of the authorities are not in a file.
  assert.ok(secrets.size >= 9, [...secrets.keys()].join(', '))

  await t.test('the log is as wide open as it can be, so there is something to find', () => {
    const log = bed.said.get('the log') ?? ''
    for (const word of ['"level":"debug"', '"msg":"attempt"', '"msg":"request"', '"msg":"admin act"', 'token-used']) {
      assert.ok(log.includes(word), `the log has no ${word}`)
    }
    assert.ok(log.includes('HANDFAST_'), 'the crash shows the environment')
  })

  for (const [place, text] of bed.said) {
    await t.test(`${place} holds none`, () => assert.deepEqual(leaksIn(Buffer.from(text), secrets), []))
  }

  await t.test('no file of the data directory holds one in the clear, but for the admin key in its own', () => {
    const files = filesIn(data, [join(data, 'admin.key')])
    assert.ok(files.size > 5)
    for (const [path, bytes] of files) assert.deepEqual(leaksIn(bytes, secrets), [], path)
  })

  await t.test('each of them would be found', () => {
    for (const [name, forms] of secrets) {
      for (const form of forms) {
        const line = Buffer.concat([Buffer.from('{"msg":"'), form, Buffer.from('"}\n')])
        assert.ok(leaksIn(line, secrets).includes(name), name)
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
