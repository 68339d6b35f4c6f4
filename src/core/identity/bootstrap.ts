/**
 * The bootstrap string: all that a device needs to enrol, in one line that survives a shell, a chat and a QR code.
 *
 *     handfast://<host>:<https-port>/<id>/<mqtt-port>/<root sha256 hex>/<token>
 *
 * It holds nothing that a shell takes for its own. The root fingerprint makes the first contact safe: the device compares it before it sends the token.
 */
import { HubError } from '../errors.ts'
import { Secret } from '../secret.ts'
import { type IdentityId, isIdentityId } from './id.ts'
import { parseTokenText } from './token.ts'

export interface Bootstrap {
  /** Name or address of the hub; an IPv6 address without brackets. */
  readonly host: string
  readonly httpsPort: number
  readonly mqttPort: number
  readonly id: IdentityId
  /** SHA-256 of the root certificate in DER, 64 lower-case hexadecimal characters. */
  readonly rootFingerprint: string
  /** The enrolment token's whole text. */
  readonly token: Secret
}

const scheme = 'handfast:'

export function formatBootstrap(bootstrap: Bootstrap): Secret {
  const { httpsPort, id, mqttPort, rootFingerprint, token } = bootstrap
  const host = bootstrap.host.includes(':') ? `[${bootstrap.host}]` : bootstrap.host
  return new Secret(`handfast://${host}:${httpsPort}/${id}/${mqttPort}/${rootFingerprint}/${token.reveal()}`)
}

/**
 * Reads a bootstrap string; white space around it is ignored.
 *
 * @throws HubError `enrolment-bootstrap-invalid`; the message names the part at fault and never repeats the token
 */
export function parseBootstrap(text: Secret): Bootstrap {
  const trimmed = text.reveal().trim()
  let url: URL
  try {
    // A scheme that URL does not know keeps the host as it is written, so parse it as https.
    if (!trimmed.startsWith(`${scheme}//`)) throw refusal('it does not start with "handfast://"')
    url = new URL(`https:${trimmed.slice(scheme.length)}`)
  } catch (error) {
    throw error instanceof HubError ? error : refusal('it is not a URL')
  }
  const host = url.hostname.replace(/^\[(.*)\]$/, '$1')
  const [id = '', mqttPort = '', rootFingerprint = '', tokenText = '', ...more] = url.pathname.slice(1).split('/')
  if (host === '') throw refusal('the address of the hub is missing')
  if (!isIdentityId(id)) throw refusal('the device id is missing or not well formed')
  if (rootFingerprint === '') throw refusal('it ends too early: the fingerprint of the root and the token are missing')
  if (!/^[0-9a-f]{64}$/.test(rootFingerprint))
    throw refusal('the fingerprint of the root is not 64 hexadecimal characters')
  if (tokenText === '') throw refusal('it ends too early: the token is missing')
  const token = new Secret(tokenText)
  if (parseTokenText(token) === null || more.length > 0 || url.search !== '' || url.hash !== '') {
    throw refusal('the token at its end is cut short or damaged')
  }
  return {
    host,
    httpsPort: url.port === '' ? 443 : Number(url.port),
    mqttPort: parsePort(mqttPort),
    id,
    rootFingerprint,
    token,
  }
}

function parsePort(text: string): number {
  const port = /^[0-9]{1,5}$/.test(text) ? Number(text) : 0
  if (port < 1 || port > 65_535) throw refusal('the MQTT port is missing or not a port')
  return port
}

function refusal(what: string): HubError {
  return new HubError('enrolment-bootstrap-invalid', `the bootstrap string cannot be read: ${what}`)
}
