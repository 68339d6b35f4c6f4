/** Requests for certificates that wait for an operator. */
import type { SerialNumber } from '../../core/identity/credential.ts'
import type { IdentityId } from '../../core/identity/id.ts'
import type { Page, PageQuery } from './page.ts'

/** A request for a certificate that waits for an operator. */
export interface EnrolmentRequestRow {
  /** 16 lower-case hexadecimal characters. */
  readonly id: string
  readonly identityId: IdentityId
  /** The token or the credential that it came with; one of them is null. */
  readonly tokenId: string | null
  readonly parentSerial: SerialNumber | null
  readonly profile: string
  readonly publicKeyHash: string
  readonly state: 'waiting' | 'approved' | 'refused' | 'done'
  readonly createdAtMs: number
  readonly decidedAtMs: number | null
  readonly decidedBy: string | null
}
export interface EnrolmentRequestReader {
  find(id: string): Promise<EnrolmentRequestRow | null>
  ofIdentity(id: IdentityId): Promise<readonly EnrolmentRequestRow[]>
  /** Oldest first. */
  waiting(query: PageQuery): Promise<Page<EnrolmentRequestRow>>
}
export interface EnrolmentRequests extends EnrolmentRequestReader {
  insert(row: EnrolmentRequestRow): Promise<void>
  update(row: EnrolmentRequestRow): Promise<void>
  /** Removes at most `limit` that were made before that time. Returns how many. */
  removeBefore(createdAtMs: number, limit: number): Promise<number>
}
