/** Mosquitto 2.0 and 2.1: the broker, mosquitto_pub and mosquitto_sub. */
import { numberIn, type Phrase, type Source } from '../sign.ts'
import type { Symptom } from '../symptom.ts'
import { type SymptomName, symptoms } from '../symptoms/index.ts'
import { codeNamed, codeNumbered } from './mqtt-codes.ts'

const broker: readonly Phrase[] = [
  [
    /\bClient (\S{1,300})(?: \[[^\]]{1,60}\])? disconnected(?::| due to) protocol error\b/i,
    (match) => symptoms[match[1] === '<unknown>' ? 'protocol-error-first' : 'protocol-error'],
    'server',
  ],
  [/\bClient \S{1,300}(?: \[[^\]]{1,60}\])? disconnected[:,] not authori[sz]ed\b/i, 'not-authorised', 'server'],
  [/\bClient \S{1,300}(?: \[[^\]]{1,60}\])? (?:has )?exceeded timeout\b/i, 'no-keep-alive', 'server'],
  [
    /\bClient \S{1,300}(?: \[[^\]]{1,60}\])? disconnected: (?:session taken over|exceeded timeout)\b/i,
    session,
    'server',
  ],
  [/\balready connected, closing old connection\b/i, 'taken-over', 'server'],
  [/\bdisconnected by administrative action\b|\bdisconnected: administrative action\b/i, 'ended-by-operator', 'server'],
  [/\bappears to be using TLS to connect to a non-TLS listener\b/, 'tls-on-plain-port', 'server'],
  [/\bUnable to load server (?:key file|certificate)\b/, 'file-unfit', 'server'],
  [/\bUnable to load (?:CA certificates|server key file).{0,300}Permission denied/, 'file-unopened', 'server'],
  [/\bDenied PUBLISH from\b/, 'publish-refused', 'server'],
  [/\bDenied SUBSCRIBE from\b|\bdenied \(subscription\)/i, 'subscription-refused', 'server'],
  [/\bSending CONNACK to \S{1,300} \(\d, (\d{1,3})\)/, (match) => codeNumbered(numberIn(match)), 'server'],
  [/\bClient connection from \S{1,100} (?:\S{1,100} )?(?:failed|denied access)/, 'closed-early', 'server'],
  [
    /\bClient <unknown>(?: \[[^\]]{1,60}\])? (?:closed its connection|disconnected: connection closed)/,
    'closed-early',
    'server',
  ],
]

const clients: readonly Phrase[] = [
  [/\bA TLS error occurred\b/, 'handshake-failed', 'client'],
  [/\bThe connection was lost\b/, 'closed-early'],
  [/\bA network protocol error occurred when communicating with the broker\b/, 'refused-somehow', 'client'],
  [/\bThe connection was refused\b/, 'refused-somehow', 'client'],
  [/^Error: Protocol error\b/, 'handshake-failed', 'client'],
  [/\bhost name verification failed\b/, 'peer-name', 'client'],
  [/\bUnable to load client (?:key file|certificate)\b/, 'file-unfit', 'client'],
  [/\bProblem setting TLS options: File not found\b/, 'file-unopened', 'client'],
  [/\breceived CONNACK \((\d{1,3})\)/, (match) => codeNumbered(numberIn(match)), 'client'],
  [/\bReceived DISCONNECT \((\d{1,3})\)/, (match) => codeNumbered(numberIn(match)), 'client'],
  [/\bSubscribed \(mid: \d{1,9}\):(?: \d{1,3},){0,20} (?:128|135)\b/, 'subscription-refused', 'client'],
  [/\bAll subscription requests were denied\b/, 'subscription-refused', 'client'],
  [/\bConnection error: ([A-Z][A-Za-z :-]{3,60})/, (match) => codeNamed(match[1] ?? ''), 'client'],
]

function session(match: RegExpExecArray) {
  return codeNamed(match[0].includes('taken over') ? 'session taken over' : 'keep alive timeout')
}

/** Results of libmosquitto (mosquitto.h), which Paho for Python has taken over. */
const results: ReadonlyMap<number, readonly [name: string, says: SymptomName]> = new Map([
  [2, ['MOSQ_ERR_PROTOCOL', 'protocol-error']],
  [5, ['MOSQ_ERR_CONN_REFUSED', 'refused-somehow']],
  [7, ['MOSQ_ERR_CONN_LOST', 'closed-early']],
  [8, ['MOSQ_ERR_TLS', 'handshake-failed']],
  [19, ['MOSQ_ERR_KEEPALIVE', 'no-keep-alive']],
])

/** A result of a client on libmosquitto or Paho for Python; null for one that says nothing of a connection. */
export function clientResult(number: number): readonly [name: string, symptom: Symptom] | null {
  const found = results.get(number)
  return found === undefined ? null : [found[0], symptoms[found[1]]]
}

export const mosquittoBroker: Source = { name: 'Mosquitto', phrases: broker }
export const mosquittoClients: Source = { name: 'a client of Mosquitto', phrases: clients }
