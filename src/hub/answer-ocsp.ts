/** Answering what others ask about certificates (RFC 6960, RFC 9919). What each state answers stands in docs/revocation.md. */
import { createHash } from 'node:crypto'
import { HubError } from '../core/errors.ts'
import { failure } from '../core/failure/catalogue.ts'
import type { SerialNumber } from '../core/identity/credential.ts'
import { type CertificateId, type OcspRequest, parseOcspRequest } from '../core/x509/ocsp-request.ts'
import {
  type CertificateStatus,
  ocspErrors,
  ocspToBeSigned,
  type SingleAnswer,
  signedOcspResponse,
} from '../core/x509/ocsp-response.ts'
import { hubIdentityId } from './hub-credential.ts'
import { OcspCache } from './ocsp-cache.ts'
import type { OcspResponder, OcspResponders } from './ocsp-responders.ts'
import type { Clock } from './ports/clock.ts'
import type { HubEvent } from './ports/events.ts'
import type { Log } from './ports/log.ts'
import type { CredentialStatus, Store } from './ports/store.ts'

/** How long an answer is good: a client that keeps it does not hear of a revocation before. */
export const ocspLifetimeMs: number = 60 * 60_000
/** An answer that is older is made anew. */
const ocspRefreshMs = 30 * 60_000
/** How far `thisUpdate` lies in the past, for readers whose clock runs behind. */
const ocspBackdateMs = 5 * 60_000

/** An answer that may be given again to whoever asks the same. */
export interface KeptOcspAnswer {
  /** The OCSPResponse in DER. */
  readonly body: Buffer
  readonly thisUpdateMs: number
  readonly nextUpdateMs: number
  /** Differs for each answer. */
  readonly tag: string
}

export interface OcspAnswer {
  readonly body: Buffer
  /** Null for what nobody may keep: errors, and answers to a nonce or about several certificates. */
  readonly kept: KeptOcspAnswer | null
}

export interface OcspAnswerer {
  /** Never rejected: whatever is wrong has an answer of its own. @param der the OCSPRequest */
  answer(der: Uint8Array): Promise<OcspAnswer>
  /** Tells of an event: what was said of a certificate may be another now. */
  noted(event: HubEvent): void
}

interface Hub {
  readonly store: Pick<Store, 'credentials'>
  readonly clock: Clock
  readonly log: Log
  readonly responders: Pick<OcspResponders, 'isOurs' | 'for'>
}

export function ocspAnswerer(hub: Hub): OcspAnswerer {
  const cache = new OcspCache()

  async function answerTo(request: OcspRequest): Promise<OcspAnswer> {
    const [first, ...others] = request.certificates
    if (first === undefined || !request.certificates.every((each) => hub.responders.isOurs(each))) return unauthorized
    const responder = hub.responders.for(first)
    if (responder === null || !responder.isGood()) return tryLater
    // One signature cannot speak for two issuers.
    if (others.some((each) => hub.responders.for(each) !== responder)) return unauthorized
    if (request.nonce !== null || others.length > 0) return freshAnswer(hub, responder, request)
    const certificateId = Buffer.from(first.der).toString('latin1')
    const before = cache.find(first.serialNumber, certificateId)
    if (before !== null && isYoung(hub.clock, before)) return { body: before.body, kept: before }
    return keptAnswer(first, certificateId, responder)
  }

  async function keptAnswer(id: CertificateId, certificateId: string, responder: OcspResponder): Promise<OcspAnswer> {
    const { serialNumber } = id
    const making = cache.begin(serialNumber)
    let kept: KeptOcspAnswer | null = null
    try {
      const answer = await signedAnswer(hub, responder, { certificates: [id], nonce: null })
      // Strangers can think of serial numbers without end; those that were given are as many as there are certificates.
      if (answer.isIssued) kept = answer.kept
      return { body: answer.kept.body, kept }
    } finally {
      cache.end(serialNumber, making, certificateId, kept)
    }
  }

  return {
    async answer(der) {
      try {
        return await answerTo(parseOcspRequest(der))
      } catch (error) {
        return answerToFailure(error, hub.log)
      }
    },
    noted(event) {
      // Answers that a responder has signed whose own certificate is revoked are worth nothing any more.
      const isOfResponder = event.type === 'credential-revoked' && event.identityId === hubIdentityId
      if (isOfResponder || event.type === 'registry-restored') cache.forgetAll()
      const serialNumber = serialNumberIn(event)
      if (serialNumber !== null) cache.forget(serialNumber)
    },
  }
}

