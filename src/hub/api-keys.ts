/** Keys of the admin API. */
import { hkdfSync } from 'node:crypto'
import { HubError } from '../core/errors.ts'
import type { Secret } from '../core/secret.ts'
import type { Caller } from './authorise.ts'
import type { Clock } from './ports/clock.ts'
import type { Random } from './ports/random.ts'
import type { Store } from './ports/store.ts'
import { newSecret, parseSecretText, secretMatches } from './secret-text.ts'

/**
 * Makes a key. Keys of the same name end, so that making one anew takes the lost one back.
 *
 * @param name shown in the audit log
 * @returns the key's text, which is shown once and kept nowhere
 */
export async function createApiKey(
  hub: { readonly store: Store; readonly clock: Clock; readonly random: Random },
  name: string,
): Promise<Secret> {
  const secret = newSecret(hub.random)
  const atMs = hub.clock.nowMs()
  await hub.store.write(async (tx) => {
    for (const keyId of await tx.apiKeys.removeNamed(name)) {
      await tx.events.append({ type: 'api-key-removed', keyId, name })
    }
    await tx.apiKeys.insert({
      id: secret.id,
      name,
      secretHash: secret.secretHash,
      role: 'admin',
      groups: [],
      mayRegister: false,
      createdAtMs: atMs,
      expiresAtMs: null,
    })
    await tx.audit.append({ atMs, actor: 'hub', act: 'api-key.create', subject: name, before: null, after: null })
  })
  return secret.text
}

/**
 * The holder of a key.
 *
 * @param text the key as it was presented, or null when none was
 * @throws HubError `key-missing`, `key-invalid`, `key-expired`
 */
export async function authenticateApiKey(
  hub: { readonly store: Store; readonly clock: Clock },
  text: Secret | null,
): Promise<Caller> {
  if (text === null) throw new HubError('key-missing', 'the request carries no API key')
  const parts = parseSecretText(text)
  const row = parts === null ? null : await hub.store.apiKeys.find(parts.id)
  if (parts === null || row === null || !secretMatches(parts.secret, row.secretHash)) {
    throw new HubError('key-invalid', 'the API key is not valid')
  }
  if (row.expiresAtMs !== null && hub.clock.nowMs() >= row.expiresAtMs) {
    throw new HubError('key-expired', `the API key ${row.name} ended at ${new Date(row.expiresAtMs).toISOString()}`)
  }
  const { secret } = parts
  return {
    id: `key:${row.id}`,
    actor: `key:${row.name}`,
    grants: [{ role: row.role, groups: row.groups, mayRegister: row.mayRegister }],
    endsAtMs: row.expiresAtMs,
    derivedKey: (purpose) => new Uint8Array(hkdfSync('sha256', secret.reveal(), row.id, purpose, 32)),
  }
}
