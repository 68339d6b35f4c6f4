/**
 * What servers of somebody's own ask the hub (docs/verify.md), over the listener of EST with the certificate of a verifier: about
 * certificates that they were shown, who has changed, which authorities sign clients, and the policy that is active.
 */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { HubError, quote } from '../../core/errors.ts'
import type { IdentityId } from '../../core/identity/id.ts'
import { limits } from '../../core/limits.ts'
import { encodePem } from '../../core/x509/pem.ts'
import type { Authorities } from '../../hub/authorities.ts'
import type { FailureLimiter } from '../../hub/failure-limiter.ts'
import { RateTable } from '../../hub/gcra.ts'
import type { Admission, Judgement } from '../../hub/judgement.ts'
import type { NewAttempt } from '../../hub/ports/attempts.ts'
import type { Clock } from '../../hub/ports/clock.ts'
import type { Store } from '../../hub/ports/store.ts'
import type { VerifierChanges } from '../../hub/verifiers/changes.ts'
import { lookUpPeer } from '../../hub/verifiers/look-up.ts'
import { callerOf } from '../est/caller.ts'
import { strangers } from '../est/certificate-caller.ts'
import { refusedAttempt } from '../est/refused-attempt.ts'

export interface VerifierRouteOptions {
  readonly hub: { readonly store: Store; readonly clock: Clock; readonly authorities: Authorities }
  readonly admission: Admission
  readonly changes: VerifierChanges
  readonly attempts: { record(attempt: NewAttempt): void }
  /** Counts strangers by address, those at EST and these together. */
  readonly limiter: FailureLimiter
}

export const verifierPath = '/verifier'

export function addVerifierRoutes(
  app: FastifyInstance,
  { hub, admission, changes, attempts, limiter }: VerifierRouteOptions,
): void {
  const perSecond = limits.verifyQuestionsPerSecondMax
  const rates = new RateTable({ burst: perSecond, everyMs: 1_000 / perSecond }, limits.verifyPollsMax)
  const add = (place: string, answer: (asked: Asked) => Promise<object>): void => {
    app.get(`${verifierPath}/${place}`, async (request, reply) => {
      const asker = await askerOf(request)
      if (rates.take(asker, hub.clock.nowMs()) > 0) {
        throw new HubError('rate-limited', `${asker} asks too often`, { retryAfterSec: 1 })
      }
      const said = await answer({ query: request.query as Query, asker, signal: abortedWith(reply) })
      return reply.header('Cache-Control', 'no-store').send(said)
    })
  }

  async function askerOf(request: FastifyRequest): Promise<IdentityId> {
    const caller = callerOf(request)
    let judgement: Judgement = await admission.judge(caller.certificate)
    if (judgement.admitted && judgement.credential.state === 'pending')
      judgement = await admission.confirmUse(judgement)
    if (judgement.admitted) return judgement.identity.id
    const isOther = judgement.code === 'certificate-wrong-usage'
    const error = new HubError(isOther ? 'verify-not-granted' : judgement.code, judgement.sentence)
    attempts.record(refusedAttempt(hub.clock.nowMs(), caller, judgement, error))
    if (strangers.has(error.code)) limiter.recordFailure(caller.address)
    throw error
  }

  add('certificates', async ({ query }) => {
    const fingerprints = fingerprintsIn(query)
    // Before anything is read: what changes meanwhile is told to whoever asks for changes after it.
    const position = changes.position()
    const answers = await Promise.all(fingerprints.map((fingerprint) => lookUpPeer(hub, fingerprint)))
    return { position, answers }
  })
  add('changes', async ({ query, asker, signal }) =>
    changes.since(text(query, 'after'), waitIn(query) * 1_000, asker, signal),
  )
  add('authorities', async () => ({
    authorities: hub.authorities
      .all()
      .filter(({ role }) => role === 'issuing')
      .map(({ id, certificate }) => ({ id, certificate: encodePem('CERTIFICATE', certificate) })),
  }))
  add('policy', async () => {
    const row = await hub.store.policies.inState('active')
    return { number: row?.number ?? null, source: row?.source ?? null }
  })
}

type Query = Readonly<Record<string, unknown>>

interface Asked {
  readonly query: Query
  readonly asker: IdentityId
  readonly signal: AbortSignal
}

function text(query: Query, name: string): string | null {
  const value = query[name]
  return typeof value === 'string' ? value : null
}

/** @throws HubError `request-invalid` */
function fingerprintsIn(query: Query): readonly string[] {
  const given = text(query, 'sha256')
  const parts = given?.split(',') ?? []
  if (parts.length > 0 && parts.length <= limits.verifyAskedMax && parts.every((part) => /^[0-9a-f]{64}$/.test(part))) {
    return parts
  }
  throw new HubError('request-invalid', `sha256=${quote(given)} names no certificates`, {
    hint: `give SHA-256 fingerprints in lower-case hexadecimal, 1 to ${limits.verifyAskedMax}, with commas between them`,
  })
}

/** @throws HubError `request-invalid` */
function waitIn(query: Query): number {
  const given = text(query, 'wait') ?? '0'
  const wait = /^\d{1,3}$/.test(given) ? Number(given) : Number.NaN
  if (wait <= limits.verifyPollSecMax) return wait
  throw new HubError('request-invalid', `wait=${quote(given)} is no time to wait`, {
    hint: `give whole seconds, ${limits.verifyPollSecMax} at the most`,
  })
}

/** Whoever has gone waits for nothing. */
function abortedWith({ raw }: FastifyReply): AbortSignal {
  const abort = new AbortController()
  raw.once('close', () => abort.abort())
  return abort.signal
}
