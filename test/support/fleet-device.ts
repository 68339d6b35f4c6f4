/**
 * A device of a fleet that sends without a pause, renews its certificate over EST and goes on with the new one: in memory, so that
 * a thousand of them fit into one test.
 */
import assert from 'node:assert/strict'
import { X509Certificate } from 'node:crypto'
import { ErrorWithReasonCode, type MqttClient } from 'mqtt'
import { type Bootstrap, parseBootstrap } from '../../src/core/identity/bootstrap.ts'
import { Secret } from '../../src/core/secret.ts'
import { encodePem } from '../../src/core/x509/pem.ts'
import { readCertsOnly } from '../../src/core/x509/pkcs7.ts'
import { certificateRequest, makeKey, publicKeyOf } from '../../src/device/certificate-request.ts'
import { type AuthorityCertificates, simpleEnrol } from '../../src/device/est-client.ts'
import { checkIssued } from '../../src/device/issued-certificate.ts'
import { exchange, openTls } from '../../src/device/tls-exchange.ts'
import { connected } from './mqtt-client.ts'

interface Certified {
  readonly key: Secret
  /** Leaf first, PEM. */
  readonly chain: string
  /** Common name of the issuer. */
  readonly issuer: string
}

/** Longest time for one answer of the broker, in milliseconds. */
const answerMs = 30_000
/** Seconds for which the broker keeps the session of a device that reconnects. */
const sessionSec = 3_600

export class FleetDevice {
  readonly id: string
  readonly version: 4 | 5
  readonly #bootstrap: Bootstrap
  readonly #authority: AuthorityCertificates
  readonly #mqttPort: number
  #certified: Certified | null = null
  #client: MqttClient | null = null
  /** Rejects when the connection in use ends. */
  #closed: Promise<never> = new Promise(() => {})
  #isStopped = false
  #isEnded = false
  #sending: Promise<void> = Promise.resolve()
  /** Numbers of messages that the hub has acknowledged, and of those that have come back to the device. */
  acknowledged = 0
  readonly received = new Set<number>()
  /** Why connections have ended that the device itself had not replaced. */
  readonly surprises: string[] = []

  constructor(bootstrap: string, authority: AuthorityCertificates, mqttPort: number, version: 4 | 5) {
    this.#bootstrap = parseBootstrap(new Secret(bootstrap))
    this.id = this.#bootstrap.id
    this.#authority = authority
    this.#mqttPort = mqttPort
    this.version = version
  }

  get issuer(): string {
    return this.#certified?.issuer ?? ''
  }

