import { auditChainStart, auditHash } from '../../core/audit/chain.ts'
import { rowsAs } from '../rows.ts'
import type { Problem, RegistryRule } from '../rule.ts'

interface AuditRow {
  readonly number: number
  readonly at_ms: number
  readonly actor: string
  readonly act: string
  readonly subject: string
  readonly before_json: string
  readonly after_json: string
  readonly hash: string
}

export const auditChainWhole: RegistryRule = {
  name: 'audit-chain-whole',
  reason: 'an entry that was changed, left out or put in breaks every hash after it; the first break is told',
  canLook: () => true,
  async *look({ snapshot }): AsyncIterable<Problem> {
    let [number, hash] = [0, auditChainStart]
    for await (const row of rowsAs<AuditRow>(snapshot, 'audit')) {
      const subject = `audit entry ${row.number}`
      if (row.number !== number + 1) return void (yield { subject, sentence: `stands behind entry ${number}` })
      if (row.hash !== hashOf(hash, row)) return void (yield { subject, sentence: 'does not continue the chain' })
      number = row.number
      hash = row.hash
    }
  },
}

function hashOf(previous: string, row: AuditRow): string | null {
  const { number, at_ms: atMs, actor, act, subject } = row
  try {
    const [before, after] = [JSON.parse(row.before_json), JSON.parse(row.after_json)]
    return auditHash(previous, { number, atMs, actor, act, subject, before, after })
  } catch {
    return null
  }
}
