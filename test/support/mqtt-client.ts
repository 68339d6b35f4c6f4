/** MQTT.js as a device would use it, with its events as promises. */
import { readFileSync } from 'node:fs'
import mqtt, { type IClientOptions, type MqttClient } from 'mqtt'
import type { DeviceFiles } from './hub-process.ts'

export interface Refusal {
  /** CONNACK code, or null when the connection ended without one. */
  readonly code: number | null
  readonly reasonString: string | null
  readonly message: string
}

/** TLS options with the files of a device. */
export function tlsOf(files: DeviceFiles): { ca: Buffer; cert: Buffer; key: Buffer } {
  return { ca: readFileSync(files.ca), cert: readFileSync(files.cert), key: readFileSync(files.key) }
}

/** Options for a client that connects once and tells what happens. */
export function clientOptions(port: number, files: DeviceFiles | null, version: 4 | 5): IClientOptions {
  return {
    host: 'localhost',
    port,
    protocol: 'mqtts',
    protocolVersion: version,
    clientId: `${files?.id ?? 'nobody'}-${Math.random().toString(16).slice(2)}`,
    reconnectPeriod: 0,
    connectTimeout: 10_000,
    ...(files === null ? { rejectUnauthorized: false } : tlsOf(files)),
  }
}

/** Connects, or rejects with what the hub answered. */
export function connected(options: IClientOptions): Promise<MqttClient> {
  return new Promise((resolve, reject) => {
    const client = mqtt.connect(options)
    client.once('connect', () => resolve(client))
    client.once('error', (error) => {
      client.end(true)
      reject(error)
    })
    client.once('close', () => {
      client.end(true)
      reject(new Error('closed before CONNACK'))
    })
  })
}

/** Connects in the hope of a refusal, and answers with it. */
export function refused(options: IClientOptions): Promise<Refusal> {
  return new Promise((resolve, reject) => {
    const client = mqtt.connect(options)
    let answer: Refusal | null = null
    client.on('packetreceive', (packet) => {
      if (packet.cmd !== 'connack') return
      const code = packet.reasonCode ?? packet.returnCode ?? null
      answer = { code, reasonString: packet.properties?.reasonString ?? null, message: 'connack' }
    })
    client.once('connect', () => {
      client.end(true)
      reject(new Error('the hub let the client in'))
    })
    let message = 'closed'
    client.on('error', (error) => {
      message = error.message
    })
    client.once('close', () => {
      client.end(true)
      resolve(answer ?? { code: null, reasonString: null, message })
    })
  })
}

/** The next event of a client, as a promise. */
export function nextEvent(client: MqttClient, event: 'close' | 'disconnect'): Promise<unknown> {
  return new Promise((resolve) => {
    client.once(event, (value?: unknown) => resolve(value))
  })
}

/** The next message that a client is given. */
export function nextMessage(client: MqttClient): Promise<{ topic: string; payload: string }> {
  return new Promise((resolve) => {
    client.once('message', (topic, payload) => resolve({ topic, payload: payload.toString('utf8') }))
  })
}
