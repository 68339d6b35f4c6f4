/** Whether a certificate lets its device in: it is tried before anything is given up for it. */
import type { Duplex } from 'node:stream'
import { HubError, quote } from '../../core/errors.ts'
import { parseConnack } from '../../core/mqtt/connack.ts'
import { encodeConnect } from '../../core/mqtt/connect.ts'
import { property } from '../../core/mqtt/properties.ts'
import { reason } from '../../core/mqtt/protocol.ts'
import { PacketSplitter } from '../../core/mqtt/splitter.ts'
import { Violation } from '../../core/mqtt/violation.ts'
import { deviceLimits } from '../limits.ts'
import { type HubAddress, openTls } from '../tls-exchange.ts'
import type { AskedHub } from './est-renewal.ts'

/** What the gate said to a CONNECT. */
export type GateAnswer =
  | { readonly admitted: true }
  /** `reasonCode` of MQTT 5; `sentence` is the gate's, or empty. */
  | { readonly admitted: false; readonly reasonCode: number; readonly sentence: string }

/** Reasons that say nothing about a certificate: the server has no time, or no broker. */
const passing: ReadonlySet<number> = new Set([0x88, 0x89, 0x97, 0x9f])

const keepAliveSec = 30
const version = 5

/**
 * Connects over TLS and MQTT 5 and leaves again. The server gives the client id, so that no session of the device is taken over.
 *
 * @throws HubError `hub-unreachable`, also where the server has no time for it; `enrolment-tls-untrusted`; `hub-answer-unexpected`
 */
export async function tryConnect({ address, roots, identity }: AskedHub): Promise<GateAnswer> {
  const socket = await openTls(address, { root: roots, identity })
  try {
    const hello = { version, cleanStart: true, will: null, properties: [] } as const
    socket.write(encodeConnect(hello, { clientId: '', keepAliveSec }))
    const answer = await readConnack(socket, address)
    if (answer.admitted) socket.end(Buffer.of(0xe0, 0))
    else if (passing.has(answer.reasonCode))
      throw unreachable(address, answer.sentence || 'it has no time for MQTT now')
    return answer
  } finally {
    closeSoon(socket)
  }
}

/** What was written still goes, for a bounded time. */
function closeSoon(socket: Duplex): void {
  const deadline = setTimeout(() => socket.destroy(), deviceLimits.closeMs)
  socket.end(() => {
    clearTimeout(deadline)
    socket.destroy()
  })
}

async function readConnack(socket: Duplex, address: HubAddress): Promise<GateAnswer> {
  const deadline = setTimeout(() => socket.destroy(), deviceLimits.answerMs)
  const splitter = new PacketSplitter(deviceLimits.answerBytesMax)
  try {
    for await (const chunk of socket.iterator({ destroyOnReturn: false })) {
      splitter.feed(chunk as Buffer)
      const packet = splitter.take()
      if (packet === null) continue
      const connack = packet instanceof Violation ? packet : parseConnack(packet, version)
      if (connack instanceof Violation) throw noMqtt(address, connack.sentence)
      if (connack.code === reason.success) return { admitted: true }
      const said = connack.properties.find(({ id }) => id === property.reasonString)?.value.toString('utf8', 2) ?? ''
      return { admitted: false, reasonCode: connack.code, sentence: said.slice(0, deviceLimits.toldCharsMax) }
    }
  } catch (error) {
    if (error instanceof HubError) throw error
    throw unreachable(address, 'the connection broke before it answered the CONNECT', error)
  } finally {
    clearTimeout(deadline)
  }
  throw unreachable(address, 'it closed the connection without an answer to the CONNECT')
}

function unreachable({ host, port }: HubAddress, why: string, cause?: unknown): HubError {
  return new HubError('hub-unreachable', `the MQTT gate ${quote(`${host}:${port}`)} cannot be used: ${why}`, { cause })
}

function noMqtt({ host, port }: HubAddress, why: string): HubError {
  return new HubError('hub-answer-unexpected', `${quote(`${host}:${port}`)} does not speak MQTT 5: ${why}`)
}
