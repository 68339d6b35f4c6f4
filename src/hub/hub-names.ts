/** The names of this hub, which stand in certificates and bootstrap strings. */
import { HubError, quote } from '../core/errors.ts'
import { parseRealm, type Realm } from '../core/identity/id.ts'
import type { Clock } from './ports/clock.ts'
import type { Store } from './ports/store.ts'

/** What this hub is called. */
export interface HubNames {
  readonly realm: Realm
  readonly publicName: string
  /** Earlier public names, newest first: devices that enrolled under them still come. */
  readonly formerNames: readonly string[]
  readonly firstStart: boolean
}

/** Former names that the server certificate still carries. */
const formerNamesMax = 8

/**
 * Realm and public name are chosen at the first start and kept; the public name changes only when another one is given.
 *
 * @param given what the operator said at this start
 * @param defaultName this machine's own name, asked for at the first start
 * @throws HubError `config-invalid` for a realm that differs from the first one
 */
export async function establishNames(
  hub: { readonly store: Store; readonly clock: Clock },
  given: { readonly realm: string | null; readonly publicName: string | null },
  defaultName: () => Promise<string>,
): Promise<HubNames> {
  const { store } = hub
  const keptRealm = await store.settings.find('realm')
  const keptName = await store.settings.find('public-name')
  const publicName = given.publicName ?? keptName ?? (await defaultName())
  const realm = parseRealm(keptRealm ?? given.realm ?? realmFrom(publicName))
  if (given.realm !== null && given.realm !== realm) {
    throw new HubError('config-invalid', `the realm is ${quote(realm)} since the first start`, {
      hint: `leave out the realm ${quote(given.realm)}: it stands in every certificate and cannot change`,
    })
  }
  const formerText = (await store.settings.find('former-names')) ?? ''
  const earlier = [...(keptName === null ? [] : [keptName]), ...formerText.split(' ').filter((name) => name !== '')]
  const formerNames = [...new Set(earlier)].filter((name) => name !== publicName).slice(0, formerNamesMax)
  if (keptRealm !== realm || keptName !== publicName) {
    const isFirst = await store.write(async (tx) => {
      // Another process of the same registry may have started at this moment and chosen.
      if ((await tx.settings.find('realm')) !== keptRealm) return false
      if ((await tx.settings.find('public-name')) !== keptName) return false
      await tx.settings.set('former-names', formerNames.join(' '))
      await tx.settings.set('realm', realm)
      await tx.settings.set('public-name', publicName)
      await tx.audit.append({
        atMs: hub.clock.nowMs(),
        actor: 'hub',
        act: 'hub.name',
        subject: publicName,
        before: keptName === null ? null : { realm: keptRealm, publicName: keptName },
        after: { realm, publicName },
      })
      return true
    })
    if (!isFirst) return establishNames(hub, given, defaultName)
  }
  return { realm, publicName, formerNames, firstStart: keptRealm === null }
}

/** An IPv6 address has colons, which a SPIFFE trust domain may not have. */
function realmFrom(publicName: string): string {
  return publicName.replaceAll(':', '-').replace(/^-+/, 'ip-')
}
