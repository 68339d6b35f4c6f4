import { HubError } from '../../errors.ts'
import { assertAcceptableKey } from '../../x509/public-key.ts'
import type { LintRule } from '../lint-rule.ts'

export const publicKeyAcceptable: LintRule = {
  name: 'public-key-acceptable',
  clause: 'CA/Browser Forum BR 6.1.1.3, 6.1.6; RFC 9500 §1',
  reason: 'a certificate for a weak or published key speaks for whoever cares to compute its other half',
  faultOf({ certificate: { publicKey }, plan }) {
    try {
      const isOrdered = plan.publicKey !== null && Buffer.compare(plan.publicKey, publicKey) === 0
      // The same bytes in the object that was looked at before: what OpenSSL made of them is remembered with it.
      assertAcceptableKey(isOrdered ? plan.publicKey : publicKey, plan.profile)
      return null
    } catch (error) {
      if (error instanceof HubError) return `has a key that is not acceptable: ${error.message}`
      throw error
    }
  },
}
