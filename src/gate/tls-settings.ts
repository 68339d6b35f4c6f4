/** TLS as the gate speaks it. */
import { constants } from 'node:crypto'
import { createSecureContext, type SecureContext, type SecureContextOptions, type TlsOptions } from 'node:tls'
import type { GateCertificate } from './options.ts'

/** Forward secrecy and authenticated encryption only; the first three are TLS 1.3. */
const ciphers = [
  'TLS_AES_128_GCM_SHA256',
  'TLS_AES_256_GCM_SHA384',
  'TLS_CHACHA20_POLY1305_SHA256',
  'ECDHE-ECDSA-AES128-GCM-SHA256',
  'ECDHE-RSA-AES128-GCM-SHA256',
  'ECDHE-ECDSA-AES256-GCM-SHA384',
  'ECDHE-RSA-AES256-GCM-SHA384',
  'ECDHE-ECDSA-CHACHA20-POLY1305',
  'ECDHE-RSA-CHACHA20-POLY1305',
].join(':')

/**
 * What makes a secure context. Node resets every option that a later `setSecureContext` leaves out, so all of them are
 * given each time.
 */
export function secureContextSettings(certificate: GateCertificate, sessionTickets: boolean): SecureContextOptions {
  return {
    key: pairsOf(certificate).map(({ key }) => key.reveal()),
    cert: pairsOf(certificate).map(({ chain }) => chain),
    // No names are sent to the client and no chain is built: the verdict is the registry's.
    ca: [],
    minVersion: 'TLSv1.2',
    maxVersion: 'TLSv1.3',
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
export function serverSettings(certificate: GateCertificate, sessionTickets: boolean, handshakeMs: number): TlsOptions {
  return {
    ...secureContextSettings(certificate, sessionTickets),
    requestCert: true,
    rejectUnauthorized: false,
    handshakeTimeout: handshakeMs,
    ALPNCallback: ({ protocols }) => chosenProtocol(protocols),
  }
}

/** Contexts of certificates that are chosen by name; a certificate that is exchanged is another object. */
const contexts = new WeakMap<GateCertificate, SecureContext>()

/**
 * Another certificate for a client that asks for a certain name.
 *
 * @param certificateFor null where the usual one is right
 */
export function choiceByName(
  certificateFor: (serverName: string) => GateCertificate | null,
  sessionTickets: boolean,
): Pick<TlsOptions, 'SNICallback'> {
  return {
    SNICallback(serverName, done) {
      const chosen = certificateFor(serverName)
      if (chosen === null) return done(null)
      const context = contexts.get(chosen) ?? createSecureContext(secureContextSettings(chosen, sessionTickets))
      contexts.set(chosen, context)
      done(null, context)
    },
  }
}

/**
 * Answers a client that offers protocols (RFC 7301). No common name would end the handshake with an alert; the gate takes
 * the client's first instead, since what follows is MQTT or is refused as such with a better reason.
 */
function chosenProtocol(offered: readonly string[]): string | undefined {
  return ['mqtt', 'x-amzn-mqtt-ca'].find((name) => offered.includes(name)) ?? offered[0]
}
