/** One simulated device on its MQTT connection: MQTT 5 over mutual TLS, as a real one would. */
import { setTimeout as pause } from 'node:timers/promises'
import { connect, ErrorWithReasonCode, type MqttClient } from 'mqtt'
import type { Secret } from '../core/secret.ts'
import { type Reading, takeReading } from './reading.ts'

export interface DeviceConnection {
  readonly id: string
  readonly host: string
  readonly port: number
  /** Texts in PEM: the root, the certificate chain, the key. */
  readonly ca: string
  readonly certificate: string
  readonly key: Secret
}

export interface SendingOptions {
  /** Readings to send before it ends by itself; null for no end. */
  readonly count: number | null
  readonly intervalMs: number
  readonly random: () => number
  /** Ends the device early. */
  readonly signal: AbortSignal
  readonly report: (event: DeviceEvent) => void
}

/** What happens to a device on its connection. */
export type DeviceEvent = { readonly id: string } & (
  | { readonly kind: 'connected' }
  | { readonly kind: 'sent'; readonly reading: Reading }
  /** The hub said no; `isFinal` when trying again has no use. */
  | { readonly kind: 'refused'; readonly reason: string; readonly isFinal: boolean }
  /** The connection ended, or could not be made; it is tried again. */
  | { readonly kind: 'lost'; readonly reason: string }
)

/** How a device ended. */
export interface DeviceOutcome {
  readonly id: string
  readonly sent: number
  /** What the hub said when it refused it for good, or null. */
  readonly refusal: string | null
}

/** Milliseconds between two tries to connect: this and up to as much again by chance, so that a fleet spreads out. */
const reconnectMs = 1_000
/** Milliseconds for TLS and CONNACK. */
const connectMs = 20_000

/** Connects and sends until the count is reached, the signal says so or the hub refuses for good. */
export async function runDevice(connection: DeviceConnection, options: SendingOptions): Promise<DeviceOutcome> {
  const { id } = connection
  const client = open(connection, options.random)
  const ended = new AbortController()
  const end = (): void => ended.abort()
  options.signal.addEventListener('abort', end, { once: true })
  if (options.signal.aborted) end()
  const refusal = watch(client, id, options.report, end)
  let sent = 0
  try {
    while (!ended.signal.aborted && (options.count === null || sent < options.count)) {
      const reading = takeReading(id, sent, options.random)
      await unlessEnded(send(client, reading), ended.signal)
      sent += 1
      options.report({ id, kind: 'sent', reading })
      const isLast = sent === options.count
      if (!isLast) await pause(options.intervalMs, undefined, { signal: ended.signal })
    }
  } catch (error) {
    if (!ended.signal.aborted) refusal.current ??= reasonOf(error)
  } finally {
    options.signal.removeEventListener('abort', end)
    await client.endAsync(ended.signal.aborted)
  }
  return { id, sent, refusal: refusal.current }
}

function open({ id, host, port, ca, certificate, key }: DeviceConnection, random: () => number): MqttClient {
  return connect({
    protocol: 'mqtts',
    host,
    port,
    ca,
    cert: certificate,
    key: key.reveal(),
    rejectUnauthorized: true,
    clientId: id,
    protocolVersion: 5,
    clean: true,
    reconnectPeriod: reconnectMs + Math.floor(random() * reconnectMs),
    reconnectOnConnackError: true,
    connectTimeout: connectMs,
  })
}

/** QoS 1: fulfilled when the hub has acknowledged it. */
async function send(client: MqttClient, reading: Reading): Promise<void> {
  await client.publishAsync(`devices/${reading.deviceId}/messages/events/`, JSON.stringify(reading), {
    qos: 1,
    properties: {
      contentType: 'application/json',
      userProperties: { temperatureAlert: String(reading.temperatureAlert) },
    },
  })
}

/** Turns the client's events into ours and ends the device when the hub refuses it for good. */
function watch(
  client: MqttClient,
  id: string,
  report: SendingOptions['report'],
  end: () => void,
): { current: string | null } {
  const refusal: { current: string | null } = { current: null }
  let said: string | null = null
  let lastReason: string | null = null
  client.on('packetreceive', (packet) => {
    if (packet.cmd === 'connack' || packet.cmd === 'disconnect') said = reasonStringOf(packet)
  })
  client.on('connect', () => {
    lastReason = null
    report({ id, kind: 'connected' })
  })
  client.on('error', (error) => {
    const isRefusal = error instanceof ErrorWithReasonCode
    const reason = isRefusal ? (said ?? error.message) : reasonOf(error)
    const isFinal = isRefusal && !passingReasons.has(error.code)
    if (isFinal) {
      refusal.current = reason
      end()
    }
    if (reason === lastReason) return
    lastReason = reason
    report(isRefusal ? { id, kind: 'refused', reason, isFinal } : { id, kind: 'lost', reason })
  })
  client.on('disconnect', (packet) => {
    lastReason = said ?? `closed by the hub with reason code 0x${(packet.reasonCode ?? 0).toString(16)}`
    report({ id, kind: 'lost', reason: lastReason })
  })
  client.on('offline', () => {
    if (lastReason !== null) return
    lastReason = 'the connection was lost'
    report({ id, kind: 'lost', reason: lastReason })
  })
  return refusal
}

/** Reason codes of MQTT 5 after which trying again has a use: unavailable, busy, quota, rate, moved for now, stopping. */
const passingReasons: ReadonlySet<number> = new Set([0x83, 0x88, 0x89, 0x8b, 0x97, 0x9c, 0x9f])

function reasonStringOf(packet: object): string | null {
  const { properties } = packet as { properties?: { reasonString?: unknown } }
  return typeof properties?.reasonString === 'string' ? properties.reasonString : null
}

function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  const { code } = error as NodeJS.ErrnoException
  return error.message || String(code ?? error.name)
}

/** The work, or a rejection as soon as the signal comes: a message that waits for a connection would wait for ever. */
function unlessEnded(work: Promise<void>, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const onEnd = (): void => reject(signal.reason)
    if (signal.aborted) onEnd()
    signal.addEventListener('abort', onEnd, { once: true })
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', onEnd))
  })
}
