/** Servers on loopback that behave as brokers and others do, and a probe that goes to them. */
import { once } from 'node:events'
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net'
import { createServer as createTlsServer, type TlsOptions } from 'node:tls'
import { Secret } from '../../../src/core/secret.ts'
import {
  basicConstraints,
  extendedKeyUsage,
  type KeyUsage,
  keyUsage,
  subjectAltName,
  subjectKeyIdentifier,
} from '../../../src/core/x509/extensions.ts'
import { oids } from '../../../src/core/x509/oids.ts'
import { keyIdentifier } from '../../../src/core/x509/public-key.ts'
import type { Examination } from '../../../src/doctor/finding.ts'
import type { ProbeOptions } from '../../../src/doctor/probe/options.ts'
import { probe } from '../../../src/doctor/probe/probe.ts'
import { type OwnCertificate, ownCertificate } from '../../support/own-certificate.ts'

/** The servers are real, and so is their clock. */
export const nowSec = Math.floor(Date.now() / 1000)
const daySec = 86_400

export interface Validity {
  readonly notBeforeSec: number
  readonly notAfterSec: number
}
export const inDate: Validity = { notBeforeSec: nowSec - 30 * daySec, notAfterSec: nowSec + 300 * daySec }

export function authority(name: string, issuer?: OwnCertificate): OwnCertificate {
  return ownCertificate(name, {
    validity: inDate,
    ...(issuer === undefined ? {} : { issuer }),
    extensions: (spki) => [basicConstraints(1), subjectKeyIdentifier(keyIdentifier(spki))],
  })
}

export const acme = authority('ACME')

interface LeafOptions {
  readonly issuer?: OwnCertificate
  readonly validity?: Validity
  readonly usage?: string
  readonly names?: { readonly dnsNames?: readonly string[]; readonly ipAddresses?: readonly string[] }
  readonly keyUsages?: readonly KeyUsage[]
}

export function leaf(name: string, options: LeafOptions = {}): OwnCertificate {
  const { issuer = acme, validity = inDate, usage = oids.serverAuth, names, keyUsages } = options
  const { dnsNames = ['localhost'], ipAddresses = ['127.0.0.1'] } = names ?? {}
  return ownCertificate(name, {
    ...{ issuer, validity },
    extensions: [
      ...(dnsNames.length + ipAddresses.length === 0
        ? []
        : [subjectAltName({ uris: [], dnsNames, ipAddresses, emails: [] }, false)]),
      extendedKeyUsage([usage]),
      ...(keyUsages === undefined ? [] : [keyUsage(keyUsages)]),
    ],
  })
}

export function device(name: string, options: LeafOptions = {}): OwnCertificate {
  return leaf(name, { usage: oids.clientAuth, names: { dnsNames: [name], ipAddresses: [] }, ...options })
}

export function keyPem({ privateKey }: OwnCertificate): string {
  return privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()
}

export function pairOf(own: OwnCertificate): NonNullable<ProbeOptions['pair']> {
  return { key: new Secret(keyPem(own)), chain: own.pem }
}

type Context = { after(step: () => Promise<void>): void }

/** @param serve what becomes of each connection @returns its port */
export async function plainServer(t: Context, serve: (socket: Socket) => void): Promise<number> {
  return listening(t, createServer(serve))
}

/** A server of TLS with the certificate of `own`, which asks clients for nothing unless `options` says so. */
export async function tlsServer(
  t: Context,
  own: OwnCertificate,
  options: TlsOptions,
  serve: (socket: Socket) => void,
): Promise<number> {
  const server = createTlsServer({ cert: own.pem, key: keyPem(own), ...options }, serve)
  server.on('tlsClientError', () => {})
  return listening(t, server)
}

async function listening(t: Context, server: Server): Promise<number> {
  const open = new Set<Socket>()
  server.on('connection', (socket: Socket) => {
    open.add(socket)
    socket.on('error', () => {})
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(async () => {
    for (const socket of open) socket.destroy()
    server.close()
    await once(server, 'close')
  })
  return (server.address() as AddressInfo).port
}

/** Answers every CONNECT with these octets. */
export function saying(octets: readonly number[] | string): (socket: Socket) => void {
  return (socket) => {
    socket.on('error', () => {})
    socket.once('data', () => socket.end(typeof octets === 'string' ? octets : Buffer.from(octets)))
  }
}

export function probed(
  port: number,
  options: Partial<ProbeOptions> = {},
  scheme = 'mqtts',
  host = 'localhost',
  path = '',
): Promise<Examination> {
  return probe(`${scheme}://${host}:${port}${path}`, {
    ...{ authorities: [acme.pem], systemAuthorities: [], pair: null, username: null, password: null, topic: null },
    ...{ clientId: null, alpn: [], serverName: null, stepMs: 2_000, nowSec, nonce: '0011' },
    ...options,
  })
}

export function codesOf({ findings }: Examination): readonly string[] {
  return findings.map(({ code }) => code)
}