/**
 * What a state answers. Whoever asks here does not know what this hub knows: what must not be used anywhere is revoked or on
 * hold, and a serial number that was never given to a certificate belongs to a forged one.
 */
export function certificateStatus(status: CredentialStatus | null): CertificateStatus {
  switch (status?.state) {
    case undefined:
    // Nobody has it: it was not handed out, or lost before it was.
    case 'intended':
      return { kind: 'never-issued' }
    case 'revoked':
      return { kind: 'revoked', atMs: status.revokedAtMs ?? 0, reason: status.revocationReason ?? 'unspecified' }
    case 'quarantined':
    case 'unadopted':
      return { kind: 'revoked', atMs: status.issuedAtMs, reason: 'certificateHold' }
    case 'pending':
    case 'active':
    case 'superseded':
    // Its own date says that it has ended.
    case 'expired':
      return { kind: 'good' }
  }
}

const unauthorized: OcspAnswer = { body: Buffer.from(ocspErrors.unauthorized), kept: null }
const malformedRequest: OcspAnswer = { body: Buffer.from(ocspErrors.malformedRequest), kept: null }
const internalError: OcspAnswer = { body: Buffer.from(ocspErrors.internalError), kept: null }
const tryLater: OcspAnswer = { body: Buffer.from(ocspErrors.tryLater), kept: null }

function answerToFailure(error: unknown, log: Log): OcspAnswer {
  if (error instanceof HubError) {
    if (error.code === 'ocsp-request-unreadable') return malformedRequest
    if (failure(error.code).kind === 'unavailable') return tryLater
  }
  log.error('an OCSP request could not be answered', { error })
  return internalError
}

async function freshAnswer(hub: Hub, responder: OcspResponder, request: OcspRequest): Promise<OcspAnswer> {
  const { kept } = await signedAnswer(hub, responder, request)
  return { body: kept.body, kept: null }
}

async function signedAnswer(
  { store, clock }: Hub,
  responder: OcspResponder,
  request: OcspRequest,
): Promise<{ readonly kept: KeptOcspAnswer; readonly isIssued: boolean }> {
  const answers: SingleAnswer[] = []
  for (const { serialNumber, der } of request.certificates) {
    const status = certificateStatus(await store.credentials.status(responder.authorityId, serialNumber))
    answers.push({ certificateId: der, status })
  }
  const nowMs = clock.nowMs()
  const nextUpdateSec = Math.floor(Math.min(nowMs + ocspLifetimeMs, responder.notAfterSec * 1000) / 1000)
  const thisUpdateSec = Math.floor((nowMs - ocspBackdateMs) / 1000)
  const dates = { producedAtSec: Math.floor(nowMs / 1000), thisUpdateSec, nextUpdateSec }
  const tbs = ocspToBeSigned(responder.form, { answers, ...dates, nonce: request.nonce })
  const body = Buffer.from(signedOcspResponse(responder.form, tbs, await responder.sign(tbs)))
  const tag = createHash('sha256').update(body).digest('base64url').slice(0, 22)
  return {
    kept: { body, tag, thisUpdateMs: thisUpdateSec * 1000, nextUpdateMs: nextUpdateSec * 1000 },
    isIssued: answers.every(({ status }) => status.kind !== 'never-issued'),
  }
}

/** One from the future was made while the clock was wrong. */
function isYoung(clock: Clock, { thisUpdateMs, nextUpdateMs }: KeptOcspAnswer): boolean {
  const ageMs = clock.nowMs() - ocspBackdateMs - thisUpdateMs
  return ageMs > -1_000 && ageMs < ocspRefreshMs && clock.nowMs() < nextUpdateMs
}

function serialNumberIn(event: HubEvent): SerialNumber | null {
  switch (event.type) {
    case 'credential-issued':
    case 'credential-released':
    case 'credential-adopted':
    case 'credential-revoked':
      return event.serialNumber
    default:
      return null
  }
}
