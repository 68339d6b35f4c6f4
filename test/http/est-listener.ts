/** An EST listener over real TLS, and clients that show it certificates. */
import assert from 'node:assert/strict'
import { X509Certificate } from 'node:crypto'
import { type IncomingHttpHeaders, request } from 'node:http'
import type { AddressInfo } from 'node:net'
import { connect, type TLSSocket } from 'node:tls'
import type { FastifyInstance } from 'fastify'
import type { Credential } from '../../src/core/identity/credential.ts'
import type { Secret } from '../../src/core/secret.ts'
import { encodePem } from '../../src/core/x509/pem.ts'
import { readCertsOnly } from '../../src/core/x509/pkcs7.ts'
import { estServer } from '../../src/http/est/est-server.ts'
import { registryAdmission } from '../../src/hub/admit.ts'
import { enrol } from '../../src/hub/enrol.ts'
import { FailureLimiter } from '../../src/hub/failure-limiter.ts'
import { ownAttempts } from '../../src/hub/own-attempts.ts'
import type { NewAttempt } from '../../src/hub/ports/attempts.ts'
import { profileNamed } from '../../src/hub/profiles.ts'
import { registryRenewal } from '../../src/hub/renew.ts'
import { noteRoots } from '../../src/hub/roll-over/acknowledge.ts'
import { currentServerCertificate } from '../../src/hub/server-certificate.ts'
import { deviceRequest, type HubParts, hubParts, registered } from '../support/hub-parts.ts'
import { assertAsDocumented } from './api-parts.ts'
import type { Answer } from './problem.ts'

export interface Listener {
  readonly hub: HubParts
  readonly app: FastifyInstance
  readonly port: number
  readonly attempts: NewAttempt[]
  readonly limiter: FailureLimiter
}

/** @param add adds routes before it listens */
export async function listener(
  t: { after(step: () => unknown): void },
  add: (parts: Omit<Listener, 'port'>) => void = () => {},
): Promise<Listener> {
  const hub = await hubParts(t)
  const attempts: NewAttempt[] = []
  const record = { record: (attempt: NewAttempt): void => void attempts.push(attempt) }
  const limiter = new FailureLimiter(hub.clock)
  const app = estServer({
    hub,
    caCertificates: () => hub.authorities.caCertificates(),
    ownAttempts: (shown, onKnown) => ownAttempts(hub, registryAdmission(hub), shown, onKnown),
    rootsKept: { noteRoots: (id, roots) => noteRoots(hub, id, roots) },
    renewal: registryRenewal({ ...hub, attempts: record }),
    profileNamed: (name) => profileNamed(hub.store, name),
    limiter,
    attempts: record,
    log: hub.log,
    tls: await currentServerCertificate(hub, { dnsNames: ['localhost'], ipAddresses: [] }),
  })
  add({ hub, app, attempts, limiter })
  t.after(() => app.close())
  await app.listen({ host: '127.0.0.1', port: 0 })
  return { hub, app, port: (app.server.address() as AddressInfo).port, attempts, limiter }
}

/** What a client shows in the handshake. */
export interface Shown {
  readonly key: string
  readonly cert: string
}

export interface Device {
  readonly credential: Credential
  readonly key: Secret
  readonly shown: Shown
}

export async function device({ hub }: Listener, id: string): Promise<Device> {
  const { tokenText } = await registered(hub, id)
  const { key, certificateRequest } = deviceRequest(id)
  const credential = await enrol(hub, { tokenText, claimedId: id, certificateRequest })
  return { credential, key, shown: shownBy(key, credential.certificate) }
}

export function shownBy(key: Secret, certificate: Uint8Array): Shown {
  return { key: key.reveal(), cert: encodePem('CERTIFICATE', certificate) }
}

export function opened(
  { port }: Listener,
  shown: Shown | null,
  version: 'TLSv1.2' | 'TLSv1.3' = 'TLSv1.3',
): Promise<TLSSocket> {
  return new Promise((resolve, reject) => {
    const socket = connect({
      ...{ host: '127.0.0.1', port, rejectUnauthorized: false },
      ...{ minVersion: version, maxVersion: version },
      ...shown,
    })
    socket.once('secureConnect', () => resolve(socket))
    socket.once('error', reject)
  })
}

export interface Question {
  readonly path: string
  /** POST where it is left out. */
  readonly method?: 'GET'
  readonly body?: Uint8Array
  readonly headers?: IncomingHttpHeaders
}

/** One request on an open connection, which stays open. */
export async function asked(socket: TLSSocket, { path, method, body, headers = {} }: Question): Promise<Answer> {
  const payload = body === undefined ? '' : Buffer.from(body).toString('base64')
  const answer = await new Promise<Answer>((resolve, reject) => {
    const outgoing = request(
      {
        createConnection: () => socket,
        method: method ?? 'POST',
        path,
        headers: {
          host: 'localhost',
          connection: 'keep-alive',
          ...(body === undefined ? {} : { 'content-type': 'application/pkcs10', 'content-length': payload.length }),
          ...headers,
        },
      },
      (incoming) => {
        const chunks: Buffer[] = []
        incoming.on('data', (chunk: Buffer) => chunks.push(chunk))
        incoming.on('end', () =>
          resolve({
            statusCode: incoming.statusCode ?? 0,
            headers: incoming.headers,
            body: Buffer.concat(chunks).toString('utf8'),
          }),
        )
      },
    )
    outgoing.on('error', reject)
    outgoing.end(payload)
  })
  assertAsDocumented(method ?? 'POST', path, answer)
  return answer
}

export async function once(est: Listener, shown: Shown | null, question: Question): Promise<Answer> {
  const socket = await opened(est, shown)
  try {
    return await asked(socket, question)
  } finally {
    socket.destroy()
  }
}

export function certificateIn(answer: Answer): X509Certificate {
  assert.equal(answer.statusCode, 200, answer.body)
  const [leaf, ...others] = readCertsOnly(Buffer.from(answer.body, 'base64'))
  assert.ok(leaf !== undefined && others.length === 0)
  return new X509Certificate(leaf)
}

export function basic(user: string, password: Secret): IncomingHttpHeaders {
  return { authorization: `Basic ${Buffer.from(`${user}:${password.reveal()}`).toString('base64')}` }
}
