/** One server of a broker: whether it is there, what it can do, and the connections of clients to it. */
import type { Socket } from 'node:net'
import { limits } from '../../../core/limits.ts'
import type { ProtocolVersion } from '../../../core/mqtt/protocol.ts'
import { type BrokerAddress, brokerAddressText } from '../../../core/upstream/broker-address.ts'
import type { Log } from '../../../hub/ports/log.ts'
import type { UpstreamAbilities, UpstreamConnection, UpstreamListener } from '../../../hub/ports/upstream.ts'
import { Doorway } from './doorway.ts'
import type { BrokerLogin } from './introduction.ts'
import { RemoteConnection } from './remote-connection.ts'
import { Trial, type TrialEnd } from './trial.ts'

export interface ServerOptions {
  readonly address: BrokerAddress
  readonly dial: (address: BrokerAddress) => Socket
  readonly login: BrokerLogin | null
  /** Client id of the gate's own session. */
  readonly clientId: string
  readonly log: Log
  /** The server takes connections and answers nothing. */
  onSilent?(): void
}

export class Server {
  readonly #options: ServerOptions
  readonly #connections = new Set<RemoteConnection>()
  readonly #doorway = new Doorway()
  readonly #firstOutcome = Promise.withResolvers<void>()
  #abilities: UpstreamAbilities | null = null
  #version: ProtocolVersion = 5
  #trial: Trial | null = null
  #retryMs: number = limits.upstreamRetryMs
  #retryTimer: NodeJS.Timeout | undefined
  #lastWhy: string | null = null
  #losses = 0
  #isStopped = false

  constructor(options: ServerOptions) {
    this.#options = options
  }

  /** Tries to reach the server, now and for as long as it is not there. Fulfilled when it is known whether it serves. */
  start(): Promise<void> {
    this.#try()
    return this.#firstOutcome.promise
  }

  /** What it can do; null while it does not serve. */
  get abilities(): UpstreamAbilities | null {
    return this.#abilities
  }

  /** How often it has gone away. */
  get losses(): number {
    return this.#losses
  }

  connect(hello: Buffer, listener: UpstreamListener): UpstreamConnection {
    const { dial, address } = this.#options
    const connection: RemoteConnection = new RemoteConnection({
      ...{ hello, listener, doorway: this.#doorway },
      dial: () => dial(address),
      isBrokerUp: () => this.#abilities !== null,
      forget: () => this.#connections.delete(connection),
    })
    this.#connections.add(connection)
    return connection
  }

  /** Ends all connections and the gate's own. */
  stop(): void {
    this.#isStopped = true
    clearTimeout(this.#retryTimer)
    this.#trial?.stop()
    this.#abilities = null
    this.#endAll(false)
  }

  #try(): void {
    const { dial, address, login, clientId, log } = this.#options
    this.#trial = new Trial(
      dial(address),
      { version: this.#version, clientId, login },
      {
        onUp: (abilities) => {
          this.#abilities = abilities
          this.#retryMs = limits.upstreamRetryMs
          this.#lastWhy = null
          log.info('the broker serves', { address: brokerAddressText(address), ...figuresOf(abilities) })
          this.#firstOutcome.resolve()
        },
        onDown: (end) => this.#onDown(end),
      },
    )
  }

  #onDown({ why, isVersionRefused, isSilent }: TrialEnd): void {
    const { address, log, onSilent } = this.#options
    this.#trial = null
    const wasUp = this.#abilities !== null
    this.#abilities = null
    if (wasUp) {
      this.#losses++
      this.#endAll(true)
    }
    if (this.#isStopped) return
    if (isVersionRefused && this.#version === 5) {
      this.#version = 4
      this.#try()
      return
    }
    // What comes next at this address may know MQTT 5.
    this.#version = 5
    // Once for each cause, not for each try.
    if (why !== this.#lastWhy) log.error('the broker cannot be reached', { address: brokerAddressText(address), why })
    this.#lastWhy = why
    this.#firstOutcome.resolve()
    if (isSilent) onSilent?.()
    this.#retryTimer = setTimeout(() => this.#try(), this.#retryMs)
    this.#retryMs = Math.min(this.#retryMs * 2, limits.upstreamRetryMsMax)
  }

  #endAll(broken: boolean): void {
    for (const connection of [...this.#connections]) connection.end(broken)
  }
}

function figuresOf({ protocolVersions, ...others }: UpstreamAbilities): object {
  return { mqtt5: protocolVersions.has(5), ...others }
}
