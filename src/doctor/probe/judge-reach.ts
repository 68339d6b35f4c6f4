/** What it means that a name does not resolve, a port does not answer, or something else than TLS is spoken there. */
import { quote } from '../../core/errors.ts'
import { type FailureName, isFailureName } from '../../core/failure/catalogue.ts'
import { type Certainty, type Finding, finding } from '../finding.ts'
import type { NotShaken } from './handshake.ts'
import type { PlainSpeech } from './plain-speech.ts'
import type { Dial, Resolution } from './reach.ts'
import { endpointText, type Target } from './target.ts'

export function judgeResolution({ text, host }: Target, resolution: Resolution): readonly Finding[] {
  if (resolution.kind === 'found') return []
  const { code } = resolution
  // EAI_NODATA: the name is there, without an address.
  const isUnknown = code === 'ENOTFOUND' || code === 'EAI_NODATA' || code === 'ENODATA'
  const evidence = isUnknown
    ? `no address is found for ${quote(host)} (${code})`
    : `the DNS server gave no answer about ${quote(host)} (${code})`
  return [finding(isUnknown ? 'name-not-found' : 'name-not-resolved', text, { evidence })]
}

const causes: Readonly<Record<string, FailureName>> = {
  ECONNREFUSED: 'port-refused',
  ETIMEDOUT: 'port-silent',
  EHOSTUNREACH: 'host-unreachable',
  ENETUNREACH: 'host-unreachable',
  EADDRNOTAVAIL: 'host-unreachable',
  ECONNRESET: 'connection-reset',
}

export function judgeDials({ text, port }: Target, dials: readonly Dial[]): readonly Finding[] {
  const failed = dials.filter(({ code }) => code !== null)
  if (failed.length === 0) return []
  const places = (those: readonly Dial[]): string =>
    those.map(({ address, code }) => `${endpointText(address, port)}${code === null ? '' : ` (${code})`}`).join(', ')
  if (failed.length < dials.length) {
    const good = places(dials.filter(({ code }) => code === null))
    const evidence = `${places(failed)} cannot be reached, ${good} can: a device that takes the first address waits or fails`
    return [finding('address-family-fails', text, { severity: 'warning', evidence })]
  }
  const byCause = Map.groupBy(failed, ({ code }) => causes[code ?? ''] ?? 'host-unreachable')
  return [...byCause].map(([cause, those]) =>
    finding(isFailureName(cause) ? cause : 'host-unreachable', text, {
      certainty: certaintyOf(cause, those),
      evidence: `${places(those)}: ${phrases[cause] ?? 'no connection comes about'}`,
    }),
  )
}

/** A reset in answer to the first packet is the word of the machine, or of whatever stands before it. */
function certaintyOf(cause: string, dials: readonly Dial[]): Certainty {
  if (cause === 'port-refused') return 'likely'
  return dials.every(({ code }) => code !== null && code in causes) ? 'certain' : 'possible'
}

const phrases: Readonly<Partial<Record<FailureName, string>>> = {
  'port-refused': 'the answer is that nobody listens there; a firewall that rejects with a reset answers the same',
  'port-silent': 'no answer came in time',
  'host-unreachable': 'there is no way to it',
  'connection-reset': 'the connection was cut at once',
}

/** @param said what came without TLS on the same port */
export function judgeNotTls(
  { text, path }: Target,
  { flight, code }: NotShaken,
  said: PlainSpeech,
): readonly Finding[] {
  const start = flight.start.toString('latin1')
  if (start.startsWith('HTTP/') || said === 'http') {
    const cure = path === null ? undefined : 'use ws:// here, or give this listener a certificate'
    const evidence = 'what came back is HTTP without TLS'
    return [finding('port-speaks-http', text, { evidence, ...(cure === undefined ? {} : { cure }) })]
  }
  if (said === 'mqtt') {
    return [finding('port-speaks-plain-mqtt', text, { evidence: 'a CONNECT without TLS was answered by a CONNACK' })]
  }
  if (flight.start.length > 0 || said === 'other') {
    const first = flight.start.length > 0 ? `, beginning with 0x${flight.start.subarray(0, 8).toString('hex')}` : ''
    return [finding('port-speaks-other', text, { evidence: `what came back is neither TLS nor MQTT nor HTTP${first}` })]
  }
  if (code === 'ETIMEDOUT') return [finding('tls-unanswered', text, { certainty: 'likely' })]
  const evidence = `the server took the connection and ended it at the ClientHello (${code === 'ECLOSED' ? 'closed' : code}); without TLS it says nothing either`
  return [finding('tls-dropped', text, { evidence })]
}
