import type { JournalEntry } from '../../src/hub/ports/journal.ts'
import { fakeCredential, fakeIdentity } from '../contract/store-fakes.ts'

/** Entries numbered from `first`: registrations, issues and keys removed, in turn. */
export function fakeEntries(first: number, count: number): readonly JournalEntry[] {
  return Array.from({ length: count }, (_, index) => fakeEntry(first + index))
}

function fakeEntry(number: number): JournalEntry {
  const identity = fakeIdentity(`pump-${number}`, { attributes: { site: 'Köln\n' } })
  const credential = fakeCredential(number, { identityId: identity.id })
  const { fingerprint, serialNumber } = credential
  const about = { number, atMs: 1_700_000_000_000 + number }
  switch (number % 3) {
    case 0:
      return {
        ...about,
        event: { type: 'credential-issued', identityId: identity.id, fingerprint, serialNumber },
        credential,
        identity,
      }
    case 1:
      return { ...about, event: { type: 'identity-registered', identityId: identity.id }, credential: null, identity }
    default:
      return {
        ...about,
        event: { type: 'api-key-removed', keyId: String(number), name: 'admin' },
        credential: null,
        identity: null,
      }
  }
}
