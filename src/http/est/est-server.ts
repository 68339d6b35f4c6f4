/** Enrolment over Secure Transport (RFC 7030): `cacerts` and `simpleenroll` for devices that hold a token. */
import type { FastifyInstance, FastifyRequest } from 'fastify'
import { HubError } from '../../core/errors.ts'
import { type FailureName, failure } from '../../core/failure/catalogue.ts'
import { isIdentityId } from '../../core/identity/id.ts'
import { limits } from '../../core/limits.ts'
import { Secret } from '../../core/secret.ts'
import { certsOnly } from '../../core/x509/pkcs7.ts'
import { type EnrolmentHub, enrol } from '../../hub/enrol.ts'
import type { FailureLimiter } from '../../hub/failure-limiter.ts'
import { peerAddress } from '../../hub/peer-address.ts'
import type { NewAttempt } from '../../hub/ports/attempts.ts'
import type { Log } from '../../hub/ports/log.ts'
import { httpApp, type TlsMaterial } from '../listen.ts'

export interface EstServerOptions {
  readonly hub: EnrolmentHub
  /** Certificates that `cacerts` hands out, in DER: roots first, then what stands below them. */
  caCertificates(): readonly Uint8Array[]
  readonly limiter: FailureLimiter
  readonly attempts: { record(attempt: NewAttempt): void }
  readonly log: Log
  readonly tls: TlsMaterial
}

const root = '/.well-known/est'
/** `Content-Transfer-Encoding` is left out: the body is base64 in any case (RFC 8951 §2.1). */
const certificatesType = 'application/pkcs7-mime'

export function estServer(options: EstServerOptions): FastifyInstance {
  const app = httpApp({
    reader: 'device',
    log: options.log,
    bodyBytesMax: limits.estBodyBytesMax,
    tls: options.tls,
  })

  // Any other type is no request; saying so by our own name helps who forgot curl's -H.
  app.removeAllContentTypeParsers()
  app.addContentTypeParser('application/pkcs10', { parseAs: 'buffer' }, (_request, body, done) => done(null, body))
  app.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, _body, done) => done(null, null))

  app.get(`${root}/cacerts`, (_request, reply) =>
    reply.header('Content-Type', certificatesType).send(base64Body(certsOnly(options.caCertificates()))),
  )

  app.post(`${root}/simpleenroll`, async (request, reply) => {
    const address = peerAddress(request.ip)
    const { claimedId, tokenText } = basicCredentials(request)
    try {
      const certificateRequest = requestBody(request)
      const credential = await enrol(options.hub, { tokenText, claimedId, certificateRequest })
      return reply
        .header('Content-Type', `${certificatesType}; smime-type=certs-only`)
        .send(base64Body(certsOnly([credential.certificate])))
    } catch (error) {
      if (error instanceof HubError) {
        // A request without a token is how a stock client asks whether one is needed: no guess.
        if (error.code === 'token-invalid') options.limiter.recordFailure(address)
        options.attempts.record(refusedEnrolment(options.hub.clock.nowMs(), address, claimedId, error))
      }
      throw error
    }
  })
  return app
}

/** User name and password of HTTP Basic (RFC 7617); the password is the token. */
function basicCredentials(request: FastifyRequest): { claimedId: string; tokenText: Secret | null } {
  const match = /^Basic ([A-Za-z0-9+/=]{1,512})$/i.exec(request.headers.authorization ?? '')
  if (match === null) return { claimedId: '', tokenText: null }
  const text = Buffer.from(match[1] ?? '', 'base64').toString('utf8')
  const colon = text.indexOf(':')
  if (colon < 0) return { claimedId: '', tokenText: null }
  return { claimedId: text.slice(0, colon), tokenText: new Secret(text.slice(colon + 1)) }
}

/** The PKCS#10 in DER: base64 as RFC 7030 §4.2.1 wants it, with or without line breaks, or bare DER. */
function requestBody(request: FastifyRequest): Uint8Array {
  const { body } = request
  if (!Buffer.isBuffer(body) || body.length === 0) {
    throw new HubError('csr-unreadable', 'the request has no body of type application/pkcs10')
  }
  if (body[0] === 0x30) return body
  const text = body.toString('latin1')
  if (text.startsWith('-----')) {
    throw new HubError('csr-unreadable', 'the body is PEM; EST wants base64 of DER without the PEM lines')
  }
  const compact = text.replace(/[\s]+/g, '')
  if (!/^[A-Za-z0-9+/]+={0,2}$/.test(compact)) {
    throw new HubError('csr-unreadable', 'the body is neither base64 nor DER')
  }
  return Buffer.from(compact, 'base64')
}

function base64Body(der: Uint8Array): string {
  const text = Buffer.from(der).toString('base64')
  return `${(text.match(/.{1,76}/g) ?? []).join('\r\n')}\r\n`
}

const unproved: ReadonlySet<FailureName> = new Set(['token-missing', 'token-invalid', 'rate-limited', 'csr-unreadable'])

function refusedEnrolment(atMs: number, address: string, claimedId: string, error: HubError): NewAttempt {
  return {
    atMs,
    listener: 'est',
    address,
    stage: failure(error.code).stage,
    outcome: 'refused',
    code: error.code,
    sentence: error.message,
    // A name counts only when the token has proved it: strangers must not write into a device's history.
    identityId: unproved.has(error.code) || !isIdentityId(claimedId) ? null : claimedId,
    clientId: null,
    tlsVersion: null,
    mqttVersion: null,
    certificate: null,
  }
}
