/** Events as the journal keeps them: with what is needed to understand each of them alone. */
import type { Fingerprint } from '../core/identity/credential.ts'
import type { IdentityId } from '../core/identity/id.ts'
import type { HubEvent, NewHubEvent } from './ports/events.ts'
import type { JournalEntry } from './ports/journal.ts'
import type { Store } from './ports/store.ts'

/**
 * Looks up credentials and identities of events, which are never removed from a registry. Their states are those of now:
 * where another event has changed them meanwhile, its entry follows and says the same.
 *
 * @param events at most `limits.bulkRowsMax`
 */
export async function journalEntries(
  store: Pick<Store, 'credentials' | 'identities'>,
  events: readonly HubEvent[],
): Promise<readonly JournalEntry[]> {
  const needs = events.map(({ number, atMs, ...event }) => ({ number, atMs, event, ...neededBy(event) }))
  const fingerprints = distinct(needs.map((each) => each.fingerprint))
  const ids = distinct(needs.map((each) => each.identityId))
  const [credentials, identities] = await Promise.all([
    store.credentials.findAll(fingerprints),
    store.identities.findAll(ids),
  ])
  const credentialOf = new Map(credentials.map((each) => [each.fingerprint, each]))
  const identityOf = new Map(identities.map((each) => [each.id, each]))
  return needs.map(({ number, atMs, event, fingerprint, identityId }) => ({
    number,
    atMs,
    event,
    credential: credentialOf.get(fingerprint ?? '') ?? null,
    identity: identityId === null ? null : (identityOf.get(identityId) ?? null),
  }))
}

/** What an entry carries of the registry. Every type of event is decided here: does it give access, or take it away? */
function neededBy(event: NewHubEvent): {
  readonly fingerprint: Fingerprint | null
  readonly identityId: IdentityId | null
} {
  switch (event.type) {
    case 'credential-issued':
    case 'credential-adopted':
    case 'credential-revoked':
      return { fingerprint: event.fingerprint, identityId: event.identityId }
    case 'identity-registered':
    case 'identity-changed':
    case 'identity-state-changed':
    case 'password-set':
    case 'enrolment-decided':
    case 'renewal-contested':
      return { fingerprint: null, identityId: event.identityId }
    case 'credential-activated':
    case 'credential-superseded':
    case 'credential-released':
    case 'token-ended':
    case 'password-ended':
    case 'password-superseded':
    case 'api-key-removed':
    case 'role-grant-removed':
    case 'profile-changed':
    case 'pin-added':
    case 'pin-removed':
    case 'anchor-changed':
    case 'policy-activated':
    case 'policy-shadowed':
    case 'authority-changed':
    case 'crl-published':
    case 'registry-restored':
      return { fingerprint: null, identityId: null }
  }
}

function distinct<T>(values: readonly (T | null)[]): readonly T[] {
  return [...new Set(values.filter((value) => value !== null))]
}
