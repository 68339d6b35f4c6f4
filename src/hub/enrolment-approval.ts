/**
 * Approval: an operator compares the words of a key with what the device shows, before the key gets its certificate. The
 * request is kept while it waits; the device asks again with the same key and gets the answer that there is by then.
 */
import { HubError, quote } from '../core/errors.ts'
import type { IdentityId } from '../core/identity/id.ts'
import { keyWords } from '../core/identity/key-words.ts'
import type { Token } from '../core/identity/token.ts'
import { limits } from '../core/limits.ts'
import type { EnrolmentRequestReader, EnrolmentRequestRow } from './ports/enrolment-requests.ts'
import type { Random } from './ports/random.ts'
import type { Transaction } from './ports/store.ts'

/** A key that asks with a token. */
export interface KeyAsking {
  readonly token: Token
  /** Lower-case hexadecimal SHA-256 of the SubjectPublicKeyInfo. */
  readonly publicKeyHash: string
}

/** What was made of this key and token, as long as it counts; null when nothing was. */
export async function liveRequest(
  store: { readonly enrolmentRequests: EnrolmentRequestReader },
  { token, publicKeyHash }: KeyAsking,
  nowMs: number,
): Promise<EnrolmentRequestRow | null> {
  const rows = await store.enrolmentRequests.ofIdentity(token.identityId)
  return (
    rows.findLast((row) => row.tokenId === token.id && row.publicKeyHash === publicKeyHash && isLive(row, nowMs)) ??
    null
  )
}

/** When a request counts no longer: it waits for so long, and what was decided is good for as long again. */
export function requestEndsAtMs({ createdAtMs, decidedAtMs }: EnrolmentRequestRow): number {
  return (decidedAtMs ?? createdAtMs) + limits.enrolmentRequestWaitsSec * 1000
}

export function isLive(row: EnrolmentRequestRow, nowMs: number): boolean {
  return nowMs < requestEndsAtMs(row)
}

/**
 * Writes down that a key asks, or finds out what was decided.
 *
 * @returns how to throw what the device is to be told, or null where the key is approved
 * @throws HubError `enrolment-requests-too-many`
 */
export async function approvalOf(
  tx: Transaction,
  random: Random,
  asking: KeyAsking,
  nowMs: number,
): Promise<HubError | null> {
  const known = await liveRequest(tx, asking, nowMs)
  switch (known?.state) {
    case 'approved':
    case 'done':
      return null
    case 'refused':
      return new HubError('enrolment-refused', `the operator has refused the key "${keyWords(asking.publicKeyHash)}"`)
    case 'waiting':
      return waits(asking, nowMs - known.createdAtMs)
    default:
      await ask(tx, random, asking, nowMs)
      return waits(asking, 0)
  }
}

async function ask(tx: Transaction, random: Random, { token, publicKeyHash }: KeyAsking, nowMs: number): Promise<void> {
  const id = token.identityId
  const rows = await tx.enrolmentRequests.ofIdentity(id)
  const waiting = rows.filter((row) => row.state === 'waiting' && isLive(row, nowMs))
  if (waiting.length >= limits.enrolmentRequestsPerIdentityMax) {
    throw new HubError(
      'enrolment-requests-too-many',
      `${waiting.length} keys wait for the approval of ${quote(id)} already`,
    )
  }
  const row: EnrolmentRequestRow = {
    id: Buffer.from(random.bytes(8)).toString('hex'),
    identityId: id,
    tokenId: token.id,
    parentSerial: null,
    profile: token.profile,
    publicKeyHash,
    state: 'waiting',
    createdAtMs: nowMs,
    decidedAtMs: null,
    decidedBy: null,
  }
  await tx.enrolmentRequests.insert(row)
  await tx.audit.append({
    atMs: nowMs,
    actor: `token:${token.id}`,
    act: 'enrolment.request',
    subject: id,
    before: null,
    after: { request: row.id, profile: row.profile, words: keyWords(publicKeyHash) },
  })
}

/** The request has had its certificate. */
export async function endRequest(tx: Transaction, asking: KeyAsking, nowMs: number): Promise<void> {
  const row = await liveRequest(tx, asking, nowMs)
  if (row?.state === 'approved') await tx.enrolmentRequests.update({ ...row, state: 'done' })
}

function waits({ token, publicKeyHash }: KeyAsking, sinceMs: number): HubError {
  const isSoon = sinceMs < limits.enrolmentPollSoonForSec * 1000
  return new HubError(
    'enrolment-waits',
    `${quote(token.identityId)} waits for approval; its key reads "${keyWords(publicKeyHash)}"`,
    {
      hint: 'have the operator compare these words, then ask again with the same key',
      retryAfterSec: isSoon ? limits.enrolmentPollSoonSec : limits.enrolmentPollSec,
    },
  )
}

/** Names the requests of an identity that wait, with the words of their keys. */
export function wordsOf(rows: readonly EnrolmentRequestRow[]): string {
  return rows.map(({ publicKeyHash }) => `"${keyWords(publicKeyHash)}"`).join(', ')
}

/** What waits for an identity, oldest first. */
export async function waitingFor(
  store: { readonly enrolmentRequests: EnrolmentRequestReader },
  id: IdentityId,
  nowMs: number,
): Promise<readonly EnrolmentRequestRow[]> {
  const rows = await store.enrolmentRequests.ofIdentity(id)
  return rows.filter((row) => row.state === 'waiting' && isLive(row, nowMs))
}
