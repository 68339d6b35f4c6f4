import { rowsAs } from '../rows.ts'
import type { Problem, RegistryRule } from '../rule.ts'

interface ApiKeyRow {
  readonly id: string
  readonly name: string
  readonly secret_hash: Uint8Array
}

export const apiKeyWellFormed: RegistryRule = {
  name: 'api-key-well-formed',
  reason: 'a key is compared with the SHA-256 of its secret, and the audit log names its holder',
  canLook: () => true,
  async *look({ snapshot }): AsyncIterable<Problem> {
    for await (const { id, name, secret_hash: hash } of rowsAs<ApiKeyRow>(snapshot, 'api_keys')) {
      if (!/^[0-9a-f]{16}$/.test(id))
        yield { subject: `API key ${name}`, sentence: 'has an id that is not well formed' }
      if (hash.length !== 32) yield { subject: `API key ${name}`, sentence: `has a hash of ${hash.length} octets` }
    }
  },
}
