/**
 * A verifier as servers use it: it judges at every connection from the certificate's own bytes and never asks whether the socket is
 * `authorized`, which a resumed TLS session answers with what held when it was new.
 */
import { constants } from 'node:crypto'
import type { TLSSocket } from 'node:tls'
import { HubError } from '../core/errors.ts'
import { limits } from '../core/limits.ts'
import type { Admitted, Arrival, Refused, Verdict } from './verdict.ts'
import { Watches } from './watches.ts'

/** What a TLS server needs so that clients show their certificates, whose judgement is left to {@link Verifier.peer}. */
export interface ServerOptions {
  /** Their names are sent to clients, by which some choose what they show. */
  readonly ca: string
  readonly requestCert: true
  readonly rejectUnauthorized: false
  /** No session tickets: what is resumed would be judged as well, and brings nothing that is worth a ticket. */
  readonly secureOptions: number
  readonly minVersion: 'TLSv1.2'
}

export interface Verifier {
  /** Options for `tls.createServer`, `https.createServer` and whatever passes such on. Ask for them when the server starts. */
  serverOptions(): ServerOptions
  /**
   * Who is at the other end, judged now.
   *
   * @param socket of a TLS server that has asked for a certificate
   * @throws HubError `verify-settings-invalid` where it is no TLS socket, as behind a proxy that ends TLS
   */
  peer(socket: TLSSocket): Promise<Verdict>
  /** The same for a certificate in DER from elsewhere, whose key the client has proved to hold; null where there is none. */
  judge(der: Uint8Array | null): Promise<Verdict>
  /**
   * Ends a connection that lives on, once who is behind it would not come in any more: revoked, disabled, over, or nobody
   * can say for too long.
   *
   * @param end instead of destroying the socket, told why
   */
  watch(socket: TLSSocket, admitted: Admitted, end?: (refused: Refused) => void): void
  /** How a connection came, for conditions of a policy. */
  arrival(socket: TLSSocket): Arrival
  /** Stops asking and watching. Connections that are watched live on unwatched. */
  close(): void
}

/** What stands behind a verifier: authorities or a hub. */
export interface Judge {
  readonly ca: () => string
  judge(der: Uint8Array | null): Promise<Verdict>
  onChange(listener: () => void): void
  /** How long a watched connection lives on while nobody can say anything about it, in seconds. */
  readonly silentSecMax: number
  close(): void
}

/** @param monotonicMs milliseconds that nobody sets back */
export function verifierOf(judge: Judge, monotonicMs: () => number): Verifier {
  const { silentSecMax } = judge
  const watches = new Watches({ judge: (der) => judge.judge(der), monotonicMs, silentSecMax })
  judge.onChange(() => void watches.look())
  const timer = setInterval(() => void watches.look(), limits.verifyLookMs)
  timer.unref()
  return {
    serverOptions: () => ({
      ...{ ca: judge.ca(), requestCert: true, rejectUnauthorized: false, minVersion: 'TLSv1.2' },
      secureOptions: constants.SSL_OP_NO_TICKET | constants.SSL_OP_NO_RENEGOTIATION,
    }),
    peer: async (socket) => judge.judge(certificateOf(socket)),
    judge: (der) => judge.judge(der),
    watch(socket, admitted, end) {
      watches.add(socket, certificateOf(socket), admitted, end)
    },
    arrival(socket) {
      const { remoteAddress } = socket
      const tlsVersion = socket.getProtocol()
      return {
        ...(remoteAddress === undefined ? {} : { address: remoteAddress.replace(/^::ffff:(?=\d+\.)/, '') }),
        ...(tlsVersion === null ? {} : { tlsVersion }),
      }
    },
    close() {
      clearInterval(timer)
      watches.stop()
      judge.close()
    },
  }
}

function certificateOf(socket: TLSSocket): Uint8Array | null {
  // Structure and not class: what wraps a socket, as ws and MQTT servers do, hands it on.
  if (typeof (socket as Partial<TLSSocket> | null)?.getPeerX509Certificate !== 'function') {
    throw new HubError('verify-settings-invalid', 'the connection is no TLS connection of this process', {
      hint: 'give the socket of the TLS server itself; behind a proxy that ends TLS nobody has proved anything to this process',
    })
  }
  const certificate = socket.getPeerX509Certificate()
  return certificate === undefined ? null : new Uint8Array(certificate.raw)
}
