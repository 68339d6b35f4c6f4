/** Sealed keys in the registry, for the processes that share it: each opens them with the same passphrase. */
import type { Secret } from '../../core/secret.ts'
import type { KeyStore } from '../../hub/ports/signer.ts'
import type { Store } from '../../hub/ports/store.ts'
import { openKeyRing } from '../key-ring.ts'

/**
 * @throws HubError as {@link openKeyRing}; `store-unavailable`
 */
export function openKeyTable(store: Store, passphrase: Secret): Promise<KeyStore> {
  return openKeyRing(
    {
      place: 'the registry',
      read: (name) => store.sealedKeys.find(name),
      writeNew: (name, text) => store.write((tx) => tx.sealedKeys.insert(name, text)),
      names: () => store.sealedKeys.names(),
    },
    passphrase,
  )
}
