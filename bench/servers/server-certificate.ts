/** The hub's own server certificate, so that its peer serves with the very same. */
import { join } from 'node:path'
import { encodePem } from '../../src/core/x509/pem.ts'
import { hubIdentityId } from '../../src/hub/server-certificate.ts'
import { openKeyFolder } from '../../src/keys/file/key-folder.ts'
import { readPassphrase } from '../../src/keys/file/passphrase.ts'
import { systemClock } from '../../src/machine/system.ts'
import { openSqliteStore } from '../../src/store/sqlite/sqlite-store.ts'

export interface ServerPem {
  /** Leaf and issuing authority. */
  readonly cert: string
  readonly key: string
}

/** @param data data directory of a hub that has run */
export async function readServerCertificate(data: string): Promise<ServerPem> {
  const store = await openSqliteStore({ path: join(data, 'handfast.db'), clock: systemClock })
  try {
    const folder = join(data, 'keys')
    const keys = await openKeyFolder({ folder, passphrase: await readPassphrase(null, join(folder, 'passphrase')) })
    const keyName = await store.settings.find('server-key')
    const credential = (await store.credentials.ofIdentityIn(hubIdentityId, ['active'])).at(-1)
    const issuing = (await store.authorities.all()).find(({ id }) => id === credential?.authorityId)
    if (keyName === null || credential === undefined || issuing === undefined) {
      throw new Error('the hub has no server certificate')
    }
    const chain = [credential.certificate, issuing.certificate]
    return {
      cert: chain.map((der) => encodePem('CERTIFICATE', der)).join(''),
      key: (await keys.exportPem(keyName)).reveal(),
    }
  } finally {
    await store.close()
  }
}
