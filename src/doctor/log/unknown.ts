/** What the doctor says of what it does not know: what it has recognised all the same, and where to look. */
import { type Examination, type Fact, finding } from '../finding.ts'

/** @param recognised what was recognised without telling a cause */
export function unknown(subject: string, recognised: readonly Fact[]): Examination {
  const part =
    recognised.length === 0
      ? 'nothing in it is known'
      : `it is from ${recognised.map(({ name }) => name).join(', ')}, and does not say what keeps a device out`
  const note = finding('log-line-unknown', subject, { severity: 'note', evidence: part })
  return { subject, facts: recognised, findings: [note] }
}

/** What is said of a log without a line. */
export function emptyLog(): Examination {
  const cure = 'paste what the program printed, or pipe its log: `journalctl -u mosquitto | handfast doctor`'
  const note = finding('log-line-unknown', 'the log', { severity: 'note', evidence: 'there is nothing in it', cure })
  return { subject: 'the log', facts: [], findings: [note] }
}
