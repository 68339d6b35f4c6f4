/** What the admin API accepts and answers about renewal and quarantine. */

import { z } from 'zod'
import { incidentView } from './cases.ts'
import { answerNamed, requestNamed } from './components.ts'
import { deviceGroup } from './requests.ts'
import { credentialView, deviceView, hubView } from './views.ts'

/** POST /api/v1/devices/:id/release → 200 ReleaseView */
export const releaseRequest = requestNamed(
  'ReleaseRequest',
  'Which certificate leaves the quarantine.',
  z.strictObject({
    serial: z
      .string()
      .optional()
      .meta({ description: 'serial number; may be left out where only one certificate of the device waits' }),
  }),
)

export const releaseView = answerNamed(
  'ReleaseView',
  'What a release did.',
  z.object({
    device: deviceView,
    released: credentialView.meta({
      description: 'the certificate as it is now: active where it was used already, else pending',
    }),
    superseded: z
      .array(z.string())
      .meta({ description: 'serial numbers of those that it takes the place of; they are good for an overlap more' }),
    revoked: z.array(z.string()).meta({ description: 'serial numbers of those that waited beside it' }),
  }),
)
export type ReleaseView = z.infer<typeof releaseView>

/** POST /api/v1/renewals → 200 RenewalCallView */
export const callRenewalsRequest = requestNamed(
  'CallRenewalsRequest',
  'Whose certificates are to be renewed now: name a group or an authority.',
  z
    .strictObject({
      group: deviceGroup.optional().meta({ description: 'those of the devices of this group' }),
      authority: z.string().min(1).max(64).optional().meta({ description: 'all that this authority has signed' }),
    })
    .refine(({ group, authority }) => (group === undefined) !== (authority === undefined), {
      message: 'name either a group or an authority',
    }),
)

export const renewalCallView = answerNamed(
  'RenewalCallView',
  'A call to renew.',
  z.object({
    called: z.string().meta({ description: 'the device, group or authority whose certificates are called' }),
    issuedBefore: z.iso
      .datetime()
      .meta({ description: 'certificates that were issued before are due; the time of the call' }),
  }),
)
export type RenewalCallView = z.infer<typeof renewalCallView>

export const hubStatusView = answerNamed(
  'HubView',
  'The hub itself, and what asks for an operator.',
  z.object({
    ...hubView.shape,
    renewalsContested: z
      .number()
      .int()
      .min(0)
      .meta({ description: 'renewals of the last seven days for which two keys asked' }),
    incidents: z.array(incidentView).nullable().meta({
      description: 'what keeps several from connecting now, at most twenty; null for callers who may not know',
    }),
  }),
)
export type HubStatusView = z.infer<typeof hubStatusView>