  async enrol(): Promise<void> {
    const key = makeKey()
    const request = certificateRequest(this.#bootstrap.id, key)
    this.#certified = this.#checked(key, await simpleEnrol(this.#bootstrap, this.#authority.root, request), [])
  }

  /** EST `simplereenroll` with a new key, shown the certificate that it has. The next connection uses what comes. */
  async renew(others: readonly X509Certificate[]): Promise<void> {
    const before = this.#certified
    assert.ok(before !== null, 'a device renews what it has')
    const key = makeKey()
    const address = { host: 'localhost', port: this.#bootstrap.httpsPort }
    const socket = await openTls(address, { root: this.#authority.root.toString(), identity: before })
    const answer = await exchange(socket, address, {
      method: 'POST',
      path: '/.well-known/est/simplereenroll',
      headers: { 'Content-Type': 'application/pkcs10' },
      body: Buffer.from(certificateRequest(this.#bootstrap.id, key)).toString('base64'),
    })
    const text = answer.body.toString('latin1')
    assert.equal(answer.status, 200, text)
    const ders = readCertsOnly(Buffer.from(text.replace(/\s+/g, ''), 'base64'))
    this.#certified = this.#checked(
      key,
      ders.map((der) => new X509Certificate(der)),
      others,
    )
  }

  #checked(key: Secret, issued: readonly X509Certificate[], others: readonly X509Certificate[]): Certified {
    const { root } = this.#authority
    const { chain } = checkIssued({
      certificates: [...issued, ...others, ...this.#authority.others],
      root,
      id: this.#bootstrap.id,
      publicKey: publicKeyOf(key),
      nowMs: Date.now(),
    })
    const issuer = /CN=(.*)/.exec(chain[0]?.issuer ?? '')?.[1] ?? ''
    return { key, chain: chain.map(({ raw }) => encodePem('CERTIFICATE', raw)).join(''), issuer }
  }

  /** Connects with the certificate that it has now, in the place of the connection that it had. The session stays. */
  async connect(): Promise<void> {
    const { key, chain } = this.#certified ?? assert.fail('a device connects with a certificate')
    const before = this.#client
    this.#client = null
    const client = await connected({
      host: 'localhost',
      port: this.#mqttPort,
      protocol: 'mqtts',
      protocolVersion: this.version,
      clientId: this.id,
      clean: false,
      ...(this.version === 5 ? { properties: { sessionExpiryInterval: sessionSec } } : {}),
      reconnectPeriod: 0,
      connectTimeout: answerMs,
      keepalive: 600,
      ca: this.#authority.root.toString(),
      cert: chain,
      key: key.reveal(),
    })
    before?.end(true)
    client.on('message', (_topic, payload) => this.received.add(Number(payload.toString('latin1'))))
    client.on('error', () => {})
    client.once('close', () => {
      if (this.#client === client && !this.#isStopped) this.surprises.push('a connection ended that was in use')
    })
    this.#closed = whenClosed(client)
    this.#closed.catch(() => {})
    this.#client = client
    await within(client.subscribeAsync(`devices/${this.id}/messages/#`, { qos: 1 }))
  }

  /** Sends one message after the other, each until it is acknowledged, over whatever connection it has. */
  start(pauseMs: number): void {
    this.#sending = this.#send(pauseMs)
  }

  async #send(pauseMs: number): Promise<void> {
    while (!this.#isStopped) {
      await this.#sendOne(this.acknowledged + 1)
      this.acknowledged++
      await new Promise((resolve) => setTimeout(resolve, pauseMs))
    }
  }

  async #sendOne(number: number): Promise<void> {
    while (!this.#isEnded) {
      const [client, closed] = [this.#client, this.#closed]
      try {
        if (client === null) throw new Error('between two connections')
        const topic = `devices/${this.id}/messages/events/`
        await within(client.publishAsync(topic, String(number), { qos: 1 }), closed)
        return
      } catch (error) {
        if (error instanceof ErrorWithReasonCode) throw error
        // The connection has been replaced: the message is sent again on the new one.
        await new Promise((resolve) => setTimeout(resolve, 20))
      }
    }
  }

  /** Ends the sending; fulfilled when all that was sent is acknowledged. */
  async stop(): Promise<void> {
    this.#isStopped = true
    await this.#sending
  }

  /**
   * What it may do, as the hub answers it.
   *
   * @param topics to publish to and to subscribe below, by what they are called in the answer
   * @returns reason codes and granted QoS
   */
  async rights(topics: Readonly<Record<string, string>>): Promise<Readonly<Record<string, number>>> {
    const client = this.#client ?? assert.fail('a device asks on a connection')
    const names = Object.keys(topics)
    const filters = Object.fromEntries(Object.values(topics).map((topic) => [`${topic}/#`, { qos: 1 as const }]))
    const grants = await within(client.subscribeAsync(filters).then((all) => all.map(({ qos }) => qos), grantedIn))
    const found = names.map((name, place) => [`subscribe ${name}`, grants[place] ?? -1] as const)
    // MQTT 3.1.1 has no answer to a message that is denied but to close.
    if (this.version === 4) return Object.fromEntries(found)
    const publish = async (name: string): Promise<readonly [string, number]> => {
      const sent = client.publishAsync(topics[name] ?? '', '', { qos: 1 }).then(() => 0, reasonCodeIn)
      return [`publish ${name}`, await within(sent, this.#closed)]
    }
    return Object.fromEntries([...found, ...(await Promise.all(names.map(publish)))])
  }

  /** Whatever it was at. */
  async end(): Promise<void> {
    this.#isStopped = true
    this.#isEnded = true
    const client = this.#client
    this.#client = null
    await client?.endAsync(true)
  }
}

/** MQTT.js rejects where one of several filters is denied. */
function grantedIn(error: unknown): readonly number[] {
  const { packet } = error as { packet?: { granted?: readonly number[] } }
  if (packet?.granted === undefined) throw error
  return packet.granted
}

function reasonCodeIn(error: unknown): number {
  const { code } = error as { code?: unknown }
  if (typeof code === 'number') return code
  throw error
}

function whenClosed(client: MqttClient): Promise<never> {
  return new Promise((_resolve, reject) => client.once('close', () => reject(new Error('the connection ended'))))
}

async function within<T>(work: Promise<T>, orElse?: Promise<never>): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error(`no answer within ${answerMs / 1000} s`)), answerMs)
  })
  try {
    return await Promise.race([work, late, ...(orElse === undefined ? [] : [orElse])])
  } finally {
    clearTimeout(timer)
  }
}
