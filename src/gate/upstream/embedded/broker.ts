/** Aedes with limits, and without what the gate does: it trusts every client and never times one out. */
import { Aedes } from 'aedes'
import { limits } from '../../../core/limits.ts'
import type { AedesClient } from './aedes-types.ts'
import { AwaySessions } from './away-sessions.ts'
import { brokerLimits } from './broker-limits.ts'
import type { ClientStream } from './client-stream.ts'
import { Deliverer, isReserved } from './deliverer.ts'
import { MessageBus } from './message-bus.ts'
import { readPackets } from './packet-reader.ts'
import { keptSessionMarker, mayHold, Persistence } from './persistence.ts'
import { Sessions } from './sessions.ts'

/** How often the sessions of absent clients are looked through, in milliseconds. */
const expiryMs = 60_000

export interface Broker {
  handle(stream: ClientStream): void
}

export async function startBroker(): Promise<Broker> {
  const sessions = new Sessions()
  const persistence = new Persistence(sessions)
  const deliverers = new WeakMap<object, Deliverer>()
  const aedes = await Aedes.createBroker({
    persistence,
    mq: new MessageBus(),
    // With a bus of one's own it is nothing but the listeners that a stream may have: any number.
    concurrency: 0,
    drainTimeout: brokerLimits.clientDrainMs,
    connectTimeout: limits.upstreamConnectMs,
    // Packets that come with the CONNECT; the credit of the connection bounds them, and none is shorter than 2 bytes.
    queueLimit: limits.upstreamCreditBytes / 2,
    maxClientsIdLength: 0xffff,
    maxTopicLevels: limits.topicLevelsMax,
    maximumPacketSize: limits.packetBytesMax,
    receiveMaximum: brokerLimits.unreleasedMessagesMax,
    sessionExpiryIntervalLimit: brokerLimits.sessionExpirySecMax,
    pendingSessionsLimit: brokerLimits.awaySessionsMax,
    preConnect(client, packet, done) {
      // The gate watches the silence of clients and may answer their pings itself.
      packet.keepalive = 0
      deliverers.set(client, new Deliverer(client as unknown as AedesClient, sessions))
      done(null, true)
    },
    authorizePublish(_client, packet, done) {
      // What was for the broker alone does not go on to subscribers (MQTT-3.3.1-3, MQTT 5 §3.1.3.2.2).
      packet.dup = false
      delete (packet.properties as { willDelayInterval?: number } | undefined)?.willDelayInterval
      // Aedes takes orders to end other clients below $SYS/.
      done(isReserved(packet.topic) ? new Error('$SYS/ is reserved') : null)
    },
    authorizeSubscribe(client, asked, done) {
      const { subscriptions } = client as unknown as AedesClient
      const held = { size: Object.keys(subscriptions).length, has: (filter: string) => filter in subscriptions }
      const isGranted = (asked as object) !== keptSessionMarker && mayHold(held, asked.topic)
      done(null, isGranted ? asked : null)
    },
  })
  keepToItself(aedes)
  // Errors of clients end their connection, which the gate sees; an unheard 'error' would end the thread.
  for (const event of ['clientError', 'connectionError'] as const) aedes.on(event, () => {})
  aedes.setMaxListeners(0)
  ;(aedes as NodeJS.EventEmitter).on('error', () => {})
  aedes.on('connackSent', (_connack, client) => deliverers.get(client)?.start())
  watchAwaySessions(aedes, persistence)
  return {
    handle(stream) {
      const client = aedes.handle(stream)
      readPackets(client as unknown as AedesClient, (packetId) => deliverers.get(client)?.declined(packetId))
    },
  }
}

/**
 * Aedes tells the topics below `$SYS/` of every client that comes, goes and subscribes, for other brokers beside it. There are
 * none, and clients have no part in it, so it goes nowhere.
 */
function keepToItself(aedes: Aedes): void {
  const publish = aedes.publish.bind(aedes) as (...all: unknown[]) => void
  aedes.publish = (packet: { readonly topic: string }, ...rest: unknown[]) => {
    const [done] = rest
    if (typeof done === 'function' && isReserved(packet.topic)) done(null)
    else publish(packet, ...rest)
  }
}

function watchAwaySessions(aedes: Aedes, persistence: Persistence): void {
  const away = new AwaySessions((id) => void persistence.cleanSubscriptions({ id, closed: true }))
  aedes.on('client', ({ id }) => away.comeBack(id))
  aedes.on('clientDisconnect', (client) => {
    if (client.version < 5 && !client.clean) away.leave(client.id, performance.now())
  })
  setInterval(() => away.expire(performance.now()), expiryMs)
}
