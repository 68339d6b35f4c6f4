/** Which tables of the registry belong into a backup. `test/store/snapshot.test.ts` holds the list to the schema. */
import type { Schema } from './schema.ts'

/** Each behind those that it refers to, with the columns that tell its rows apart. */
export const backedUpTables = {
  identities: ['id'],
  identity_attributes: ['name', 'value', 'identity_id'],
  authorities: ['number'],
  cross_certificates: ['number'],
  roll_overs: ['number'],
  root_acknowledgements: ['root_id', 'identity_id'],
  profiles: ['name'],
  role_grants: ['number'],
  tokens: ['number'],
  credentials: ['number'],
  adoptions: ['identity_id'],
  enrolment_requests: ['number'],
  renewal_contests: ['number'],
  renewal_calls: ['scope'],
  policies: ['number'],
  anchors: ['number'],
  anchor_crls: ['anchor_id', 'issuer', 'part'],
  anchor_fetches: ['anchor_id', 'url'],
  pins: ['number'],
  passwords: ['number'],
  crl_shards: ['authority_id', 'shard'],
  crls: ['authority_id', 'shard'],
  api_keys: ['id'],
  settings: ['name'],
  idempotency: ['key'],
  events: ['number'],
  audit: ['number'],
  attempts: ['number'],
  attempt_cases: ['number'],
  incidents: ['number'],
} as const satisfies Partial<Record<keyof Schema, readonly string[]>>

/** The others, each with its reason. */
export const leftOutTables = {
  sealed_keys: 'keys are a part of a backup by themselves, since another registry may keep them in a folder',
  leases: 'they belong to processes that run',
  commit_marks: 'they belong to processes that run',
} as const satisfies Partial<Record<keyof Schema, string>>

/** The columns by which the rows of a table are ordered, or null for a table that belongs into no backup. */
export function keyColumns(table: string): readonly string[] | null {
  return Object.hasOwn(backedUpTables, table) ? backedUpTables[table as keyof typeof backedUpTables] : null
}
