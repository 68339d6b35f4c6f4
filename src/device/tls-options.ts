/** The credential of a device as options of node:tls, and of everything that passes such options on. */
import { createSecureContext, type SecureContext, type SecureVersion } from 'node:tls'
import { HubError, quote } from '../core/errors.ts'
import type { CredentialStore } from './store/credential.ts'

/**
 * For `tls.connect`, `https.request`, MQTT.js, ws. The key is inside the context, where nothing prints it.
 */
export interface DeviceTlsOptions {
  readonly secureContext: SecureContext
  /** Whatever the environment says: without it a device would speak to anybody. */
  readonly rejectUnauthorized: true
}

const leastVersion: SecureVersion = 'TLSv1.2'

/** What was made of a store, with what it was made of. */
interface Made {
  readonly chain: string
  readonly roots: string
  readonly options: DeviceTlsOptions
}

const made = new WeakMap<CredentialStore, Made>()

/**
 * Options with the certificate that is current now. Ask for them at each connection: after a renewal they are others. Servers are
 * verified with the roots of the store, or with those of Node where it holds none.
 *
 * @throws HubError `credential-missing`; `store-unwritable`; `key-passphrase-unusable`
 */
export function tlsOptions(store: CredentialStore): DeviceTlsOptions {
  const identity = store.tlsIdentity()
  if (identity === null) {
    throw new HubError('credential-missing', `there is no key with its certificate in ${quote(store.path)}`)
  }
  const roots = store.roots().map(String).join('')
  const known = made.get(store)
  if (known?.chain === identity.chain && known.roots === roots) return known.options
  const secureContext = createSecureContext({
    key: identity.key.reveal(),
    cert: identity.chain,
    minVersion: leastVersion,
    ...(roots === '' ? {} : { ca: roots }),
  })
  const options = { secureContext, rejectUnauthorized: true } as const
  made.set(store, { chain: identity.chain, roots, options })
  return options
}
