/**
 * Enrolment over Secure Transport (RFC 7030, with RFC 8951 and RFC 9908), for holders of a token and of a certificate.
 *
 * Each operation stands at `/.well-known/est/<operation>` and, for one profile among those that are granted, at
 * `/.well-known/est/<profile>/<operation>` (§3.2.2). `fullcmc` is not offered.
 */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { HubError } from '../../core/errors.ts'
import { limits } from '../../core/limits.ts'
import type { Profile } from '../../core/profile/profile.ts'
import { certsOnly } from '../../core/x509/pkcs7.ts'
import type { EnrolmentHub } from '../../hub/enrol.ts'
import type { FailureLimiter } from '../../hub/failure-limiter.ts'
import type { Admission, Judgement } from '../../hub/judgement.ts'
import type { NewAttempt } from '../../hub/ports/attempts.ts'
import type { Log } from '../../hub/ports/log.ts'
import type { Renewal } from '../../hub/renewal-order.ts'
import { limitBodyTime } from '../body-time.ts'
import { httpApp, type TlsMaterial } from '../listen.ts'
import { base64Lines } from './base64.ts'
import { callerOf, type EstCaller } from './caller.ts'
import { strangers } from './certificate-caller.ts'
import { addConfirmation } from './confirmation.ts'
import { addCsrAttributes } from './csr-attributes-route.ts'
import { addEnrolment } from './enrolment-routes.ts'
import { addOwnAttempts, type TellOwnAttempts } from './own-attempts-route.ts'
import { refusedAttempt } from './refused-attempt.ts'
import { addRootsKept, type RootsKept } from './roots-kept.ts'

export interface EstServerOptions {
  readonly hub: EnrolmentHub
  /** Certificates that `cacerts` hands out, in DER: roots first, then what stands below them. */
  caCertificates(): readonly Uint8Array[]
  /** Judges certificates by what they are shown for here, renews them, and confirms their first use. */
  readonly renewal: Renewal & Admission
  /** Where it is noted which roots devices keep. */
  readonly rootsKept: RootsKept
  /** What a device is told of its own attempts. */
  readonly ownAttempts: TellOwnAttempts
  /** The profile of that name as it is now, or null when there is none. */
  profileNamed(name: string): Promise<Profile | null>
  readonly limiter: FailureLimiter
  readonly attempts: { record(attempt: NewAttempt): void }
  readonly log: Log
  readonly tls: TlsMaterial
}

/** A request to EST, as its routes see it. */
export interface EstRequest {
  readonly request: FastifyRequest
  readonly reply: FastifyReply
  readonly caller: EstCaller
  /** The profile that the path names, or null. */
  readonly label: string | null
  /** Remembers what was made of the caller's certificate, so that a refusal can be told with it. */
  judged(judgement: Judgement): void
}

export type EstHandler = (asked: EstRequest) => Promise<FastifyReply>

/** Adds an operation at its two addresses. */
export type AddOperation = (method: 'GET' | 'POST', operation: string, handler: EstHandler) => void

const root = '/.well-known/est'
/** `Content-Transfer-Encoding` is left out: the body is base64 in any case (RFC 8951 §2.1). */
const certificatesType = 'application/pkcs7-mime'

export function estServer(options: EstServerOptions): FastifyInstance {
  const app = httpApp({
    reader: 'device',
    log: options.log,
    bodyBytesMax: limits.estBodyBytesMax,
    tls: options.tls,
    asksForCertificate: true,
  })
  limitBodyTime(app, 'device')

  // Any other type is no request; saying so by our own name helps who forgot curl's -H.
  app.removeAllContentTypeParsers()
  app.addContentTypeParser('application/pkcs10', { parseAs: 'buffer' }, (_request, body, done) => done(null, body))
  app.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, _body, done) => done(null, null))

  const add: AddOperation = (method, operation, handler) => {
    for (const url of [`${root}/${operation}`, `${root}/:label/${operation}`]) {
      app.route({ method, url, handler: (request, reply) => answered(options, request, reply, handler) })
    }
  }
  add('GET', 'cacerts', async ({ reply }) =>
    reply.header('Content-Type', certificatesType).send(base64Lines(certsOnly(options.caCertificates()))),
  )
  addCsrAttributes(add, options)
  addEnrolment(add, options)
  addConfirmation(app, (request, reply, handler) => answered(options, request, reply, handler), options)
  addOwnAttempts(app, (request, reply, handler) => answered(options, request, reply, handler), options)
  addRootsKept(app, (request, reply, handler) => answered(options, request, reply, handler), options)
  return app
}

/** Runs a handler, and records what it refuses. */
async function answered(
  options: EstServerOptions,
  request: FastifyRequest,
  reply: FastifyReply,
  handler: EstHandler,
): Promise<FastifyReply> {
  const caller = callerOf(request)
  const { label = null } = request.params as { readonly label?: string }
  let judgement: Judgement | null = null
  const judged = (made: Judgement): void => {
    judgement = made
  }
  try {
    return await handler({ request, reply, caller, label, judged })
  } catch (error) {
    if (!(error instanceof HubError)) throw error
    options.attempts.record(refusedAttempt(options.hub.clock.nowMs(), caller, judgement, error))
    // Who comes with nothing asks whether something is needed, as stock clients do: no guess.
    if (strangers.has(error.code)) options.limiter.recordFailure(caller.address)
    throw error
  }
}

/** Answers with one certificate and nothing else (RFC 7030 §4.2.3). */
export function sendCertificate(reply: FastifyReply, certificate: Uint8Array): FastifyReply {
  return reply
    .header('Content-Type', `${certificatesType}; smime-type=certs-only`)
    .send(base64Lines(certsOnly([certificate])))
}
