/**
 * A server that does with TLS what the gate does, and with MQTT as little as the load can be made to believe: fixed answers, and
 * what a publisher sends goes to the subscriber with the same certificate as it came. There is no registry, no session, no look at
 * a topic.
 */
import { constants } from 'node:crypto'
import { readFileSync, renameSync, writeFileSync } from 'node:fs'
import type { AddressInfo } from 'node:net'
import { createServer, type TLSSocket } from 'node:tls'
import { packetType } from '../../src/core/mqtt/protocol.ts'
import { PacketCutter } from '../load/packet-cutter.ts'

export interface BareTlsSettings {
  readonly cert: string
  readonly key: string
  /** Where it says on which port it serves. */
  readonly readyFile: string
}

const connack = Buffer.from([packetType.connack << 4, 3, 0, 0, 0])
/** By serial number. */
const subscribers = new Map<string, TLSSocket>()

const [settingsFile = ''] = process.argv.slice(2)
const { cert, key, readyFile } = JSON.parse(readFileSync(settingsFile, 'utf8')) as BareTlsSettings
const options = {
  ...{ cert, key, ca: [], requestCert: true, rejectUnauthorized: false, noDelay: true },
  secureOptions: constants.SSL_OP_NO_RENEGOTIATION | constants.SSL_OP_NO_TICKET,
}
const server = createServer(options, serve)
server.listen({ host: '127.0.0.1', port: 0, backlog: 1024 }, () => {
  const { port } = server.address() as AddressInfo
  writeFileSync(`${readyFile}.new`, JSON.stringify({ host: '127.0.0.1', port }))
  renameSync(`${readyFile}.new`, readyFile)
})
process.once('SIGTERM', () => process.exit())

function serve(socket: TLSSocket): void {
  const serialNumber = socket.getPeerX509Certificate()?.serialNumber ?? ''
  const cutter = new PacketCutter()
  socket.on('error', () => {})
  socket.on('data', (chunk: Buffer) => {
    const acknowledgements: Buffer[] = []
    let isMessage = false
    for (const packet of cutter.cut(chunk)) {
      const type = (packet[0] ?? 0) >> 4
      if (type === packetType.publish) {
        isMessage = true
        if (((packet[0] ?? 0) & 0b0110) !== 0) acknowledgements.push(acknowledgementOf(packet))
      } else answer(packet, type)
    }
    if (isMessage) subscribers.get(serialNumber)?.write(chunk)
    if (acknowledgements.length > 0) socket.write(Buffer.concat(acknowledgements))
  })

  function answer(packet: Buffer, type: number): void {
    if (type === packetType.connect) socket.write(connack)
    else if (type === packetType.disconnect) socket.end()
    else if (type === packetType.subscribe) {
      subscribers.set(serialNumber, socket)
      // The QoS that is asked for is the last byte.
      const [high = 0, low = 0] = packet.subarray(2, 4)
      socket.write(Buffer.from([packetType.suback << 4, 4, high, low, 0, packet.at(-1) ?? 0]))
    }
  }
}

function acknowledgementOf(publish: Buffer): Buffer {
  const topicAt = (publish[1] ?? 0) < 0x80 ? 2 : 3
  const idAt = topicAt + 2 + publish.readUInt16BE(topicAt)
  return Buffer.from([packetType.puback << 4, 2, publish[idAt] ?? 0, publish[idAt + 1] ?? 0])
}
