/** A registry with many certificates in it, put there row by row as no hub would: only what is asked for is real. */
import { DatabaseSync } from 'node:sqlite'
import { limits } from '../src/core/limits.ts'

export interface Filling {
  /** The database, of a hub that does not run. */
  readonly path: string
  readonly certificates: number
  /** How many of them are revoked. */
  readonly revoked: number
  /** The address in their distribution points. */
  readonly base: string
}

/** Certificates of one identity. */
const perIdentity = 100
const daySec = 86_400
/** What a certificate for a key on P-256 takes. */
const certificateBytes = 640

/** @returns the id of the issuing authority, and the serial numbers in order */
export function fillRegistry(filling: Filling): { readonly authorityId: string; serialOf(index: number): string } {
  const { path, certificates, revoked, base } = filling
  const database = new DatabaseSync(path)
  const authorityId = String(
    database.prepare(`select id from authorities where role = 'issuing' order by number desc limit 1`).get()?.id,
  )
  const nowSec = Math.floor(Date.now() / 1000)
  const notAfterSec = nowSec + 10 * daySec
  const perShard = limits.crlShardCertificatesMax
  database.exec('begin')
  const identity = database.prepare(
    `insert into identities (id, kind, state, attributes, created_at_ms, updated_at_ms, version)
      values (?, 'device', 'active', '{}', ?, ?, 1)`,
  )
  for (let index = 0; index * perIdentity < certificates; index++) {
    identity.run(idOf(index), nowSec * 1000, nowSec * 1000)
  }
  const credential = database.prepare(
    `insert into credentials (fingerprint, serial_number, identity_id, authority_id, profile, state, public_key_hash,
        not_before_sec, not_after_sec, issued_at_ms, activated_at_ms, revoked_at_ms, revocation_reason, crl_shard,
        certificate)
      values (?, ?, ?, ?, 'device', ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
  )
  const certificate = new Uint8Array(certificateBytes).fill(7)
  for (let index = 0; index < certificates; index++) {
    // Spread evenly, so that shards have revoked and other certificates alike.
    const isRevoked = Math.floor(((index + 1) * revoked) / certificates) > Math.floor((index * revoked) / certificates)
    const hash = index.toString(16).padStart(64, '0')
    credential.run(
      ...[hash, serialOf(index), idOf(Math.floor(index / perIdentity)), authorityId],
      ...[isRevoked ? 'revoked' : 'active', hash, nowSec - 300, notAfterSec, nowSec * 1000, nowSec * 1000],
      ...(isRevoked ? [nowSec * 1000, 'superseded'] : [null, null]),
      ...[Math.floor(index / perShard), certificate],
    )
  }
  const shard = database.prepare(
    `insert into crl_shards (authority_id, shard, base, places, not_after_sec) values (?, ?, ?, ?, ?)
      on conflict (authority_id, shard) do update set places = excluded.places, not_after_sec = excluded.not_after_sec`,
  )
  for (let number = 0; number * perShard < certificates; number++) {
    shard.run(authorityId, number, base, perShard, notAfterSec)
  }
  database.exec('commit')
  database.exec('pragma wal_checkpoint(truncate)')
  database.close()
  return { authorityId, serialOf }
}

function idOf(index: number): string {
  return `filled-${index}`
}

/** 20 octets, minimal and positive. */
function serialOf(index: number): string {
  return `4a${index.toString(16).padStart(38, '0')}`
}
