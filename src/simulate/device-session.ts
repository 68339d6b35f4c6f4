/** One MQTT connection of a simulated device, as a real one makes it: MQTT 5 over mutual TLS, made again when it is lost. */
import { checkServerIdentity, type PeerCertificate } from 'node:tls'
import { connect, ErrorWithReasonCode, type MqttClient } from 'mqtt'
import type { Secret } from '../core/secret.ts'
import type { Reading } from './reading.ts'

export interface SessionOptions {
  readonly id: string
  readonly host: string
  readonly port: number
  /** Texts in PEM: the roots, the certificate chain, the key. */
  readonly ca: string
  readonly certificate: string
  readonly key: Secret
  /** Time by the clock of the device, in milliseconds since the epoch. */
  readonly nowMs: () => number
  /** Numbers from 0 up to, not including, 1. */
  readonly random: () => number
  readonly report: (event: SessionEvent) => void
  /** Called once, when trying again has no use. */
  readonly onRefused: (reason: string) => void
}

/** What happens to a device on its connection. */
export type SessionEvent = { readonly id: string } & (
  | { readonly kind: 'connected' }
  /** The hub said no; `isFinal` when trying again has no use. */
  | { readonly kind: 'refused'; readonly reason: string; readonly isFinal: boolean }
  /** The connection ended, or could not be made; it is tried again. */
  | { readonly kind: 'lost'; readonly reason: string }
)

export interface DeviceSession {
  /** QoS 1: fulfilled when the hub has acknowledged it. */
  send(reading: Reading): Promise<void>
  /** Says good-bye and is fulfilled when the connection is closed; `isNow` does not wait for what is on its way. */
  end(isNow: boolean): Promise<void>
}

/** Milliseconds between two tries to connect: this and up to as much again by chance, so that a fleet spreads out. */
const reconnectMs = 1_000
/** Milliseconds for TLS and CONNACK. */
const connectMs = 20_000

export function openSession(options: SessionOptions): DeviceSession {
  const { id, host, port, ca, certificate, key, nowMs, random } = options
  // MQTT.js passes it on to node:tls; its types do not know of it.
  const verification = {
    checkServerIdentity: (name: string, server: PeerCertificate) =>
      checkServerIdentity(name, server) ?? refusalByClock(server, nowMs()),
  }
  const client = connect({
    ...verification,
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
  watch(client, options)
  return {
    async send(reading) {
      await client.publishAsync(`devices/${reading.deviceId}/messages/events/`, JSON.stringify(reading), {
        qos: 1,
        properties: {
          contentType: 'application/json',
          userProperties: { temperatureAlert: String(reading.temperatureAlert) },
        },
      })
    },
    end: (isNow) => client.endAsync(isNow),
  }
}

/** OpenSSL has only the clock of this machine; what it would have said to that of the device is said here. */
function refusalByClock({ valid_from, valid_to }: PeerCertificate, nowMs: number): Error | undefined {
  // To the day, so that it reads the same at every try.
  const now = `by the clock of this device it is ${new Date(nowMs).toISOString().slice(0, 10)}`
  if (nowMs < Date.parse(valid_from)) return new Error(`the certificate of the hub is not valid yet: ${now}`)
  if (nowMs > Date.parse(valid_to)) return new Error(`the certificate of the hub has expired: ${now}`)
  return undefined
}

/** Turns the client's events into ours, and says when the hub refuses the device for good. */
function watch(client: MqttClient, { id, report, onRefused }: SessionOptions): void {
  let said: string | null = null
  /** What was told last, and not again while it stays so. */
  let told: SessionEvent | null = null
  const tell = (event: SessionEvent): void => {
    const isSame = told !== null && JSON.stringify(told) === JSON.stringify(event)
    told = event
    if (!isSame) report(event)
  }
  client.on('packetreceive', (packet) => {
    if (packet.cmd === 'connack' || packet.cmd === 'disconnect') said = reasonStringOf(packet)
  })
  client.on('connect', () => tell({ id, kind: 'connected' }))
  client.on('error', (error) => {
    const isRefusal = error instanceof ErrorWithReasonCode
    const reason = isRefusal ? (said ?? error.message) : reasonOf(error)
    const isFinal = isRefusal && !passingReasons.has(error.code)
    if (isFinal) onRefused(reason)
    tell(isRefusal ? { id, kind: 'refused', reason, isFinal } : { id, kind: 'lost', reason })
  })
  client.on('disconnect', (packet) => {
    const reason = said ?? `closed by the hub with reason code 0x${(packet.reasonCode ?? 0).toString(16)}`
    tell({ id, kind: 'lost', reason })
  })
  // It follows whatever ended the connection; alone it is all that is known.
  client.on('offline', () => {
    if (told === null || told.kind === 'connected') tell({ id, kind: 'lost', reason: 'the connection was lost' })
  })
}

/** Reason codes of MQTT 5 after which trying again has a use: unavailable, busy, quota, rate, moved for now, stopping. */
const passingReasons: ReadonlySet<number> = new Set([0x83, 0x88, 0x89, 0x8b, 0x97, 0x9c, 0x9f])

function reasonStringOf(packet: object): string | null {
  const { properties } = packet as { properties?: { reasonString?: unknown } }
  return typeof properties?.reasonString === 'string' ? properties.reasonString : null
}

/** What an error says for itself; some of Node's carry a code and no words. */
export function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  const { code } = error as NodeJS.ErrnoException
  return error.message || String(code ?? error.name)
}
