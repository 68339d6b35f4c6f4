/** TLS as the gate speaks it. */
import { constants } from 'node:crypto'
import { createSecureContext, type SecureContext, type SecureContextOptions, type TlsOptions } from 'node:tls'
import type { ListenerSettings } from '../core/listener/listener-settings.ts'
import type { GateCertificate } from './options.ts'

/** A cipher suite by its number (RFC 8446 appendix B.4, RFC 5289, RFC 7905) and its name in OpenSSL. */
interface CipherSuite {
  readonly id: number
  readonly name: string
  /** The key of the certificate that it goes with; any in TLS 1.3. */
  readonly auth: 'any' | 'ecdsa' | 'rsa'
}

/** Forward secrecy and authenticated encryption only. */
export const cipherSuites: readonly CipherSuite[] = [
  { id: 0x1301, name: 'TLS_AES_128_GCM_SHA256', auth: 'any' },
  { id: 0x1302, name: 'TLS_AES_256_GCM_SHA384', auth: 'any' },
  { id: 0x1303, name: 'TLS_CHACHA20_POLY1305_SHA256', auth: 'any' },
  { id: 0xc02b, name: 'ECDHE-ECDSA-AES128-GCM-SHA256', auth: 'ecdsa' },
  { id: 0xc02f, name: 'ECDHE-RSA-AES128-GCM-SHA256', auth: 'rsa' },
  { id: 0xc02c, name: 'ECDHE-ECDSA-AES256-GCM-SHA384', auth: 'ecdsa' },
  { id: 0xc030, name: 'ECDHE-RSA-AES256-GCM-SHA384', auth: 'rsa' },
  { id: 0xcca9, name: 'ECDHE-ECDSA-CHACHA20-POLY1305', auth: 'ecdsa' },
  { id: 0xcca8, name: 'ECDHE-RSA-CHACHA20-POLY1305', auth: 'rsa' },
]

const ciphers = cipherSuites.map(({ name }) => name).join(':')

/** What a listener asks of TLS, at this moment. */
export interface TlsTerms {
  readonly settings: Pick<ListenerSettings, 'clientCertificate' | 'anchors' | 'tlsVersions' | 'alpn' | 'websocket'>
  /** Certificates of its trust anchors, PEM. */
  readonly trusted: readonly string[]
  readonly sessionTickets: boolean
}

/**
 * What makes a secure context. Node resets every option that a later `setSecureContext` leaves out, so all of them are
 * given each time.
 */
export function secureContextSettings(certificate: GateCertificate, terms: TlsTerms): SecureContextOptions {
  const { settings, trusted } = terms
  // A resumed session keeps a verdict of the past, and of other people's certificates the verdict counts.
  const sessionTickets = terms.sessionTickets && settings.anchors.length === 0
  return {
    key: pairsOf(certificate).map(({ key }) => key.reveal()),
    cert: pairsOf(certificate).map(({ chain }) => chain),
    // Without trust anchors no names are sent to the client and no chain is built: the verdict is the registry's.
    ca: [...trusted],
    minVersion: settings.tlsVersions.includes('1.2') ? 'TLSv1.2' : 'TLSv1.3',
    maxVersion: settings.tlsVersions.includes('1.3') ? 'TLSv1.3' : 'TLSv1.2',
    ciphers,
    honorCipherOrder: true,
    secureOptions: constants.SSL_OP_NO_RENEGOTIATION | (sessionTickets ? 0 : constants.SSL_OP_NO_TICKET),
  }
}

/** Where a client can verify both, it is shown the first. */
function pairsOf(certificate: GateCertificate): readonly Omit<GateCertificate, 'forRsa'>[] {
  return certificate.forRsa == null ? [certificate] : [certificate, certificate.forRsa]
}

/** The same with what concerns each connection. */
export function serverSettings(certificate: GateCertificate, terms: TlsTerms, handshakeMs: number): TlsOptions {
  const { clientCertificate, alpn, websocket } = terms.settings
  return {
    ...secureContextSettings(certificate, terms),
    requestCert: clientCertificate !== 'none',
    rejectUnauthorized: false,
    handshakeTimeout: handshakeMs,
    ALPNCallback: ({ protocols }) => chosenProtocol(protocols, websocket === null ? alpn : webProtocols),
  }
}

/**
 * Another certificate for a client that asks for a certain name.
 *
 * @param certificateFor null where the usual one is right; a certificate that is exchanged is another object
 * @param termsOfNow the same object of trusted certificates until they change
 */
export function choiceByName(
  certificateFor: (serverName: string) => GateCertificate | null,
  termsOfNow: () => TlsTerms,
): Pick<TlsOptions, 'SNICallback'> {
  const contexts = new WeakMap<GateCertificate, { readonly trusted: string; readonly context: SecureContext }>()
  return {
    SNICallback(serverName, done) {
      const chosen = certificateFor(serverName)
      if (chosen === null) return done(null)
      const terms = termsOfNow()
      const trusted = terms.trusted.join('')
      const kept = contexts.get(chosen)
      if (kept?.trusted === trusted) return done(null, kept.context)
      const context = createSecureContext(secureContextSettings(chosen, terms))
      contexts.set(chosen, { trusted, context })
      done(null, context)
    },
  }
}

/** What a WebSocket is opened with. */
const webProtocols: readonly string[] = ['http/1.1']

/**
 * Answers a client that offers protocols (RFC 7301): undefined ends the handshake with an alert. Where the listener has no
 * list, a client without a name that MQTT has gets the first of its own, since what follows is MQTT or is refused as such with
 * a better reason.
 */
function chosenProtocol(offered: readonly string[], accepted: readonly string[] | null): string | undefined {
  const known = (accepted ?? ['mqtt', 'x-amzn-mqtt-ca']).find((name) => offered.includes(name))
  return known ?? (accepted === null ? offered[0] : undefined)
}
