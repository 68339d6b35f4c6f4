/** Enrolment over Secure Transport (RFC 7030), the device's side: `cacerts` to find the root, `simpleenroll` to get in. */

import { X509Certificate } from 'node:crypto'
import { HubError, quote } from '../core/errors.ts'
import { isFailureName } from '../core/failure/catalogue.ts'
import type { Bootstrap } from '../core/identity/bootstrap.ts'
import type { Secret } from '../core/secret.ts'
import { certificateFingerprint } from '../core/x509/certificate.ts'
import { readCertsOnly } from '../core/x509/pkcs7.ts'
import type { DeviceIdentity } from './key-elsewhere/reference.ts'
import { deviceLimits } from './limits.ts'
import { type Answer, exchange, type HubAddress, openTls } from './tls-exchange.ts'

/** What a hub says about its authority; only `root` has been checked. */
export interface AuthorityCertificates {
  /** The self-signed certificate whose fingerprint is the one in the bootstrap string. */
  readonly root: X509Certificate
  /** Everything that came beside it. Nothing here is to be trusted before it chains to the root. */
  readonly others: readonly X509Certificate[]
}

/**
 * Fetches the hub's CA certificates (RFC 7030 §4.1) over a connection that proves nothing, and keeps the root that the
 * bootstrap string names.
 *
 * @throws HubError `enrolment-root-mismatch`; `hub-unreachable`; `hub-answer-unexpected`
 */
export async function fetchAuthority(bootstrap: Bootstrap): Promise<AuthorityCertificates> {
  const address = { host: bootstrap.host, port: bootstrap.httpsPort }
  const socket = await openTls(address, 'none')
  const answer = await exchange(socket, address, { method: 'GET', path: '/.well-known/est/cacerts' })
  if (answer.status !== 200) throw refusal(answer, 'its CA certificates')
  const certificates = certificatesIn(answer, 'its CA certificates')
  const root = certificates.find(
    (each) => isSelfSigned(each) && certificateFingerprint(each.raw) === bootstrap.rootFingerprint,
  )
  if (root === undefined) {
    const shown = certificates.filter(isSelfSigned).map((each) => certificateFingerprint(each.raw))
    throw new HubError(
      'enrolment-root-mismatch',
      `${quote(bootstrap.host)} shows ${shown.length === 0 ? 'no root certificate' : `the root ${shown.join(', ')}`}, ` +
        `and the bootstrap string names ${bootstrap.rootFingerprint}`,
    )
  }
  return { root, others: certificates.filter((each) => each !== root) }
}

/** Where the EST operations of a hub are (RFC 7030 §3.2.2). */
export const hubEstPath = '/.well-known/est'

/**
 * Fetches the CA certificates of a hub, or of another EST server, over a connection that is verified.
 *
 * @param roots in PEM
 * @param identity shown where the server asks for one
 * @throws HubError `enrolment-tls-untrusted`; `hub-unreachable`; `hub-answer-unexpected`; the hub's own code
 */
export async function fetchCertificates(
  address: HubAddress,
  roots: string,
  estPath: string = hubEstPath,
  identity?: DeviceIdentity,
): Promise<readonly X509Certificate[]> {
  const socket = await openTls(address, identity === undefined ? { root: roots } : { root: roots, identity })
  const answer = await exchange(socket, address, { method: 'GET', path: `${estPath}/cacerts` })
  if (answer.status !== 200) throw refusal(answer, 'its CA certificates')
  return certificatesIn(answer, 'its CA certificates')
}

/**
 * Tells the hub which roots are kept, over a connection verified to one of them alone, with the credential shown.
 *
 * @param root in PEM
 * @param fingerprints SHA-256 in lower-case hexadecimal
 * @throws HubError as {@link fetchCertificates}
 */
export async function tellRoots(
  address: HubAddress,
  root: string,
  identity: DeviceIdentity,
  fingerprints: readonly string[],
): Promise<void> {
  const socket = await openTls(address, { root, identity })
  const path = `/device/roots?sha256=${fingerprints.join(',')}`
  const answer = await exchange(socket, address, { method: 'POST', path, body: '' })
  if (answer.status !== 200) throw refusal(answer, 'to note the roots')
}

/**
 * Asks for a certificate (RFC 7030 §4.2) on a new connection, verified to the root and to the name of the hub before the
 * token is sent.
 *
 * @param request the certificate request in DER
 * @returns the certificates of the answer, in its order: the device's own among them
 * @throws HubError `enrolment-tls-untrusted`; `enrolment-waits` when the hub has not decided; the hub's own code when it
 *   refuses; `hub-unreachable`; `hub-answer-unexpected`
 */
export async function simpleEnrol(
  bootstrap: Bootstrap,
  root: X509Certificate,
  request: Uint8Array,
): Promise<readonly X509Certificate[]> {
  const { id, host, httpsPort, token } = bootstrap
  const asked = { address: { host, port: httpsPort }, roots: root.toString(), estPath: hubEstPath }
  return await enrolAt(asked, { user: id, password: token }, request)
}

/** An EST server, and the roots that prove it, in PEM. */
export interface AskedServer {
  readonly address: HubAddress
  readonly roots: string
  readonly estPath: string
}

