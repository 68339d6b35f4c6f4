/**
 * A session of the gate's own with a broker. It finds out what the broker can do, and asks again and again whether it is there.
 *
 * What a broker can do it says itself under MQTT 5. Before, it is tried: a subscription with QoS 2 is granted what there is, and
 * one to a topic that NATS cannot take is refused.
 */
import type { Socket } from 'node:net'
import { limits } from '../../../core/limits.ts'
import { parseConnack } from '../../../core/mqtt/connack.ts'
import { encodeConnect } from '../../../core/mqtt/connect.ts'
import { encodeGoodbye } from '../../../core/mqtt/disconnect.ts'
import type { TopicFilter } from '../../../core/mqtt/filter.ts'
import { numberIn, type Property, property } from '../../../core/mqtt/properties.ts'
import { type ProtocolVersion, packetType, reason, typeOf } from '../../../core/mqtt/protocol.ts'
import { PacketSplitter } from '../../../core/mqtt/splitter.ts'
import { encodeSubscribe, parseSuback } from '../../../core/mqtt/subscribe.ts'
import { Violation } from '../../../core/mqtt/violation.ts'
import type { UpstreamAbilities } from '../../../hub/ports/upstream.ts'
import { type BrokerLogin, passwordOf } from './introduction.ts'

export interface TrialEvents {
  /** The broker serves. */
  onUp(abilities: UpstreamAbilities): void
  /** The session is over, or did not come about. Called once, last. */
  onDown(why: TrialEnd): void
}

export interface TrialEnd {
  /** A sentence for the log, without secrets. */
  readonly why: string
  /** The broker closed or said that it does not know this version of MQTT. */
  readonly isVersionRefused: boolean
  /** The connection stands and nothing comes. */
  readonly isSilent: boolean
}

export interface TrialOptions {
  readonly version: ProtocolVersion
  readonly clientId: string
  readonly login: BrokerLogin | null
}

/** Answers of MQTT 3.1.1 and 5 that mean "not this version". */
const versionRefusals: ReadonlySet<number> = new Set([0x01, reason.unsupportedVersion])

/** What MQTT allows in topics and not every broker. */
const doubtfulCharacters = [' ', '.'] as const

const PINGREQ = Buffer.of(packetType.pingreq << 4, 0)

export class Trial {
  readonly #socket: Socket
  readonly #options: TrialOptions
  readonly #events: TrialEvents
  readonly #splitter = new PacketSplitter(limits.packetBytesMax)
  #step: 'connect' | 'subscribe' | 'up' | 'over' = 'connect'
  #ofBroker: readonly Property[] = []
  #isAnswerDue = true
  #timer: NodeJS.Timeout
  #error: string | null = null

