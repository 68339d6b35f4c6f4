/** Versions of the policy: each can be read, and one at most is active, and one the shadow. */
import { readPolicy } from '../../core/policy/file/parse.ts'
import { problemLine } from '../../core/policy/file/problems.ts'
import { policyStates } from '../../core/policy/state.ts'
import type { Problem, RegistryRule } from '../rule.ts'

export const policyWellFormed: RegistryRule = {
  name: 'policy-well-formed',
  reason: 'a hub whose active policy cannot be read does not start, and with two of them nobody knows which decides',
  canLook: () => true,
  async *look({ snapshot }): AsyncIterable<Problem> {
    const rows = await snapshot.registry.policies.all()
    for (const { number, state, activatedAtMs } of rows) {
      const subject = `policy ${number}`
      if (!policyStates.includes(state))
        yield { subject, sentence: `is in the state ${JSON.stringify(state)}, which there is not` }
      if (state === 'active' && activatedAtMs === null) yield { subject, sentence: 'is active and has no date' }
      const [first] = readPolicy((await snapshot.registry.policies.find(number))?.source ?? '').problems
      if (first !== undefined) yield { subject, sentence: `cannot be read: ${problemLine(first)}` }
    }
    for (const state of ['active', 'shadow'] as const) {
      const [first, second] = rows.filter((row) => row.state === state)
      if (second !== undefined)
        yield { subject: `policy ${first?.number}`, sentence: `is ${state}, and so is ${second.number}` }
    }
  },
}
