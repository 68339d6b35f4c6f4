/** Attempts taken together: the cases of one party, and the incidents of many. */
import { z } from 'zod'
import { limits } from '../core/limits.ts'
import { answerNamed } from './components.ts'
import { idBeginning, page } from './requests.ts'
import { certificateSummaryView, pageOf } from './views.ts'

const time = (description: string) => z.string().meta({ format: 'date-time', description })
const text = (description: string) => z.string().meta({ description })
const count = (description: string) => z.number().int().min(0).meta({ description })

/** GET /api/v1/attempts/cases → PageView<CaseView>, newest refusal first */
export const caseListQuery = z.strictObject({
  ...page,
  device: idBeginning.optional().meta({ description: 'only those of this device' }),
  code: z.string().max(64).optional().meta({ description: 'only those with this failure' }),
  listener: z
    .string()
    .max(limits.listenerNameCharsMax + 1 + limits.identityIdCharsMax)
    .optional()
    .meta({ description: 'only those of this listener' }),
  from: z.iso.datetime().optional().meta({ description: 'only those whose last refusal was at this time or later' }),
  standing: z
    .stringbool({ truthy: ['true'], falsy: ['false'] })
    .default(false)
    .meta({ description: 'only those that have not been admitted since' }),
})

/** GET /api/v1/incidents → PageView<IncidentView>, newest first */
export const incidentListQuery = z.strictObject({
  ...page,
  endedFrom: z.iso
    .datetime()
    .optional()
    .meta({ description: 'only those that stand, or that ended at this time or later; all where it is not given' }),
})

const sharedFields = {
  listener: text('as attempts have it'),
  code: text('stable name of the failure'),
  failureId: text('its number, as in HF-2108'),
  issuer: z.string().nullable().meta({
    description:
      'whom the certificates name as their issuer, where the failure is about that; a stranger may have written it',
  }),
}

export const caseView = answerNamed(
  'CaseView',
  'All refusals of one party for one cause on one listener. What is not counted is as it was in the newest of them.',
  z.object({
    ...sharedFields,
    party: z.enum(['identity', 'certificate', 'network']).meta({
      description:
        'who it is: one that was proved or gave its name with a wrong password, else the certificate that was shown, else a network',
    }),
    name: text(
      'its id, the SHA-256 of the certificate, or an IPv4 address or the first 64 bits of an IPv6 one; `others` where there were too many strangers to be told apart',
    ),
    count: count('how many refusals; denials of packets are sampled, one a minute for each session'),
    firstAt: time('of the first; a case that was quiet for a day begins anew'),
    lastAt: time('of the newest'),
    admittedAt: time('when it was admitted on the listener since').nullable(),
    stage: text('how far it came'),
    sentence: text('what happened, for a person'),
    cure: text('what to do next'),
    address: text('where it came from'),
    deviceId: z.string().nullable().meta({ description: 'null where nobody has proved to be one' }),
    clientId: z.string().nullable(),
    tlsVersion: z.string().nullable(),
    mqttVersion: z.string().nullable(),
    certificate: certificateSummaryView.nullable(),
  }),
)
export type CaseView = z.infer<typeof caseView>

export const incidentView = answerNamed(
  'IncidentView',
  'One cause that refuses several parties on one listener.',
  z.object({
    ...sharedFields,
    number: count('counted from 1, in the order in which they began'),
    identities: count('devices and other identities that were proved and are refused, as counted last while it stood'),
    certificates: count('unknown certificates that are refused'),
    networks: count('networks of clients that are refused and have shown nothing'),
    isSudden: z.boolean().meta({ description: 'whether most were refused for the first time a moment ago' }),
    examples: z.array(z.string()).meta({
      description:
        'some that it began with: ids, subjects of certificates with the beginning of their SHA-256, networks',
    }),
    sentence: text('who is refused and why, for a person'),
    owner: z
      .enum(['device', 'hub', 'operator', 'network', 'attacker'])
      .meta({ description: 'who can probably mend it' }),
    likelihood: text('what tells that'),
    cure: text('what to do about all of them'),
    beganAt: time('when it was noticed'),
    lastAt: time('of the newest refusal'),
    endedAt: time('when it was over').nullable(),
  }),
)
export type IncidentView = z.infer<typeof incidentView>

export const casePageView = pageOf('CasePage', 'A page of cases.', caseView)
export const incidentPageView = pageOf('IncidentPage', 'A page of incidents.', incidentView)
