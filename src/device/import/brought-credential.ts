/** What is looked at in a credential that somebody brings, before it takes the place of one that works. */
import { type KeyObject, X509Certificate } from 'node:crypto'
import { HubError, quote } from '../../core/errors.ts'
import { readCertificateFile } from '../../core/key-file/certificate-reader.ts'
import { type BroughtFile, readPfxFile, readPrivateKey, unreadable } from '../../core/key-file/key-reader.ts'
import type { Secret } from '../../core/secret.ts'
import { deviceLimits } from '../limits.ts'

/** Files as they were read; a PFX is in the place of the certificate. */
export interface BroughtContent {
  readonly certificate: BroughtFile | null
  readonly key: BroughtFile | null
  readonly passphrase: Secret | null
  readonly ca: BroughtFile | null
}

export interface BroughtCredential {
  readonly key: KeyObject
  /** The device's certificate, then those that issued it as far as they were brought. */
  readonly chain: readonly [X509Certificate, ...X509Certificate[]]
  /** Null where none were brought. */
  readonly roots: readonly X509Certificate[] | null
  /** What is odd and no obstacle. */
  readonly notes: readonly string[]
}

/**
 * Reads what was brought: the key opens, it belongs to the certificate, and what stands behind the certificate issued it.
 *
 * @throws HubError `import-incomplete`; `credential-file-unreadable`; `credential-passphrase-wrong`; `key-certificate-mismatch`;
 *   `import-chain-broken`
 */
export function readBroughtCredential(content: BroughtContent): BroughtCredential {
  const { key, certificates, name } = readPair(content)
  const leaf = certificates.find((each) => each.checkPrivateKey(key))
  if (leaf === undefined) {
    const subjects = certificates.map(({ subject }) => quote(oneLine(subject))).join(', ')
    throw new HubError(
      'key-certificate-mismatch',
      `no certificate in ${quote(name)} is for the key that came with it; it holds that of ${subjects}`,
    )
  }
  const others = certificates.filter((each) => !each.raw.equals(leaf.raw))
  const chain = chainFrom(leaf, others, name)
  const unused = others.filter((each) => !chain.includes(each) && !isSelfSigned(each))
  return {
    key,
    chain,
    roots: content.ca === null ? null : rootsIn(content.ca),
    notes: unused.map(
      ({ subject }) => `the certificate of ${quote(oneLine(subject))} is no part of the chain and is left out`,
    ),
  }
}

/**
 * @param nowMs milliseconds since the epoch
 * @throws HubError `import-out-of-date`
 */
export function assertInDate(leaf: X509Certificate, nowMs: number): void {
  const [from, until] = [leaf.validFromDate, leaf.validToDate]
  const now = new Date(nowMs).toISOString()
  if (nowMs < from.getTime()) {
    throw new HubError(
      'import-out-of-date',
      `the certificate begins at ${from.toISOString()}, and the clock of this device says ${now}`,
    )
  }
  if (nowMs > until.getTime()) {
    throw new HubError(
      'import-out-of-date',
      `the certificate has ended at ${until.toISOString()}, and the clock of this device says ${now}`,
    )
  }
}

/** Whether a chain leads to one of these roots, or is one certificate that stands for itself. */
export function leadsTo(chain: BroughtCredential['chain'], roots: readonly X509Certificate[]): boolean {
  const last = chain.at(-1) ?? chain[0]
  return roots.some((root) => root.raw.equals(last.raw) || isIssuedBy(last, root))
}

export function isSelfSigned(certificate: X509Certificate): boolean {
  return isIssuedBy(certificate, certificate)
}

interface Pair {
  readonly key: KeyObject
  readonly certificates: readonly X509Certificate[]
  /** Of the file of the certificates. */
  readonly name: string
}

function readPair({ certificate, key, passphrase }: BroughtContent): Pair {
  const bundle = certificate ?? key
  if (bundle === null) throw new HubError('import-incomplete', 'neither a certificate nor a key was brought')
  const pfx = readPfxFile(bundle, passphrase)
  if (pfx !== null) return pairOfPfx(bundle, pfx)
  if (certificate === null) {
    throw new HubError('import-incomplete', `${quote(bundle.name)} was brought without a certificate`)
  }
  const certificates = readCertificateFile(certificate)
  // One file may hold both.
  if (key !== null) return { key: readPrivateKey(key, passphrase), certificates, name: certificate.name }
  if (!/-----BEGIN [A-Z ]*PRIVATE KEY-----/.test(Buffer.from(certificate.bytes).toString('latin1'))) {
    throw new HubError('import-incomplete', `${quote(certificate.name)} was brought without its key`)
  }
  return { key: readPrivateKey(certificate, passphrase), certificates, name: certificate.name }
}

function pairOfPfx(
  file: BroughtFile,
  pfx: { readonly key: KeyObject; readonly certificates: readonly Uint8Array[] },
): Pair {
  if (pfx.certificates.length === 0) {
    throw unreadable(file, 'is a PFX without a certificate', 'export it with its certificate')
  }
  try {
    return { key: pfx.key, certificates: pfx.certificates.map((der) => new X509Certificate(der)), name: file.name }
  } catch {
    throw unreadable(file, 'is a PFX with a certificate that is damaged', 'export it again')
  }
}

/** The certificates from a leaf up, each issued by the next; a root is left out, since servers have it. */
function chainFrom(
  leaf: X509Certificate,
  others: readonly X509Certificate[],
  name: string,
): BroughtCredential['chain'] {
  const above: X509Certificate[] = []
  for (let last = leaf; !isSelfSigned(last) && above.length < deviceLimits.intermediatesMax; ) {
    const issuer = others.find((each) => !above.includes(each) && isIssuedBy(last, each))
    if (issuer === undefined) {
      if (last !== leaf || others.length === 0) break
      throw new HubError(
        'import-chain-broken',
        `none of the certificates behind that of ${quote(oneLine(leaf.subject))} in ${quote(name)} has issued it`,
        { hint: `its issuer is ${quote(oneLine(leaf.issuer))}: put that certificate behind it, or leave it alone` },
      )
    }
    if (isSelfSigned(issuer)) break
    above.push(issuer)
    last = issuer
  }
  return [leaf, ...above]
}

function rootsIn(file: BroughtFile): readonly X509Certificate[] {
  const roots = readCertificateFile(file)
  if (roots.length <= deviceLimits.rootsMax) return roots
  throw unreadable(file, `holds ${roots.length} certificates, more than the ${deviceLimits.rootsMax} that are kept`, '')
}

function isIssuedBy(certificate: X509Certificate, issuer: X509Certificate): boolean {
  return certificate.checkIssued(issuer) && certificate.verify(issuer.publicKey)
}

/** A distinguished name as Node shows it, on one line. */
export function oneLine(name: string): string {
  return name.split('\n').join(', ')
}
