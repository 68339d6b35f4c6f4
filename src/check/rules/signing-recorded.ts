import { createHash } from 'node:crypto'
import { toBeSignedOf } from '../../core/x509/certificate-layout.ts'
import { rowsAs } from '../rows.ts'
import type { Problem, RegistryRule } from '../rule.ts'

interface AuditRow {
  readonly number: number
  readonly act: string
  readonly subject: string
  readonly after_json: string
}

interface CertificateRow {
  readonly serial_number: string
  readonly certificate: Uint8Array
}

export const signingRecorded: RegistryRule = {
  name: 'signing-recorded',
  reason: 'whatever the audit log says was signed is in the registry, byte for byte, where it can be found and revoked',
  canLook: () => true,
  async *look({ snapshot }): AsyncIterable<Problem> {
    // Both ascend by serial number, so that neither log nor certificates need fit into memory.
    const certificates = rowsAs<CertificateRow>(snapshot, 'credentials', ['serial_number'])[Symbol.asyncIterator]()
    let { value: certificate, done = false } = await certificates.next()
    for await (const entry of rowsAs<AuditRow>(snapshot, 'audit', ['subject', 'number'])) {
      if (entry.act !== 'credential.sign') continue
      while (!done && certificate.serial_number < entry.subject) {
        const next = await certificates.next()
        certificate = next.value
        done = next.done ?? false
      }
      if (done || certificate.serial_number !== entry.subject) {
        yield {
          subject: entry.subject,
          sentence: `was signed by entry ${entry.number} of the audit log, and is not here`,
        }
      } else if (signedIn(entry) !== hashOf(certificate.certificate)) {
        yield { subject: entry.subject, sentence: `is not what was signed by entry ${entry.number} of the audit log` }
      }
    }
  },
}

function signedIn({ after_json: json }: AuditRow): string | null {
  try {
    const after: unknown = JSON.parse(json)
    const hash: unknown = typeof after === 'object' && after !== null ? Reflect.get(after, 'toBeSigned') : null
    return typeof hash === 'string' ? hash : null
  } catch {
    return null
  }
}

function hashOf(certificate: Uint8Array): string | null {
  try {
    return createHash('sha256').update(toBeSignedOf(certificate)).digest('hex')
  } catch {
    return null
  }
}
