/**
 * A device says which roots it keeps, over a connection that it has verified with one of them alone, and shows its certificate.
 * That is how a hub knows who trusts a new root before it takes the old one away. The address is ours.
 */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { HubError, quote } from '../../core/errors.ts'
import type { IdentityId } from '../../core/identity/id.ts'
import { limits } from '../../core/limits.ts'
import { assertAdmitted } from './certificate-caller.ts'
import type { EstHandler, EstServerOptions } from './est-server.ts'

export const rootsKeptPath = '/device/roots'

type Answered = (request: FastifyRequest, reply: FastifyReply, handler: EstHandler) => Promise<FastifyReply>

export interface RootsKept {
  /** Notes that an identity keeps the roots with these fingerprints; answers those that the hub knows. */
  noteRoots(id: IdentityId, fingerprints: readonly string[]): Promise<readonly string[]>
}

export function addRootsKept(
  app: FastifyInstance,
  answered: Answered,
  { renewal, hub, rootsKept }: Pick<EstServerOptions, 'renewal' | 'hub' | 'rootsKept'>,
): void {
  app.post(rootsKeptPath, (request, reply) =>
    answered(request, reply, async ({ caller, judged }) => {
      const judgement = await renewal.judge(caller.certificate)
      judged(judgement)
      assertAdmitted(judgement)
      hub.rates.ofIdentity(judgement.identity.id)
      const known = await rootsKept.noteRoots(judgement.identity.id, fingerprintsIn(request.query))
      return reply.header('Cache-Control', 'no-store').send({ device: judgement.identity.id, roots: known })
    }),
  )
}

/** @throws HubError `request-invalid` */
function fingerprintsIn(query: unknown): readonly string[] {
  const text = (query as { readonly sha256?: unknown }).sha256
  const parts = typeof text === 'string' ? text.split(',') : []
  if (parts.length > 0 && parts.length <= limits.rootsKeptMax && parts.every((part) => /^[0-9a-f]{64}$/.test(part))) {
    return parts
  }
  throw new HubError('request-invalid', `sha256=${quote(String(text))} names no roots`, {
    hint: `give SHA-256 fingerprints in lower-case hexadecimal, 1 to ${limits.rootsKeptMax}, with commas between them`,
  })
}
