/** Whether the policy lets an admitted client be connected at all. */
import type { Rights } from '../core/policy/rights.ts'
import type { Ending } from './options.ts'

/**
 * Why it may not, or null.
 *
 * @param what begins the sentence, as in "the identity may not connect"
 */
export function connectDenial(rights: Rights, what: string): Ending | null {
  if (rights.mayConnect()) return null
  const { because } = rights.explain('connect', '')
  return {
    code: rights.clientIdFault === null ? 'connect-denied' : 'client-id-denied',
    sentence: `${what}: ${because}`,
  }
}
