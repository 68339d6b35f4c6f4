import { HubError } from '../../core/errors.ts'
import type { KeyStore } from '../../hub/ports/signer.ts'
import type { CheckedAuthority, Problem, RegistryRule } from '../rule.ts'

export const authorityKeysOpen: RegistryRule = {
  name: 'authority-keys-open',
  reason: 'without the keys of its authorities a registry can issue and revoke nothing more',
  canLook: ({ keys }) => keys !== null,
  async *look({ authorities, keys }): AsyncIterable<Problem> {
    if (keys === null) return
    for (const authority of authorities.values()) {
      // One that is offline or retired signs nothing here.
      if (authority.keyPlace !== 'hub' || authority.state === 'retired') continue
      const fault = await faultOf(authority, keys)
      if (fault !== null) yield { subject: authority.id, sentence: fault }
    }
  },
}

async function faultOf({ id, fields }: CheckedAuthority, keys: KeyStore): Promise<string | null> {
  try {
    const { publicKey } = await keys.open(id)
    const isSame = fields === null || Buffer.compare(publicKey, fields.publicKey) === 0
    return isSame ? null : 'has a key that does not belong to its certificate'
  } catch (error) {
    if (error instanceof HubError) return `has a key that cannot be opened: ${error.message}`
    throw error
  }
}
