/** Keys and certificates for gate tests, made by the OpenSSL command line: the gate must not care who made them. */
import { execFileSync } from 'node:child_process'
import { X509Certificate } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

export interface TestCertificate {
  readonly key: string
  readonly cert: string
  /** Lower-case hexadecimal SHA-256 of the certificate. */
  readonly fingerprint: string
}

/** A self-signed certificate on P-256 for a common name, good for a day. */
export function selfSigned(name: string, ...extra: readonly string[]): TestCertificate {
  const folder = mkdtempSync(join(tmpdir(), 'handfast-gate-'))
  try {
    const keyFile = join(folder, 'key.pem')
    const certFile = join(folder, 'cert.pem')
    execFileSync(
      'openssl',
      [
        ...['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '1'],
        ...['-subj', `/CN=${name}`, '-keyout', keyFile, '-out', certFile],
        ...extra,
      ],
      { stdio: 'pipe' },
    )
    const cert = readFileSync(certFile, 'utf8')
    const fingerprint = new X509Certificate(cert).fingerprint256.replaceAll(':', '').toLowerCase()
    return { key: readFileSync(keyFile, 'utf8'), cert, fingerprint }
  } finally {
    rmSync(folder, { recursive: true })
  }
}

export const serverCertificate: TestCertificate = selfSigned('localhost', '-addext', 'subjectAltName=DNS:localhost')
export const pump: TestCertificate = selfSigned('pump-7')
export const stranger: TestCertificate = selfSigned('stranger')
