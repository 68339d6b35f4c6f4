/**
 * A broker that the gate reaches over sockets: one connection for each client, to one server or to several of a cluster. The
 * sessions are the broker's; a client whose server has gone comes back through another.
 */
import { HubError } from '../../../core/errors.ts'
import type { BrokerAddress } from '../../../core/upstream/broker-address.ts'
import type { Log } from '../../../hub/ports/log.ts'
import type { Random } from '../../../hub/ports/random.ts'
import type {
  Upstream,
  UpstreamAbilities,
  UpstreamClient,
  UpstreamConnection,
  UpstreamListener,
} from '../../../hub/ports/upstream.ts'
import { type BrokerTls, dialer } from './dial.ts'
import { type Introduction, introduce } from './introduction.ts'
import { Server } from './server.ts'

export interface RemoteUpstreamOptions extends Introduction {
  /** At least one. */
  readonly addresses: readonly BrokerAddress[]
  readonly tls: BrokerTls
  readonly random: Random
  readonly log: Log
  /** A server takes connections and answers nothing. */
  onSilent?(): void
}

/** What is taken for granted of a broker that has not been met. */
const everything: UpstreamAbilities = {
  protocolVersions: new Set([4, 5]),
  qosMax: 2,
  retain: true,
  sharedSubscriptions: true,
}

/**
 * Starts to look for the broker. Fulfilled when it is known of every server whether it serves; one that does not is tried on.
 *
 * @throws HubError `broker-settings-unusable` when certificates or key for the broker cannot be used
 */
export async function startRemoteUpstream(options: RemoteUpstreamOptions): Promise<RemoteUpstream> {
  const upstream = new RemoteUpstream(options)
  await upstream.start()
  return upstream
}

export class RemoteUpstream implements Upstream {
  readonly #introduction: Introduction
  readonly #servers: readonly Server[]
  #known: UpstreamAbilities = everything
  #turn = 0

  constructor({ addresses, tls, random, log, login, clientIds, onSilent }: RemoteUpstreamOptions) {
    this.#introduction = { login, clientIds }
    const dial = dialOf(tls)
    const clientId = `handfast-gate-${Buffer.from(random.bytes(8)).toString('hex')}`
    this.#servers = addresses.map(
      (address, index) =>
        new Server({
          ...{ address, dial, login, log, clientId: `${clientId}-${index}` },
          ...(onSilent === undefined ? {} : { onSilent }),
        }),
    )
  }

  async start(): Promise<void> {
    await Promise.all(this.#servers.map((server) => server.start()))
  }

  /** What every server that serves can do; while there is none, what the last ones could. */
  get abilities(): UpstreamAbilities {
    const [first, ...others] = this.#servers.flatMap(({ abilities }) => abilities ?? [])
    if (first !== undefined) this.#known = others.reduce(whatBothCan, first)
    return this.#known
  }

  isAvailable(): boolean {
    return this.#servers.some(({ abilities }) => abilities !== null)
  }

  /** How many servers serve. */
  servingCount(): number {
    return this.#servers.filter(({ abilities }) => abilities !== null).length
  }

  connect(client: UpstreamClient, listener: UpstreamListener): UpstreamConnection {
    const serving = this.#servers.filter(({ abilities }) => abilities !== null)
    const server = serving[this.#turn++ % Math.max(serving.length, 1)]
    if (server === undefined) throw new HubError('upstream-unavailable', 'the broker behind the gate cannot be reached')
    return server.connect(introduce(client, this.#introduction), listener)
  }

  /** How often a server has gone away. */
  restarts(): number {
    return this.#servers.reduce((sum, { losses }) => sum + losses, 0)
  }

  async stop(): Promise<void> {
    for (const server of this.#servers) server.stop()
  }
}

function dialOf(tls: BrokerTls): ReturnType<typeof dialer> {
  try {
    return dialer(tls)
  } catch (error) {
    const why = error instanceof Error && 'code' in error ? String(error.code) : 'no certificate or key'
    throw new HubError('broker-settings-unusable', `certificates or key for the broker cannot be used (${why})`, {
      cause: error,
    })
  }
}

function whatBothCan(one: UpstreamAbilities, other: UpstreamAbilities): UpstreamAbilities {
  if (one === other) return one
  const refused = new Set([...(one.topicCharactersRefused ?? ''), ...(other.topicCharactersRefused ?? '')])
  return {
    ...(refused.size === 0 ? {} : { topicCharactersRefused: [...refused].join('') }),
    protocolVersions: new Set([...one.protocolVersions].filter((version) => other.protocolVersions.has(version))),
    qosMax: Math.min(one.qosMax, other.qosMax) as 0 | 1 | 2,
    retain: one.retain && other.retain,
    sharedSubscriptions: one.sharedSubscriptions && other.sharedSubscriptions,
  }
}