  constructor(socket: Socket, options: TrialOptions, events: TrialEvents) {
    this.#socket = socket
    this.#options = options
    this.#events = events
    socket.on('data', (bytes) => this.#onData(bytes))
    socket.on('error', (error: NodeJS.ErrnoException) => {
      this.#error = error.code ?? error.message
    })
    socket.once('close', () => this.#end(this.#error ?? 'the broker closed the connection', this.#error === null))
    this.#timer = setInterval(() => this.#onTick(), limits.upstreamPingMs)
    const { version, clientId, login } = options
    const keepAliveSec = Math.ceil((limits.upstreamPingMs * 4) / 1000)
    const names = { clientId, keepAliveSec, username: login?.username ?? clientId, password: passwordOf(login) }
    socket.write(encodeConnect({ version, cleanStart: true, will: null, properties: [] }, names))
  }

  /** Ends the session. `onDown` is not called. */
  stop(): void {
    if (this.#step === 'over') return
    this.#step = 'over'
    clearInterval(this.#timer)
    this.#socket.end(encodeGoodbye())
    const timer = setTimeout(() => this.#socket.destroy(), limits.farewellMs)
    this.#socket.once('close', () => clearTimeout(timer))
  }

  #onTick(): void {
    if (this.#isAnswerDue) {
      this.#end(`the broker has not answered for ${limits.upstreamPingMs / 1000} s`, false, true)
      return
    }
    this.#isAnswerDue = true
    this.#socket.write(PINGREQ)
  }

  #onData(bytes: Buffer): void {
    this.#splitter.feed(bytes)
    while (this.#step !== 'over') {
      const packet = this.#splitter.take()
      if (packet === null) return
      this.#isAnswerDue = false
      if (packet instanceof Violation) this.#end(`the stream of the broker is broken: ${packet.sentence}`)
      else this.#take(packet)
    }
  }

  #take(packet: Buffer): void {
    const type = typeOf(packet)
    if (this.#step === 'connect') this.#takeConnack(packet)
    else if (this.#step === 'subscribe' && type === packetType.suback) this.#takeSuback(packet)
    else if (type === packetType.disconnect) this.#end('the broker said DISCONNECT')
  }

  #takeConnack(packet: Buffer): void {
    const { version, clientId } = this.#options
    if (typeOf(packet) !== packetType.connack) {
      this.#end('the first packet of the broker is not a CONNACK')
      return
    }
    // A broker that knows nothing of MQTT 5 refuses it in the form of MQTT 3.1.1.
    const connack = parseConnack(packet, packet.length === 4 ? 4 : version)
    if (connack instanceof Violation) this.#end(`the CONNACK of the broker is malformed: ${connack.sentence}`)
    else if (connack.code !== 0) {
      const code = `0x${connack.code.toString(16).padStart(2, '0')}`
      this.#end(`the broker refused the gate with code ${code}`, versionRefusals.has(connack.code))
    } else {
      this.#ofBroker = connack.properties
      this.#step = 'subscribe'
      const tried = version === 5 ? [''] : ['', ...doubtfulCharacters]
      const subscriptions = tried.map(
        (character) => ({ filter: `${clientId}${character}` as TopicFilter, qos: 2, options: 2 }) as const,
      )
      this.#socket.write(encodeSubscribe({ packetId: 1, properties: [], subscriptions }, subscriptions, version))
    }
  }

  #takeSuback(packet: Buffer): void {
    const { version } = this.#options
    const suback = parseSuback(packet, version)
    if (suback instanceof Violation) {
      this.#end(`the SUBACK of the broker is malformed: ${suback.sentence}`)
      return
    }
    this.#step = 'up'
    this.#events.onUp(abilitiesOf(version, this.#ofBroker, suback.codes))
  }

  #end(why: string, isVersionRefused = false, isSilent = false): void {
    if (this.#step === 'over') return
    const wasConnecting = this.#step === 'connect'
    this.#step = 'over'
    clearInterval(this.#timer)
    this.#socket.destroy()
    this.#events.onDown({ why, isSilent, isVersionRefused: isVersionRefused && wasConnecting })
  }
}

/**
 * @param codes of a subscription with QoS 2, which says nothing of QoS where it was refused, and of one for each doubtful
 *   character, which says nothing of characters then
 */
function abilitiesOf(
  version: ProtocolVersion,
  said: readonly Property[],
  [granted = 0x80, ...others]: readonly number[],
): UpstreamAbilities {
  const refused = granted > 2 ? [] : doubtfulCharacters.filter((_, index) => (others[index] ?? 0) > 2)
  const isModern = version === 5
  const saidQos = isModern ? (numberIn(said, property.maximumQos) ?? 2) : 2
  return {
    protocolVersions: new Set(isModern ? ([4, 5] as const) : ([4] as const)),
    qosMax: Math.min(saidQos, granted <= 2 ? granted : 2) as 0 | 1 | 2,
    retain: numberIn(said, property.retainAvailable) !== 0,
    // Shared subscriptions came with MQTT 5.
    sharedSubscriptions: isModern && numberIn(said, property.sharedAvailable) !== 0,
    ...(refused.length === 0 ? {} : { topicCharactersRefused: refused.join('') }),
  }
}
