/** Keys of a hub that has run, so that its peers serve and sign with the very same. */
import { join } from 'node:path'
import { serverProfile } from '../../src/core/profile/built-in.ts'
import { encodePem } from '../../src/core/x509/pem.ts'
import { hubIdentityId } from '../../src/hub/hub-credential.ts'
import { openKeyFolder } from '../../src/keys/file/key-folder.ts'
import { readPassphrase } from '../../src/keys/file/passphrase.ts'
import { systemClock } from '../../src/machine/system.ts'
import { openSqliteStore } from '../../src/store/sqlite/sqlite-store.ts'

/** A certificate, with those above it where a server shows them, and its key. */
export interface PemPair {
  readonly cert: string
  readonly key: string
}

export interface HubKeys {
  /** What the hub serves with: leaf and issuing authority. */
  readonly server: PemPair
  /** What it signs devices with. */
  readonly issuing: PemPair
  /** The root, in PEM. */
  readonly ca: string
}

/** @param data data directory of a hub on SQLite that has run */
export async function readHubKeys(data: string): Promise<HubKeys> {
  const store = await openSqliteStore({ path: join(data, 'handfast.db'), clock: systemClock })
  try {
    const folder = join(data, 'keys')
    const keys = await openKeyFolder({ folder, passphrase: await readPassphrase(null, join(folder, 'passphrase')) })
    const keyName = await store.settings.find('server-key')
    // The hub's OCSP responder is another credential of the same identity.
    const own = await store.credentials.ofIdentityIn(hubIdentityId, ['active'])
    const credential = own.findLast(({ profile }) => profile === serverProfile.name)
    const authorities = await store.authorities.all()
    const issuing = authorities.find(({ id }) => id === credential?.authorityId)
    const root = authorities.find(({ role }) => role === 'root')
    if (keyName === null || credential === undefined || issuing === undefined || root === undefined) {
      throw new Error('the hub has no server certificate')
    }
    const pem = ({ certificate }: { readonly certificate: Uint8Array }): string => encodePem('CERTIFICATE', certificate)
    return {
      server: { cert: `${pem(credential)}${pem(issuing)}`, key: (await keys.exportPem(keyName)).reveal() },
      issuing: { cert: pem(issuing), key: (await keys.exportPem(issuing.id)).reveal() },
      ca: pem(root),
    }
  } finally {
    await store.close()
  }
}
