/** A device asks what the hub has made of its last attempts, and shows its certificate, good or not. The address is ours. */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { HubError, quote } from '../../core/errors.ts'
import { failure } from '../../core/failure/catalogue.ts'
import type { IdentityId } from '../../core/identity/id.ts'
import { limits } from '../../core/limits.ts'
import { certificateFingerprint } from '../../core/x509/certificate.ts'
import { RateTable } from '../../hub/gcra.ts'
import type { Judgement } from '../../hub/judgement.ts'
import type { OwnAttempts } from '../../hub/own-attempts.ts'
import type { EstHandler, EstServerOptions } from './est-server.ts'

export const ownAttemptsPath = '/device/attempts'

type Answered = (request: FastifyRequest, reply: FastifyReply, handler: EstHandler) => Promise<FastifyReply>

/** What is told to whoever has shown this certificate, unless `onKnown` throws. */
export type TellOwnAttempts = (
  certificate: Uint8Array | null,
  onKnown: (judgement: Judgement, id: IdentityId) => void,
) => Promise<{ readonly judgement: Judgement; readonly story: OwnAttempts | null }>

export function addOwnAttempts(
  app: FastifyInstance,
  answered: Answered,
  { hub, ownAttempts }: Pick<EstServerOptions, 'hub' | 'ownAttempts'>,
): void {
  // Not the rate of the identity: whoever holds a certificate that was revoked must not use up what its owner renews with.
  const rates = new RateTable(
    { burst: limits.ownAttemptsBurst, everyMs: limits.ownAttemptsEveryMs },
    limits.ownAttemptsAskersMax,
  )
  app.get(ownAttemptsPath, (request, reply) =>
    answered(request, reply, async ({ caller, judged }) => {
      const { certificate } = caller
      // Before anything is read that costs something.
      const { judgement, story } = await ownAttempts(certificate, (made, id) => {
        judged(made)
        const waitMs = certificate === null ? 0 : rates.take(certificateFingerprint(certificate), hub.clock.nowMs())
        if (waitMs === 0) return
        const retryAfterSec = Math.ceil(waitMs / 1_000)
        throw new HubError('rate-limited', `${quote(id)} asks too often about its attempts`, { retryAfterSec })
      })
      judged(judgement)
      if (story === null) {
        const { code, sentence } = judgement.admitted ? notOurs : judgement
        throw new HubError(code, sentence)
      }
      return reply.header('Cache-Control', 'no-store').send({
        device: story.id,
        verdict: viewOf(story.verdict),
        attempts: story.attempts.map((each) => ({
          at: new Date(each.atMs).toISOString(),
          listener: each.listener,
          stage: each.stage,
          ...viewOf(each),
        })),
      })
    }),
  )
}

/** What lets a certificate in by other ways than the registry of issued ones has no story there. */
const notOurs = { code: 'certificate-foreign-authority', sentence: 'the certificate is none of this hub' } as const

function viewOf({ outcome, code, sentence }: OwnAttempts['verdict']) {
  return { outcome, code, id: code === null ? null : failure(code).id, sentence }
}
