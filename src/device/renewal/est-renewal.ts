/** What a device asks of its hub once it has a certificate: another one, when to come for it, and that the hub note its use. */
import type { X509Certificate } from 'node:crypto'
import { HubError } from '../../core/errors.ts'
import { formatRenewalCertificateId } from '../../core/renewal/certificate-id.ts'
import { readCertificate } from '../../core/x509/certificate.ts'
import { base64Lines, certificatesIn, hubEstPath, refusal, secondsIn, waits } from '../est-client.ts'
import type { DeviceIdentity } from '../key-elsewhere/reference.ts'
import { exchange, type HubAddress, openTls } from '../tls-exchange.ts'
import type { Hint } from './schedule.ts'

/** A hub, the roots that prove it (in PEM), and who asks. */
export interface AskedHub {
  readonly address: HubAddress
  readonly roots: string
  readonly identity: DeviceIdentity
}

/**
 * Asks for the next certificate with the present one (RFC 7030 §4.2.2).
 *
 * @param request the certificate request in DER
 * @returns the certificates of the answer, in its order
 * @throws HubError `enrolment-tls-untrusted`; `enrolment-waits`; the hub's own code when it refuses; `hub-unreachable`;
 *   `hub-answer-unexpected`
 */
export async function simpleReenrol(
  { address, roots, identity }: AskedHub,
  request: Uint8Array,
  estPath: string = hubEstPath,
): Promise<readonly X509Certificate[]> {
  const socket = await openTls(address, { root: roots, identity })
  const answer = await exchange(socket, address, {
    method: 'POST',
    path: `${estPath}/simplereenroll`,
    headers: {
      'Content-Type': 'application/pkcs10',
      'Content-Transfer-Encoding': 'base64',
      Accept: 'application/pkcs7-mime',
    },
    body: base64Lines(request),
  })
  if (answer.status === 202) throw waits(answer)
  if (answer.status !== 200) throw refusal(answer, 'the next certificate')
  return certificatesIn(answer, 'the next certificate')
}

/**
 * Shows a certificate to the hub, which takes that as its first use.
 *
 * @throws HubError as {@link simpleReenrol}
 */
export async function confirmUse({ address, roots, identity }: AskedHub): Promise<void> {
  const socket = await openTls(address, { root: roots, identity })
  const answer = await exchange(socket, address, { method: 'POST', path: '/device/confirm', body: '' })
  if (answer.status !== 200) throw refusal(answer, 'to note the use of the certificate')
}

/** A hub's word on when to come, and when to ask again. */
export interface HintAnswer {
  /** Null where the server knows of nothing of the kind, or not of this certificate. */
  readonly hint: Hint | null
  readonly askAgainSec: number
  /** The time by the clock of the hub, in milliseconds since the epoch; null where it was not said. */
  readonly hubTimeMs: number | null
}

const askAgainSec = { least: 60, most: 86_400, unsaid: 6 * 3_600, unknown: 3_600 } as const

/**
 * Asks when a certificate should be renewed (RFC 9773 §4.2).
 *
 * @throws HubError `enrolment-tls-untrusted`; `hub-unreachable`; `hub-answer-unexpected`
 */
export async function askWhen(
  { address, roots }: Omit<AskedHub, 'identity'>,
  certificate: X509Certificate,
): Promise<HintAnswer> {
  const { serialNumber, authorityKeyIdentifier } = readCertificate(certificate.raw)
  const { least, most, unsaid, unknown } = askAgainSec
  if (authorityKeyIdentifier === null) return { hint: null, askAgainSec: unknown, hubTimeMs: null }
  const name = formatRenewalCertificateId({
    authorityKeyIdentifier: Buffer.from(authorityKeyIdentifier).toString('hex'),
    serialNumber,
  })
  const socket = await openTls(address, { root: roots })
  const answer = await exchange(socket, address, { method: 'GET', path: `/renewal-info/${name}` })
  const { dateMs: hubTimeMs } = answer
  if (answer.status === 404) return { hint: null, askAgainSec: unknown, hubTimeMs }
  if (answer.status !== 200) throw refusal(answer, 'when to renew')
  const hint = readHint(answer.body.toString('utf8'))
  if (hint === null)
    throw new HubError('hub-answer-unexpected', 'the hub was asked when to renew: its answer names no window')
  return { hint, askAgainSec: Math.min(Math.max(secondsIn(answer.retryAfter) ?? unsaid, least), most), hubTimeMs }
}

function readHint(text: string): Hint | null {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    return null
  }
  const window: unknown = typeof value === 'object' && value !== null ? Reflect.get(value, 'suggestedWindow') : null
  if (typeof window !== 'object' || window === null) return null
  const fromMs = Date.parse(String(Reflect.get(window, 'start')))
  const untilMs = Date.parse(String(Reflect.get(window, 'end')))
  return fromMs < untilMs ? { fromMs, untilMs } : null
}
