/**
 * Confirmation: a device that connects to other hubs tells this one that it has and uses its certificate, by showing it. It is
 * what an admitted CONNECT is for the others: pending becomes active. The address is ours, EST has nothing of the kind.
 */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { assertAdmitted } from './certificate-caller.ts'
import type { EstHandler, EstServerOptions } from './est-server.ts'

export const confirmationPath = '/device/confirm'

type Answered = (request: FastifyRequest, reply: FastifyReply, handler: EstHandler) => Promise<FastifyReply>

export function addConfirmation(
  app: FastifyInstance,
  answered: Answered,
  { renewal, hub }: Pick<EstServerOptions, 'renewal' | 'hub'>,
): void {
  app.post(confirmationPath, (request, reply) =>
    answered(request, reply, async ({ caller, judged }) => {
      const judgement = await renewal.judge(caller.certificate)
      judged(judgement)
      assertAdmitted(judgement)
      hub.rates.ofIdentity(judgement.identity.id)
      const confirmed = await renewal.confirmUse(judgement)
      judged(confirmed)
      assertAdmitted(confirmed)
      const { credential } = confirmed
      return reply.header('Cache-Control', 'no-store').send({
        device: credential.identityId,
        serialNumber: credential.serialNumber,
        state: credential.state,
        notAfter: new Date(credential.notAfterSec * 1000).toISOString(),
      })
    }),
  )
}
