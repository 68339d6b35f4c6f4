import { HubError } from '../../errors.ts'
import { assertAcceptableKey } from '../../x509/public-key.ts'
import type { LintRule } from '../lint-rule.ts'

export const publicKeyAcceptable: LintRule = {
  name: 'public-key-acceptable',
  clause: 'CA/Browser Forum BR 6.1.1.3, 6.1.6; RFC 9500 §1',
  reason: 'a certificate for a weak or published key speaks for whoever cares to compute its other half',
  faultOf({ certificate: { publicKey }, plan }) {
    try {
      // The bytes of this certificate, not those of the request that were looked at before.
      assertAcceptableKey(publicKey, plan.profile)
      return null
    } catch (error) {
      if (error instanceof HubError) return `has a key that is not acceptable: ${error.message}`
      throw error
    }
  },
}
