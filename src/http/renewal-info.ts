/** `GET /renewal-info/<certificate>`: when to renew, in the shape of RFC 9773 §4.2, for clients of any enrolment protocol. */
import type { FastifyInstance } from 'fastify'
import { type RenewalInfoHub, renewalInfo } from '../hub/renewal-info.ts'

/** Behind it stands the certificate's name (RFC 9773 §4.1). */
export const renewalInfoPath = '/renewal-info'

/** Adds the route to a listener that devices reach. */
export function addRenewalInfo(app: FastifyInstance, hub: RenewalInfoHub): void {
  app.get<{ Params: { certificate: string } }>(`${renewalInfoPath}/:certificate`, async (request, reply) => {
    const { window, retryAfterSec } = await renewalInfo(hub, request.params.certificate)
    return reply
      .header('Retry-After', String(retryAfterSec))
      .header('Cache-Control', 'no-store')
      .send({ suggestedWindow: { start: isoSec(window.fromSec), end: isoSec(window.untilSec) } })
  })
}

/** As RFC 3339 has it, in whole seconds. */
function isoSec(sec: number): string {
  return new Date(sec * 1000).toISOString().replace('.000Z', 'Z')
}
