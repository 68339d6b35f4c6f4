/**
 * Every ready-made role, and a written one, through clients that are not ours: role × action × topic × version, what is allowed
 * beside what is denied. A witness that may everything hears what has really passed.
 */
import assert from 'node:assert/strict'
import { existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import type { MqttClient } from 'mqtt'
import { type DeviceFiles, type HubProcess, startHubProcess } from '../support/hub-process.ts'
import { clientOptions, connected, nextMessage, refused } from '../support/mqtt-client.ts'
import { needs } from '../support/programs.ts'
import { run } from '../support/run.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'
import { clientArguments, subscriber } from './mosquitto.ts'
import { type Case, cases, identities, policySource } from './policy-cases.ts'

/** `unseen` where a client does not show what it was answered. */
type Answer = 'allow' | 'deny' | 'unseen'

interface Bed {
  readonly hub: HubProcess
  readonly files: ReadonlyMap<string, DeviceFiles>
  readonly witness: Witness
}

interface Act extends Case {
  readonly files: DeviceFiles
  readonly clientId: string
  /** Unique, so that the witness knows it again. */
  readonly payload: string
}

/** A client, with the versions that it speaks. */
interface Driver {
  readonly name: string
  readonly versions: readonly ('3.1' | '3.1.1' | '5')[]
  readonly options: { skip: string | false }
  answers(bed: Bed, version: string, acts: readonly Act[]): Promise<readonly Answer[]>
  /** The topic of the first message that comes to a subscription of `half-1` to `halls/#`. */
  firstHeard(bed: Bed, version: string, files: DeviceFiles): Promise<string>
}

/** Where Debian keeps what its own Python imports. */
const paho = '/usr/lib/python3/dist-packages/paho'

const drivers: readonly Driver[] = [
  {
    name: 'mosquitto_pub and mosquitto_sub',
    versions: ['3.1', '3.1.1', '5'],
    options: needs('mosquitto_pub', 'mosquitto_sub', 'stdbuf'),
    answers: (bed, version, acts) => oneByOne(acts, (act) => mosquittoAnswer(bed, version, act)),
    firstHeard: mosquittoHears,
  },
  {
    name: 'Paho',
    versions: ['3.1', '3.1.1', '5'],
    options: { skip: existsSync(paho) ? false : 'python3-paho-mqtt is not installed' },
    answers: pahoAnswers,
    firstHeard: pahoHears,
  },
  {
    name: 'MQTT.js',
    versions: ['3.1.1', '5'],
    options: { skip: false },
    answers: (bed, version, acts) => oneByOne(acts, (act) => mqttJsAnswer(bed, version === '5' ? 5 : 4, act)),
    firstHeard: mqttJsHears,
  },
]

test('roles through clients that are not ours', async (t) => {
  const bed = await prepared(t)
  for (const driver of drivers) {
    for (const version of driver.versions) {
      await t.test(`${driver.name}, MQTT ${version}`, driver.options, async () => {
        const acts = cases.map((each, i): Act => {
          const files = bed.files.get(each.who) as DeviceFiles
          return { ...each, files, clientId: each.clientId ?? each.who, payload: `${driver.name} ${version} ${i}` }
        })
        const answers = await driver.answers(bed, version, acts)
        const passed = await bed.witness.heard(acts.filter(isMessage).filter(({ allowed }) => allowed))
        assert.deepEqual(wrongOf(acts, answers, passed), [])
      })
      await t.test(
        `${driver.name}, MQTT ${version}, is not given what it may subscribe to and not receive`,
        driver.options,
        async () => {
          const files = bed.files.get('half-1') as DeviceFiles
          assert.equal(await driver.firstHeard(bed, version, files), 'halls/open/x')
        },
      )
    }
  }
})

/** Acts that a message comes of, if they are allowed; a will does where the client then ends without a word. */
function isMessage({ action }: Act): boolean {
  return action === 'publish' || action === 'retain'
}

function wrongOf(acts: readonly Act[], answers: readonly Answer[], passed: ReadonlySet<string>): readonly string[] {
  return acts.flatMap(({ who, action, topic, allowed, payload }, i) => {
    const what = `${who} ${action} ${topic}`
    const wanted = allowed ? 'allow' : 'deny'
    const answer = answers[i]
    return [
      ...(answer === wanted || answer === 'unseen' ? [] : [`${what}: answered ${answer}, should be ${wanted}`]),
      ...(!allowed && passed.has(payload) ? [`${what}: reached the witness`] : []),
    ]
  })
}

async function prepared(t: TestContext): Promise<Bed> {
  const folder = temporaryFolder(t)
  const hub = await startHubProcess(t, { data: join(folder, 'data') })
  const policy = join(folder, 'policy.yaml')
  writeFileSync(policy, policySource)
  const files = new Map<string, DeviceFiles>()
  for (const [id, group] of identities) {
    files.set(id, await hub.enrolled(id, join(folder, id)))
    if (group !== null) await hub.json(['device', 'set', id, '--group', group])
  }
  await hub.json(['policy', 'add', policy, '--activate'])
  const witness = await connected({ ...clientOptions(hub.mqtt.port, files.get('witness') as DeviceFiles, 5) })
  t.after(() => {
    witness.end(true)
  })
  await witness.subscribeAsync({ '#': { qos: 1 }, '$iothub/#': { qos: 1 } })
  return { hub, files, witness: new Witness(witness) }
}

class Witness {
  readonly #client: MqttClient
  readonly #payloads = new Set<string>()
  #round = 0

  constructor(client: MqttClient) {
    this.#client = client
    client.on('message', (topic, payload) => {
      this.#payloads.add(payload.toString('utf8'))
      if (topic === 'halls/own/ready') void this.speak()
    })
  }

  /** What `half-1` must not receive, and then what it may. */
  async speak(): Promise<void> {
    await this.#client.publishAsync('halls/closed/x', 'closed', { qos: 1 })
    await this.#client.publishAsync('halls/open/x', 'open', { qos: 1 })
  }

  /** What has come, once all that must come has, and with it a message of its own, which was sent after everything else. */
  async heard(expected: readonly Act[]): Promise<ReadonlySet<string>> {
    const last = `round ${this.#round++}`
    await this.#client.publishAsync('witness/last', last, { qos: 1 })
    for (const payload of [...expected.map((act) => act.payload), last]) await this.#comes(payload)
    return this.#payloads
  }

  #comes(payload: string): Promise<void> {
    return new Promise((resolve, reject) => {
      if (this.#payloads.has(payload)) return resolve()
      const limit = setTimeout(() => reject(new Error(`the witness did not hear ${payload}`)), 20_000)
      const look = (): void => {
        if (!this.#payloads.has(payload)) return
        clearTimeout(limit)
        this.#client.off('message', look)
        resolve()
      }
      this.#client.on('message', look)
    })
  }
}

async function oneByOne(acts: readonly Act[], answer: (act: Act) => Promise<Answer>): Promise<readonly Answer[]> {
  const answers: Answer[] = []
  for (const act of acts) answers.push(await answer(act))
  return answers
}

const mosquittoVersions = { '3.1': 'mqttv31', '3.1.1': 'mqttv311', '5': 'mqttv5' } as const

async function mosquittoAnswer({ hub }: Bed, version: string, act: Act): Promise<Answer> {
  const { action, topic, payload, clientId, files } = act
  const own = clientArguments(hub, files, mosquittoVersions[version as keyof typeof mosquittoVersions])
  const args = [...own, '-i', clientId, '-q', '1', '-d']
  const isSent = action === 'publish' || action === 'retain'
  const { stdout, stderr } = isSent
    ? await run('mosquitto_pub', [...args, '-t', topic, '-m', payload, ...(action === 'retain' ? ['-r'] : [])])
    : await run('mosquitto_sub', [
        ...[...args, '-E', '-W', '20', '-t', action === 'subscribe' ? topic : 'any'],
        ...(action === 'will' ? ['--will-topic', topic, '--will-payload', payload, '--will-qos', '1'] : []),
      ])
  const said = `${act.who} ${action} ${topic}:\n${stdout}\n${stderr}`
  const [, connack] = /received CONNACK \((\d+)\)/.exec(stdout) ?? []
  if (connack !== '0') {
    assert.ok(refusalsOf(act).includes(Number(connack)), said)
    return 'deny'
  }
  if (isSent) {
    if (/Not authorized|The connection was lost/.test(stderr)) return 'deny'
    return decided(/received PUBACK \(Mid: 1(?:, RC:(\d+))?\)/.exec(stdout)?.[1] ?? '0', /^(135)$/, said)
  }
  return action === 'subscribe'
    ? decided(/Subscribed \(mid: 1\): (\d+)/.exec(stdout)?.[1], /^(128|135)$/, said)
    : 'allow'
}

/** What CONNACK says in 3.1.1 and in 5 to who may not connect, or not under that client id. */
function refusalsOf({ who, clientId }: Act): readonly number[] {
  return clientId === who ? [5, 135] : [2, 133]
}

/** @throws where there is no code, or one that means something else */
function decided(code: string | undefined, denial: RegExp, said: string): Answer {
  if (code !== undefined && /^[012]$/.test(code)) return 'allow'
  assert.match(code ?? 'no answer', denial, said)
  return 'deny'
}

async function mosquittoHears({ hub, witness }: Bed, version: string, files: DeviceFiles): Promise<string> {
  const args = ['-i', 'half-1', '-q', '1', '-t', 'halls/#', '-C', '1', '-F', 'got %t']
  const reader = await subscriber(hub, files, mosquittoVersions[version as keyof typeof mosquittoVersions], args)
  await witness.speak()
  return /^got (.*)$/m.exec((await reader.finished).stdout)?.[1] ?? 'nothing'
}

async function pahoHears(bed: Bed, version: string, files: DeviceFiles): Promise<string> {
  const act = {
    id: 'half-1',
    cert: files.cert,
    key: files.key,
    action: 'receive',
    topic: 'halls/#',
    payload: '',
    refusals: [],
  }
  const [heard] = await pahoSays(bed, version, [act])
  return heard ?? 'nothing'
}

async function mqttJsHears({ hub, witness }: Bed, version: string, files: DeviceFiles): Promise<string> {
  const client = await connected({
    ...clientOptions(hub.mqtt.port, files, version === '5' ? 5 : 4),
    clientId: 'half-1',
  })
  try {
    await client.subscribeAsync('halls/#', { qos: 1 })
    const first = nextMessage(client)
    await witness.speak()
    return (await first).topic
  } finally {
    client.end(true)
  }
}

async function pahoAnswers(bed: Bed, version: string, all: readonly Act[]): Promise<readonly Answer[]> {
  const acts = all.map((act) => {
    const { action, topic, payload, clientId, files } = act
    return { id: clientId, cert: files.cert, key: files.key, action, topic, payload, refusals: refusalsOf(act) }
  })
  return (await pahoSays(bed, version, acts)) as Answer[]
}

async function pahoSays({ hub }: Bed, version: string, acts: readonly object[]): Promise<readonly string[]> {
  const input = JSON.stringify({ port: hub.mqtt.port, ca: hub.ca, version, acts })
  const client = join(import.meta.dirname, 'paho-acts.py')
  const { status, stdout, stderr } = await run('/usr/bin/python3', [client], { input, timeoutMs: 120_000 })
  assert.equal(status, 0, stderr)
  return JSON.parse(stdout) as string[]
}

async function mqttJsAnswer({ hub }: Bed, version: 4 | 5, act: Act): Promise<Answer> {
  const { action, topic, payload, clientId, files } = act
  const options = {
    ...clientOptions(hub.mqtt.port, files, version),
    clientId,
    ...(action === 'will' ? { will: { topic, payload: Buffer.from(payload), qos: 1 as const, retain: false } } : {}),
  }
  const isConnecting = action === 'connect' || action === 'will'
  if (isConnecting && !act.allowed) {
    const { code } = await refused(options)
    assert.ok(refusalsOf(act).includes(Number(code)), `${act.who} ${action} ${topic}: CONNACK ${code}`)
    return 'deny'
  }
  const client = await connected(options)
  try {
    if (isConnecting) return 'allow'
    const closed = new Promise<Answer>((resolve) => client.once('close', () => resolve('deny')))
    const answered =
      action === 'subscribe'
        ? client.subscribeAsync(topic, { qos: 1 }).then(() => 'allow' as const, denialOf)
        : client
            .publishAsync(topic, payload, { qos: 1, retain: action === 'retain' })
            .then(() => 'allow' as const, denialOf)
    return await Promise.race([answered, closed])
  } finally {
    client.end(true)
  }
}

/** Where MQTT.js says no, it says why. */
function denialOf(error: unknown): Answer {
  const { code, packet, message } = error as { code?: number; packet?: { granted?: number[] }; message?: string }
  const reason = packet?.granted?.[0] ?? code
  if (reason === 128 || reason === 135) return 'deny'
  // A hub that closes takes the answer with it.
  if (/closed|disconnect/i.test(message ?? '')) return 'deny'
  throw error
}