/** Who asks, where a server wants to know it (RFC 7030 §3.2.3). */
export interface BasicCredentials {
  readonly user: string
  readonly password: Secret
}

/** {@link simpleEnrol} at any EST server. @throws HubError as that */
export async function enrolAt(
  { address, roots, estPath }: AskedServer,
  credentials: BasicCredentials | null,
  request: Uint8Array,
): Promise<readonly X509Certificate[]> {
  const socket = await openTls(address, { root: roots })
  const answer = await exchange(socket, address, {
    method: 'POST',
    path: `${estPath}/simpleenroll`,
    headers: {
      ...(credentials === null ? {} : { Authorization: basic(credentials) }),
      'Content-Type': 'application/pkcs10',
      'Content-Transfer-Encoding': 'base64',
      Accept: 'application/pkcs7-mime',
    },
    body: base64Lines(request),
  })
  if (answer.status === 202) throw waits(answer)
  if (answer.status !== 200) throw refusal(answer, 'a certificate')
  return certificatesIn(answer, 'a certificate')
}

function basic({ user, password }: BasicCredentials): string {
  return `Basic ${Buffer.from(`${user}:${password.reveal()}`).toString('base64')}`
}

export function isSelfSigned(certificate: X509Certificate): boolean {
  return certificate.checkIssued(certificate) && certificate.verify(certificate.publicKey)
}

/** Reads a certs-only PKCS#7 in base64, with white space wherever a server put it. */
export function certificatesIn(answer: Answer, what: string): readonly X509Certificate[] {
  const unexpected = (reason: string, cause?: unknown): HubError =>
    new HubError('hub-answer-unexpected', `the hub was asked for ${what}: ${reason}`, { cause })
  if (answer.contentType !== 'application/pkcs7-mime') {
    throw unexpected(`its answer is of the type ${quote(answer.contentType)}, not application/pkcs7-mime`)
  }
  const base64 = answer.body.toString('latin1').replace(/\s+/g, '')
  if (!/^[A-Za-z0-9+/]+={0,2}$/.test(base64) || base64.length % 4 !== 0) throw unexpected('its answer is not base64')
  let certificates: readonly X509Certificate[]
  try {
    certificates = readCertsOnly(Buffer.from(base64, 'base64')).map((der) => new X509Certificate(der))
  } catch (error) {
    throw unexpected('its answer holds no readable certificates', error)
  }
  if (certificates.length === 0) throw unexpected('its answer holds no certificate')
  if (certificates.length > deviceLimits.certificatesMax) {
    throw unexpected(`its answer holds more than ${deviceLimits.certificatesMax} certificates`)
  }
  return certificates
}

export function waits(answer: Answer): HubError {
  const seconds = secondsIn(answer.retryAfter)
  const when = seconds === null ? ' later' : ` in ${seconds} s`
  return new HubError(
    'enrolment-waits',
    'the hub has taken the request, and its operator has not approved the key yet',
    {
      hint: `have the operator run \`handfast device approve <id>\`, then run the same command again${when}: it goes on with the same key`,
      ...(seconds === null ? {} : { retryAfterSec: seconds }),
    },
  )
}

/** What a refusal says: a problem of the hub (RFC 9457) with its own code, or whatever another server answered. */
export function refusal(answer: Answer, what: string): HubError {
  const problem = readProblem(answer)
  const retryAfterSec = secondsIn(answer.retryAfter)
  const later = retryAfterSec === null ? {} : { retryAfterSec }
  if (problem !== null && isFailureName(problem.code)) {
    return new HubError(problem.code, problem.detail, {
      ...(problem.hint === '' ? {} : { hint: problem.hint }),
      ...later,
    })
  }
  const said = problem?.detail || printable(answer.body.toString('utf8'))
  return new HubError(
    'hub-answer-unexpected',
    `the hub was asked for ${what} and answered with status ${answer.status}${said === '' ? '' : `: ${said}`}`,
    later,
  )
}

/** Retry-After in seconds; a date says nothing to a device whose clock may be wrong. */
export function secondsIn(retryAfter: string): number | null {
  return /^[0-9]{1,9}$/.test(retryAfter) ? Number(retryAfter) : null
}

function readProblem(answer: Answer): { code: string; detail: string; hint: string } | null {
  if (answer.contentType !== 'application/problem+json' && answer.contentType !== 'application/json') return null
  try {
    const body: unknown = JSON.parse(answer.body.toString('utf8'))
    if (typeof body !== 'object' || body === null) return null
    const field = (name: string): string => {
      const value: unknown = Reflect.get(body, name)
      return typeof value === 'string' ? printable(value) : ''
    }
    return { code: field('code'), detail: field('detail') || field('title'), hint: field('hint') }
  } catch {
    return null
  }
}

/** A stranger's text on one line, without control characters, cut at a bearable length. */
function printable(text: string): string {
  const line = text
    .replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]+/gu, ' ')
    .replace(/\s+/g, ' ')
    .trim()
  return line.length > deviceLimits.toldCharsMax ? `${line.slice(0, deviceLimits.toldCharsMax)}…` : line
}

export function base64Lines(bytes: Uint8Array): string {
  const lines =
    Buffer.from(bytes)
      .toString('base64')
      .match(/.{1,76}/g) ?? []
  return lines.map((line) => `${line}\r\n`).join('')
}
