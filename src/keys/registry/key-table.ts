/** Sealed keys in the registry, for the processes that share it: each opens them with the same passphrase. */
import { HubError } from '../../core/errors.ts'
import type { Secret } from '../../core/secret.ts'
import type { KeyStore } from '../../hub/ports/signer.ts'
import type { Store } from '../../hub/ports/store.ts'
import { openKeyRing } from '../key-ring.ts'
import type { SealedFiles } from '../sealed-files.ts'

/**
 * @throws HubError as {@link openKeyRing}; `store-unavailable`
 */
export function openKeyTable(store: Store, passphrase: Secret): Promise<KeyStore> {
  const files: SealedFiles = {
    place: 'the registry',
    read: (name) => store.sealedKeys.find(name),
    writeNew: (name, text) => store.write((tx) => tx.sealedKeys.insert(name, text)),
    remove: (name) => store.write((tx) => tx.sealedKeys.remove(name)),
    names: () => store.sealedKeys.names(),
  }
  return openKeyRing(files, passphrase).catch((error: unknown) => {
    if (!(error instanceof HubError && error.code === 'key-passphrase-wrong')) throw error
    throw new HubError(error.code, error.message, {
      hint: 'processes that share a registry need one passphrase: give it to each with --passphrase-file, or copy keys/passphrase from the first data directory',
    })
  })
}
