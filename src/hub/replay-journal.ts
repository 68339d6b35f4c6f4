/**
 * Giving a restored registry back what was taken away since: access only ever shrinks here. What was given since is written
 * down as `unadopted` and waits for an operator.
 */
import { HubError } from '../core/errors.ts'
import { journalFacts } from './journal-facts.ts'
import type { Clock } from './ports/clock.ts'
import type { Journal } from './ports/journal.ts'
import type { Store } from './ports/store.ts'
import { replayAnchors } from './replay-anchors.ts'
import { Replay } from './replay-steps.ts'

/** The setting of a registry that was restored although nobody knows what happened since: an operator has accepted that. */
export const acceptedGap = 'journal-gap'

/** Event numbers that are passed over where nobody knows which were given away: no hub makes as many between two backups. */
const unknownNumbers = 1_000_000_000

/** What a replay has changed. */
export interface ReplayReport {
  /** The last event that the restored registry knew. */
  readonly restoredTo: number
  /** True when the journal does not reach back that far. */
  readonly incomplete: boolean
  readonly entries: number
  readonly credentialsRevoked: number
  readonly credentialsSuperseded: number
  readonly identitiesClosed: number
  readonly tokensEnded: number
  readonly passwordsEnded: number
  readonly apiKeysRemoved: number
  readonly rolesWithdrawn: number
  /** Identities that wait for adoption, and the unadopted credentials of all of them. */
  readonly identitiesWaiting: number
  readonly credentialsWaiting: number
}

interface Hub {
  readonly store: Store
  readonly clock: Clock
  readonly journal: Journal
}

/**
 * Applies what stands in the journal behind a place, in one transaction. Doing it again changes nothing, so that a crash on
 * the way costs nothing.
 *
 * @param from where the registry stands in its journal
 * @param incomplete whether more has happened than the journal tells
 */
export async function replayJournal(
  { store, clock, journal }: Hub,
  from: number,
  incomplete: boolean,
): Promise<ReplayReport> {
  const facts = await journalFacts(journal, from)
  await assertAuthoritiesKnown(store, facts.authorities)
  // The journal's files are read while the transaction is open: the hub serves nobody yet, so nobody waits.
  return store.write(async (tx) => {
    const restoredTo = await tx.events.last()
    await tx.events.appendAbove(journal.highest, {
      type: 'registry-restored',
      restoredTo,
      journal: journal.id,
      place: journal.end,
      incomplete,
    })
    const replay = new Replay(tx, facts, clock.nowMs())
    await replay.takeFromIdentities()
    await replay.followProfiles()
    await replay.followPolicy()
    await replayAnchors(tx, facts, clock.nowMs())
    await replay.unpin()
    for await (const group of journal.after(from)) await replay.takeNew(group.map(({ entry }) => entry))
    const report: ReplayReport = {
      restoredTo,
      incomplete,
      entries: facts.entries,
      credentialsRevoked: await replay.revoke(),
      credentialsSuperseded: await replay.supersede(),
      identitiesClosed: await replay.closeIdentities(),
      tokensEnded: await replay.endTokens(),
      passwordsEnded: await replay.endPasswords(),
      apiKeysRemoved: await replay.removeApiKeys(),
      rolesWithdrawn: await replay.withdrawRoles(),
      ...(await replay.settleAdoptions()),
    }
    await replay.passCrlNumbers()
    await replay.noteContests()
    await tx.audit.append({
      atMs: clock.nowMs(),
      actor: 'journal',
      act: 'registry.restore',
      subject: `event ${restoredTo}`,
      before: null,
      after: { journal: journal.id, ...report },
    })
    return report
  })
}

/**
 * For a restored registry of which no journal is left: says so in its events and its audit log, and passes over numbers that
 * others may have seen.
 */
export async function markRestored({ store, clock }: Omit<Hub, 'journal'>): Promise<void> {
  await store.write(async (tx) => {
    const restoredTo = await tx.events.last()
    const mark = { type: 'registry-restored', restoredTo, journal: '', place: 0, incomplete: true } as const
    await tx.events.appendAbove(restoredTo + unknownNumbers, mark)
    await tx.settings.remove(acceptedGap)
    await tx.audit.append({
      atMs: clock.nowMs(),
      actor: 'hub',
      act: 'registry.restore',
      subject: `event ${restoredTo}`,
      before: null,
      after: { journal: null, incomplete: true },
    })
  })
}

/**
 * A registry from before a change of authorities has neither the certificates nor the keys of the new ones: devices that came to
 * know them could not be told from strangers, and nothing of theirs could be revoked.
 *
 * @throws HubError `authority-unknown`
 */
async function assertAuthoritiesKnown(store: Store, changed: ReadonlySet<string>): Promise<void> {
  const known = new Set((await store.authorities.all()).map(({ id }) => id))
  const missing = [...changed].filter((id) => !known.has(id))
  if (missing.length === 0) return
  throw new HubError(
    'authority-unknown',
    `the registry was restored from a backup that is older than ${missing.join(', ')}`,
  )
}
