/** Making, showing and removing keys of the admin API. Nobody makes, sees or removes more than less of what they have. */
import { parseRoleGrant, type Role, type RoleGrant } from '../core/authorisation/role.ts'
import { HubError, quote } from '../core/errors.ts'
import { isIdentityId } from '../core/identity/id.ts'
import { limits } from '../core/limits.ts'
import type { Secret } from '../core/secret.ts'
import type { Access } from './authorise.ts'
import type { Clock } from './ports/clock.ts'
import type { ApiKeyReader, ApiKeyRow } from './ports/grants.ts'
import type { Random } from './ports/random.ts'
import type { Store } from './ports/store.ts'
import { newSecret } from './secret-text.ts'

interface Hub {
  readonly store: Store
  readonly clock: Clock
  readonly random: Random
}

/** A key that is wanted. */
export interface KeyOrder {
  readonly name: string
  readonly role: Role
  readonly groups: readonly string[]
  readonly mayRegister: boolean
  /** Seconds until it ends; null for never. */
  readonly lifetimeSec: number | null
}

/** A key that was just made. */
export interface NewKey {
  readonly row: ApiKeyRow
  /** Its whole text, which is kept nowhere. */
  readonly text: Secret
}

/**
 * @param access of whoever asks
 * @throws HubError `request-invalid`, `grant-exceeds`, `key-exists`, `keys-too-many`
 */
export async function addKey(hub: Hub, access: Access, order: KeyOrder): Promise<NewKey> {
  const name = parseKeyName(order.name)
  const grant = parseRoleGrant(order)
  const secret = newSecret(hub.random)
  return hub.store.write(async (tx) => {
    const createdAtMs = hub.clock.nowMs()
    const expiresAtMs = order.lifetimeSec === null ? null : createdAtMs + order.lifetimeSec * 1000
    access.toGiven(grant, expiresAtMs)
    if ((await tx.apiKeys.named(name)) !== null) throw new HubError('key-exists', `there is an API key ${quote(name)}`)
    const { length } = await allKeys(tx.apiKeys)
    if (length >= limits.apiKeysMax) throw new HubError('keys-too-many', `there are ${length} API keys already`)
    const row: ApiKeyRow = { id: secret.id, name, secretHash: secret.secretHash, ...grant, createdAtMs, expiresAtMs }
    await tx.apiKeys.insert(row)
    await tx.audit.append({
      atMs: createdAtMs,
      actor: access.caller.actor,
      act: 'api-key.create',
      subject: name,
      before: null,
      after: described(row),
    })
    return { row, text: secret.text }
  })
}

/**
 * Removes a key: it opens nothing from then on.
 *
 * @returns what it was
 * @throws HubError `key-not-found`, `last-admin-key`
 */
export async function removeKey(hub: Hub, access: Access, name: string): Promise<ApiKeyRow> {
  return hub.store.write(async (tx) => {
    const row = await findKey(tx.apiKeys, access, name)
    if (isLasting(row)) {
      const others = (await allKeys(tx.apiKeys)).filter((other) => isLasting(other) && other.id !== row.id)
      if (others.length === 0) {
        throw new HubError('last-admin-key', `${quote(name)} is the last admin key that does not end`)
      }
    }
    await tx.apiKeys.remove(row.id)
    await tx.events.append({ type: 'api-key-removed', keyId: row.id, name })
    await tx.audit.append({
      atMs: hub.clock.nowMs(),
      actor: access.caller.actor,
      act: 'api-key.remove',
      subject: name,
      before: described(row),
      after: null,
    })
    return row
  })
}

/** The keys that somebody may know of, ascending by name. */
export async function knownKeys(keys: ApiKeyReader, access: Access): Promise<readonly ApiKeyRow[]> {
  const known = (await allKeys(keys)).filter((row) => access.holdsMore(grantOf(row)))
  return known.toSorted((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0))
}

/** @throws HubError `key-not-found`, also for one that is not the caller's to know */
export async function findKey(keys: ApiKeyReader, access: Access, name: string): Promise<ApiKeyRow> {
  const row = await keys.named(name)
  if (row !== null && access.holdsMore(grantOf(row))) return row
  throw new HubError('key-not-found', `there is no API key ${quote(name)}`)
}

/** The name of a key that is to be made. @throws HubError `request-invalid` */
function parseKeyName(name: string): string {
  if (!isIdentityId(name)) {
    throw new HubError('request-invalid', `${quote(name)} is not a name for a key`, {
      hint: `use 1 to ${limits.identityIdCharsMax} characters of A-Z a-z 0-9 . _ - that start with a letter or digit`,
    })
  }
  // A key of the hub's own that is made anew ends the one that has its name.
  if (/^admin(-|$)/i.test(name)) {
    throw new HubError('request-invalid', `the name ${quote(name)} is kept for the keys that the hub makes itself`, {
      hint: 'choose a name that does not begin with "admin", as in "alice" or "station-2"',
    })
  }
  return name
}

function grantOf({ role, groups, mayRegister }: ApiKeyRow): RoleGrant {
  return { role, groups, mayRegister }
}

/** An admin key that does not end. */
function isLasting({ role, expiresAtMs }: ApiKeyRow): boolean {
  return role === 'admin' && expiresAtMs === null
}

/** What the audit log says of a key. */
function described({ id, role, groups, mayRegister, expiresAtMs }: ApiKeyRow): object {
  return {
    key: id,
    role,
    groups,
    mayRegister,
    expiresAt: expiresAtMs === null ? null : new Date(expiresAtMs).toISOString(),
  }
}

async function allKeys(keys: ApiKeyReader): Promise<readonly ApiKeyRow[]> {
  const all: ApiKeyRow[] = []
  for (let after: string | null = null; ; ) {
    const page = await keys.list({ after, limit: limits.pageRowsMax })
    all.push(...page.items)
    if (page.next === null) return all
    after = page.next
  }
}
