/** Whatever of key and certificates stands in a file, told by what it is and not by its name. */
import { type KeyObject, X509Certificate } from 'node:crypto'
import type { Secret } from '../secret.ts'
import { readCertificateFile } from './certificate-reader.ts'
import { fileKind } from './file-kind.ts'
import { type BroughtFile, keyLabels, readPfxFile, readPrivateKey } from './key-reader.ts'

export interface BroughtParts {
  readonly key: KeyObject | null
  readonly certificates: readonly X509Certificate[]
}

/** @throws HubError `credential-file-unreadable`; `credential-passphrase-wrong` */
export function readParts(file: BroughtFile, passphrase: Secret | null): BroughtParts {
  const pfx = readPfxFile(file, passphrase)
  if (pfx !== null) return { key: pfx.key, certificates: pfx.certificates.map((der) => new X509Certificate(der)) }
  const kind = fileKind(file.bytes)
  if (kind.kind === 'pem') {
    const hasKey = kind.blocks.some(({ label }) => keyLabels.has(label))
    const hasCertificate = kind.blocks.some(({ label }) => /CERTIFICATE$|^PKCS7$/.test(label))
    // Where it holds neither, the reader of keys names what it holds.
    const key = hasKey || !hasCertificate ? readPrivateKey(file, passphrase) : null
    return { key, certificates: hasCertificate ? readCertificateFile(file) : [] }
  }
  if (kind.kind === 'der' && isCertificate(kind.der)) return { key: null, certificates: readCertificateFile(file) }
  return { key: readPrivateKey(file, passphrase), certificates: [] }
}

function isCertificate(der: Uint8Array): boolean {
  try {
    return new X509Certificate(der).raw.length > 0
  } catch {
    return false
  }
}
