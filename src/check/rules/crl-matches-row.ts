import { createPublicKey, verify } from 'node:crypto'
import { signingAlgorithm } from '../../core/x509/algorithms.ts'
import { readCrl } from '../../core/x509/crl-reader.ts'
import { crlShardUrl } from '../../core/x509/crl-shard-url.ts'
import { fullCrl } from '../../hub/ports/crls.ts'
import { rowsAs } from '../rows.ts'
import type { CheckContext, Problem, RegistryRule } from '../rule.ts'

interface CrlRow {
  readonly authority_id: string
  readonly shard: number
  readonly number: string
  readonly next_update_ms: number
  readonly crl: Uint8Array
}

interface ShardRow {
  readonly authority_id: string
  readonly shard: number
  readonly base: string
}

export const crlMatchesRow: RegistryRule = {
  name: 'crl-matches-row',
  reason:
    'CRL numbers only grow (RFC 5280 §5.2.3), the next one is counted from the row, and readers take a shard for what names it',
  canLook: () => true,
  async *look(context): AsyncIterable<Problem> {
    const urls = new Map<string, string>()
    for await (const { authority_id: authority, shard, base } of rowsAs<ShardRow>(context.snapshot, 'crl_shards')) {
      urls.set(`${authority}/${shard}`, crlShardUrl(base, authority, Number(shard)))
    }
    for await (const row of rowsAs<CrlRow>(context.snapshot, 'crls')) {
      const isFull = Number(row.shard) === fullCrl
      const place = `${row.authority_id}/${row.shard}`
      const fault = faultOf(row, isFull ? null : (urls.get(place) ?? ''), context)
      if (fault !== null) yield { subject: `CRL of ${isFull ? row.authority_id : place}`, sentence: fault }
    }
  },
}

function faultOf(row: CrlRow, url: string | null, { authorities }: CheckContext): string | null {
  const authority = authorities.get(row.authority_id)
  if (authority === undefined) return 'is of an authority that is not there'
  if (!/^[0-9]{1,48}$/.test(row.number)) return `has the number ${JSON.stringify(row.number)}`
  // After a restore the number alone is known; the CRL is made at the next start.
  if (row.crl.length === 0 || authority.fields === null) return null
  try {
    const { number, issuer, nextUpdateSec, distributionPoint, toBeSigned, signature } = readCrl(row.crl)
    if (number !== BigInt(row.number)) return `has the number ${number} in it and ${row.number} in its row`
    if (nextUpdateSec !== Math.floor(row.next_update_ms / 1000)) return 'has another end in it than in its row'
    if (Buffer.compare(issuer, authority.fields.subject.der) !== 0) return 'names another issuer'
    if (distributionPoint !== url) return 'is of another scope than its row'
    const key = createPublicKey({ key: Buffer.from(authority.fields.publicKey), format: 'der', type: 'spki' })
    const { hash } = signingAlgorithm(authority.fields.publicKey)
    return verify(hash, toBeSigned, key, signature) ? null : `was not signed by ${authority.id}`
  } catch {
    return 'cannot be read'
  }
}
