/** Handfast's own lines: they name the failure, so there is nothing to guess. */
import { type FailureName, failure, failureNames, isFailureName } from '../../../core/failure/catalogue.ts'
import type { Phrase, Source } from '../sign.ts'
import { certain, either, possible, type Symptom } from '../symptom.ts'

const byId: ReadonlyMap<string, FailureName> = new Map(failureNames.map((name) => [failure(name).id, name]))

function told(name: FailureName | undefined): Symptom | null {
  return name === undefined ? null : either(failure(name).cause, certain(name))
}

const general: Phrase = [
  /\bnot accepted by this hub; its operator can see why\b/,
  () =>
    either(
      'the hub does not tell strangers more',
      possible('certificate-foreign-authority', '`handfast attempts --failed` on the hub says which'),
      possible('certificate-self-signed'),
      possible('certificate-missing'),
      possible('certificate-unknown-serial'),
      possible('password-wrong'),
    ),
  'client',
]

export const own: Source = {
  name: 'Handfast',
  phrases: [
    [/\bHF-\d{4}\b/, (match) => told(byId.get(match[0]))],
    [
      /"(?:code|failure)":"([a-z][a-z0-9-]{3,60})"/,
      (match) => (isFailureName(match[1] ?? '') ? told(match[1] as FailureName) : null),
    ],
    [
      /\berror: ?.{0,300}\(([a-z][a-z-]{3,60}), HF-\d{4}\)/,
      (match) => (isFailureName(match[1] ?? '') ? told(match[1] as FailureName) : null),
    ],
    // Alone: among other words it may be one of somebody else.
    [
      /^\s*([a-z][a-z0-9-]{3,60})\s*$/,
      (match) => (isFailureName(match[1] ?? '') ? told(match[1] as FailureName) : null),
    ],
    general,
  ],
}
