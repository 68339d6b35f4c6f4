import type { CredentialRow, IdentityRule, Problem } from '../rule.ts'

export const lineageWhole: IdentityRule = {
  name: 'lineage-whole',
  reason: 'a compromised certificate takes all that was renewed from it: a lineage that is torn would be left standing',
  *look({ credentials }): Iterable<Problem> {
    const bySerial = new Map(credentials.map((row) => [row.serial_number, row]))
    for (const row of credentials) {
      const fault = row.parent_serial === null ? null : faultOf(row, bySerial.get(row.parent_serial))
      if (fault !== null) yield { subject: row.serial_number, sentence: fault }
    }
  },
}

function faultOf(row: CredentialRow, parent: CredentialRow | undefined): string | null {
  if (parent === undefined) return `was renewed from ${row.parent_serial}, which the device does not have`
  // It also keeps a lineage from ending in itself.
  const order = parent.issued_at_ms - row.issued_at_ms || parent.number - row.number
  return order < 0 ? null : `is older than ${parent.serial_number}, its parent`
}
