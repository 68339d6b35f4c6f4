/** A caller that shows a certificate, as the registry sees it. The verdict of TLS is not asked: see `listen.ts`. */
import { HubError } from '../../core/errors.ts'
import type { FailureName } from '../../core/failure/catalogue.ts'
import { hopelessFailures, strangerFailures } from '../../core/identification/stranger-failures.ts'
import type { Judgement } from '../../hub/judgement.ts'

export type Admitted = Judgement & { readonly admitted: true }

/** @throws HubError the refusal, by the name that the gate would give it */
export function assertAdmitted(judgement: Judgement): asserts judgement is Admitted {
  if (judgement.admitted) return
  if (judgement.code !== 'certificate-missing') throw new HubError(judgement.code, judgement.sentence)
  throw new HubError('certificate-missing', judgement.sentence, {
    hint: 'show the certificate that is to be renewed, with its key, in the TLS handshake',
  })
}

/** What only somebody without a credential of ours comes with; it counts as a guess against the address. */
export const strangers: ReadonlySet<FailureName> = new Set(['token-invalid', ...strangerFailures, ...hopelessFailures])
