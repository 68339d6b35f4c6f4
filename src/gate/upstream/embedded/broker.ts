/** Aedes with limits, and without what the gate does: it trusts every client and never times one out. */
import type { Readable } from 'node:stream'
import { Aedes, type Client } from 'aedes'
import { limits } from '../../../core/limits.ts'
import { AwaySessions } from './away-sessions.ts'
import { boundPersistence, type KeptMessage, type Persistence } from './bounded-persistence.ts'
import { brokerLimits } from './broker-limits.ts'
import type { ClientStream } from './client-stream.ts'

/** How often the sessions of absent clients are looked through, in milliseconds. */
const expiryMs = 60_000

export interface Broker {
  handle(stream: ClientStream): void
}

export async function startBroker(): Promise<Broker> {
  const aedes = await Aedes.createBroker({
    // Every message may wait for its own recipients; a common number of places would let one slow client stop all.
    concurrency: 0,
    drainTimeout: brokerLimits.clientDrainMs,
    connectTimeout: limits.upstreamConnectMs,
    // Packets that come with the CONNECT; the credit of the connection bounds them, and none is shorter than 2 bytes.
    queueLimit: limits.upstreamCreditBytes / 2,
    maxClientsIdLength: 0xffff,
    maxTopicLevels: limits.topicLevelsMax,
    maximumPacketSize: limits.packetBytesMax,
    sessionExpiryIntervalLimit: brokerLimits.sessionExpirySecMax,
    pendingSessionsLimit: brokerLimits.awaySessionsMax,
    preConnect(_client, packet, done) {
      // The gate watches the silence of clients and may answer their pings itself.
      packet.keepalive = 0
      done(null, true)
    },
    // Aedes takes orders to end other clients below $SYS/, and tells client ids there: neither is for clients.
    authorizePublish: (_client, { topic }, done) => done(isReserved(topic) ? new Error('$SYS/ is reserved') : null),
    authorizeForward: (client, packet) => (isForwarded(client, packet) ? packet : null),
  })
  // Errors of clients end their connection, which the gate sees; an unheard 'error' would end the thread.
  for (const event of ['clientError', 'connectionError'] as const) aedes.on(event, () => {})
  aedes.setMaxListeners(0)
  ;(aedes as NodeJS.EventEmitter).on('error', () => {})

  const { persistence, clients } = aedes as unknown as Insides
  boundPersistence(
    persistence,
    (clientId) => clients[clientId] !== undefined,
    () => {},
  )
  watchAwaySessions(aedes, persistence)
  return { handle: (stream) => void aedes.handle(stream) }
}

/** What Aedes does not declare. */
interface Insides {
  readonly persistence: Persistence & SessionPersistence
  readonly clients: Readonly<Record<string, unknown>>
}
interface SessionPersistence {
  cleanSubscriptions(client: { readonly id: string }): Promise<void>
  outgoingStream(client: { readonly id: string }): Readable
  delWill(client: { readonly id: string }): Promise<void>
}

function isReserved(topic: string): boolean {
  return topic.startsWith('$SYS/')
}

/** Messages of QoS 0 are dropped for a client that has too much waiting; others wait or end with it. */
function isForwarded(client: Client, { topic, qos }: { readonly topic: string; readonly qos: number }): boolean {
  return !isReserved(topic) && (qos > 0 || !isChoked(client))
}

function isChoked(client: Client): boolean {
  return (client.conn as ClientStream).writableLength > 4 * brokerLimits.clientWaitingBytesMax
}

function watchAwaySessions(aedes: Aedes, persistence: Persistence & SessionPersistence): void {
  const sessions = new AwaySessions((id) => void forget(persistence, id).catch(() => {}))
  aedes.on('client', ({ id }) => sessions.comeBack(id))
  aedes.on('clientDisconnect', (client) => {
    const isOld = (client as unknown as { readonly version: number }).version < 5
    if (isOld && !client.clean) sessions.leave(client.id, performance.now())
  })
  setInterval(() => sessions.expire(performance.now()), expiryMs)
}

async function forget(persistence: Persistence & SessionPersistence, id: string): Promise<void> {
  await persistence.cleanSubscriptions({ id })
  for await (const message of persistence.outgoingStream({ id })) {
    await persistence.outgoingClearMessageId({ id }, message as KeptMessage)
  }
}
