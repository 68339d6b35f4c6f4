/** The tests that a policy brings with it. */
import { quote } from '../errors.ts'
import { isIdentityId } from '../identity/id.ts'
import type { Identity } from '../identity/identity.ts'
import type { CompiledPolicy } from './compile.ts'
import type { Problem } from './file/problems.ts'
import type { Expectation, Policy } from './model.ts'
import type { Rights } from './rights.ts'
import { imaginedIdentity, testSubject } from './subjects.ts'

/** Ids of the identities that the expectations of a policy speak of, each once. */
export function subjectsOf({ expectations }: Policy): readonly string[] {
  return [...new Set(expectations.map(({ subject }) => subject))]
}

/**
 * The expectations that do not come out, each with what decides.
 *
 * @param known identities of the registry by id; they go before the subjects that the policy writes
 */
export function failedExpectations(...asked: Parameters<typeof outcomesOf>): readonly Problem[] {
  return [...outcomesOf(...asked)].filter((problem) => problem !== null)
}

/** The same one by one, null for each that comes out: whoever must not keep others waiting stops between them. */
export function* outcomesOf(
  policy: Policy,
  compiled: CompiledPolicy,
  known: ReadonlyMap<string, Identity>,
  nowMs: number,
): Generator<Problem | null> {
  // What is made for one question serves the next, where it is about the same.
  let last: { readonly of: Expectation; readonly rights: Rights } | null = null
  for (const expectation of policy.expectations) {
    const { subject, connection, place } = expectation
    if (!isIdentityId(subject)) {
      yield { ...place, message: `${quote(subject)} is no id of an identity` }
      continue
    }
    if (last === null || last.of.subject !== subject || last.of.connection !== connection) {
      const identity = known.get(subject) ?? imaginedIdentity(subject, policy.subjects.get(subject))
      const rights = compiled.rightsOf(testSubject(identity, connection), connection.atMs ?? nowMs)
      last = { of: expectation, rights }
    }
    yield outcomeOf(expectation, last.rights)
  }
}

function outcomeOf({ subject, action, topic, allowed, place }: Expectation, rights: Rights): Problem | null {
  const decision = rights.explain(action, topic)
  if (decision.allowed === allowed) return null
  const [wanted, got] = allowed ? ['allowed', 'denied'] : ['denied', 'allowed']
  const what = [subject, action, topic].filter((part) => part !== '').join(' ')
  return { ...place, message: `${quote(what)} should be ${wanted} and is ${got}: ${decision.because}` }
}
