/** What an operator does with keys that wait for approval. */
import { HubError, quote } from '../core/errors.ts'
import type { IdentityId } from '../core/identity/id.ts'
import { isKeyWords, keyWords } from '../core/identity/key-words.ts'
import { waitingFor, wordsOf } from './enrolment-approval.ts'
import type { Clock } from './ports/clock.ts'
import type { EnrolmentRequestRow } from './ports/enrolment-requests.ts'
import type { Store, Transaction } from './ports/store.ts'
import { findDevice } from './register-device.ts'

interface Hub {
  readonly store: Store
  readonly clock: Clock
}

/**
 * Approves the key that waits for a device: its next request is answered with a certificate. Other keys that came with the
 * same token are refused, since the token is for one.
 *
 * @param words what the device shows; null leaves the comparison to the operator, and is not enough where several keys wait
 * @throws HubError `identity-not-found`, `enrolment-request-not-found`, `key-words-needed`, `key-words-wrong`
 */
export async function approveEnrolment(
  hub: Hub,
  actor: string,
  id: IdentityId,
  words: string | null,
): Promise<EnrolmentRequestRow> {
  return hub.store.write(async (tx) => {
    const nowMs = hub.clock.nowMs()
    const waiting = await waitingOf(tx, id, nowMs)
    const [chosen, second] = words === null ? waiting : withWords(waiting, id, words)
    if (second !== undefined || chosen === undefined) {
      throw new HubError('key-words-needed', `${waiting.length} keys wait for ${quote(id)}: ${wordsOf(waiting)}`)
    }
    const approved = await decide(tx, actor, chosen, 'approved', nowMs)
    for (const other of waiting) {
      if (other !== chosen && other.tokenId === chosen.tokenId) await decide(tx, actor, other, 'refused', nowMs)
    }
    return approved
  })
}

/**
 * Refuses keys that wait for a device: all of them, or the one with these words. The token goes on to live; another key may
 * still ask with it.
 *
 * @throws HubError `identity-not-found`, `enrolment-request-not-found`, `key-words-wrong`
 */
export async function refuseEnrolment(
  hub: Hub,
  actor: string,
  id: IdentityId,
  words: string | null,
): Promise<readonly EnrolmentRequestRow[]> {
  return hub.store.write(async (tx) => {
    const nowMs = hub.clock.nowMs()
    const waiting = await waitingOf(tx, id, nowMs)
    const refused: EnrolmentRequestRow[] = []
    for (const row of words === null ? waiting : withWords(waiting, id, words)) {
      refused.push(await decide(tx, actor, row, 'refused', nowMs))
    }
    return refused
  })
}

async function waitingOf(tx: Transaction, id: IdentityId, nowMs: number): Promise<readonly EnrolmentRequestRow[]> {
  await findDevice(tx, id)
  const waiting = await waitingFor(tx, id, nowMs)
  if (waiting.length > 0) return waiting
  throw new HubError('enrolment-request-not-found', `no key waits for the approval of ${quote(id)}`)
}

function withWords(
  waiting: readonly EnrolmentRequestRow[],
  id: IdentityId,
  words: string,
): readonly EnrolmentRequestRow[] {
  const found = waiting.filter(({ publicKeyHash }) => isKeyWords(words, publicKeyHash))
  if (found.length > 0) return found
  throw new HubError('key-words-wrong', `no key that waits for ${quote(id)} reads ${quote(words)}`)
}

async function decide(
  tx: Transaction,
  actor: string,
  row: EnrolmentRequestRow,
  decision: 'approved' | 'refused',
  nowMs: number,
): Promise<EnrolmentRequestRow> {
  const decided: EnrolmentRequestRow = { ...row, state: decision, decidedAtMs: nowMs, decidedBy: actor }
  await tx.enrolmentRequests.update(decided)
  await tx.events.append({
    type: 'enrolment-decided',
    identityId: row.identityId,
    requestId: row.id,
    decision,
  })
  await tx.audit.append({
    atMs: nowMs,
    actor,
    act: decision === 'approved' ? 'enrolment.approve' : 'enrolment.refuse',
    subject: row.identityId,
    before: { request: row.id, state: row.state },
    after: { state: decision, profile: row.profile, words: keyWords(row.publicKeyHash) },
  })
  return decided
}
