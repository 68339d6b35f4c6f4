/** The tests that a policy brings with it. */
import { quote } from '../errors.ts'
import { isIdentityId } from '../identity/id.ts'
import type { Identity } from '../identity/identity.ts'
import type { CompiledPolicy } from './compile.ts'
import type { Problem } from './file/problems.ts'
import type { Policy } from './model.ts'
import { imaginedIdentity, usualSubject } from './subjects.ts'

/** Ids of the identities that the expectations of a policy speak of, each once. */
export function subjectsOf({ expectations }: Policy): readonly string[] {
  return [...new Set(expectations.map(({ subject }) => subject))]
}

/**
 * The expectations that do not come out, each with what decides.
 *
 * @param known identities of the registry by id; they go before the subjects that the policy writes
 */
export function failedExpectations(
  policy: Policy,
  compiled: CompiledPolicy,
  known: ReadonlyMap<string, Identity>,
  nowMs: number,
): readonly Problem[] {
  return policy.expectations.flatMap(({ subject, action, topic, allowed, place }) => {
    if (!isIdentityId(subject)) return { ...place, message: `${quote(subject)} is no id of an identity` }
    const identity = known.get(subject) ?? imaginedIdentity(subject, policy.subjects.get(subject))
    const decision = compiled.rightsOf(usualSubject(identity), nowMs).explain(action, topic)
    if (decision.allowed === allowed) return []
    const [wanted, got] = allowed ? ['allowed', 'denied'] : ['denied', 'allowed']
    const what = [subject, action, topic].filter((part) => part !== '').join(' ')
    return { ...place, message: `${quote(what)} should be ${wanted} and is ${got}: ${decision.because}` }
  })
}
