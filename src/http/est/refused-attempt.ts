/** What the record of attempts keeps of a refusal over EST. */
import type { HubError } from '../../core/errors.ts'
import { type FailureName, failure } from '../../core/failure/catalogue.ts'
import { isIdentityId } from '../../core/identity/id.ts'
import type { Judgement } from '../../hub/judgement.ts'
import type { NewAttempt } from '../../hub/ports/attempts.ts'
import type { EstCaller } from './caller.ts'

const unproved: ReadonlySet<FailureName> = new Set(['token-missing', 'token-invalid', 'rate-limited', 'csr-unreadable'])

/** @param judgement what was made of the caller's certificate, where it was asked for */
export function refusedAttempt(
  atMs: number,
  caller: EstCaller,
  judgement: Judgement | null,
  error: HubError,
): NewAttempt {
  return {
    atMs,
    listener: 'est',
    address: caller.address,
    stage: failure(error.code).stage,
    outcome: 'refused',
    code: error.code,
    sentence: error.message,
    identityId: identityOf(caller, judgement, error),
    clientId: null,
    tlsVersion: caller.tlsVersion,
    mqttVersion: null,
    certificate: judgement?.summary ?? null,
  }
}

/** A name counts only when token or certificate has proved it: strangers must not write into a device's history. */
function identityOf({ claimedId }: EstCaller, judgement: Judgement | null, { code }: HubError): string | null {
  if (judgement !== null) return judgement.admitted ? judgement.identity.id : judgement.identityId
  return unproved.has(code) || !isIdentityId(claimedId) ? null : claimedId
}
