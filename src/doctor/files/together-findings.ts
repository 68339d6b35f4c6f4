/** What is wrong between files: the pair of key and certificate, the chain, the roots, passphrases. */
import { createHash, createPublicKey, type KeyObject } from 'node:crypto'
import { type Finding, finding } from '../finding.ts'
import { shellPath } from '../printable-text.ts'
import { isIssuedBy, isSame, isSelfSigned, issuersOf } from './chain.ts'
import type { FoundCertificate } from './contents.ts'
import { issuerText, keyText, subjectText } from './describe.ts'
import type { OpenedKey } from './open-key.ts'
import type { Parts } from './parts.ts'
import type { PassphraseFile } from './passphrase.ts'

/** @param isFolder whether all that the device has was shown, as far as is known */
export function pairFindings({ keys, leaf, key, all, roots, damaged }: Parts, isFolder: boolean): readonly Finding[] {
  const opened = keys.filter((each) => each.key !== null)
  if (leaf !== null && key === null && opened.length > 0) return mismatch(leaf, opened)
  const found: Finding[] = []
  // A PFX that is closed may hold it.
  const isHidden = keys.some(({ form, key: opened }) => form.form === 'PFX' && opened === null)
  if (leaf === null && keys.length > 0 && isFolder && damaged.size === 0 && !isHidden) {
    found.push(...keys.slice(0, 1).map(({ file }) => finding('certificate-file-missing', file.name)))
  }
  if (
    leaf !== null &&
    keys.length === 0 &&
    isFolder &&
    damaged.size === 0 &&
    !leaf.certificate.ca &&
    !roots.includes(leaf)
  ) {
    const detail = {
      severity: 'warning',
      certainty: 'possible',
      evidence: `no key lies beside ${subjectText(leaf)}`,
    } as const
    found.push(finding('key-file-missing', leaf.file.name, detail))
  }
  const strangers = opened.filter((each) => each !== key && !all.some(({ certificate }) => fits(certificate, each)))
  if (key !== null && strangers.length > 0) {
    const evidence = `${strangers.map(({ file }) => file.name).join(', ')} belongs to no certificate here; ${key.file.name} does`
    found.push(finding('keys-several', strangers[0]?.file.name ?? '', { severity: 'note', evidence }))
  }
  return found
}

function fits(certificate: FoundCertificate['certificate'], { key }: OpenedKey): boolean {
  return key !== null && certificate.checkPrivateKey(key)
}

function mismatch(leaf: FoundCertificate, opened: readonly OpenedKey[]): readonly Finding[] {
  return opened.slice(0, 1).map(({ file, key }) => {
    const own = key === null ? '' : `${keyText(key)}, sha256 ${shortHash(createPublicKey(key))}`
    const its = `${keyText(leaf.certificate.publicKey)}, sha256 ${shortHash(leaf.certificate.publicKey)}`
    const evidence = `${subjectText(leaf)} in ${leaf.file.name} is for another key (${its}) than that in ${file.name} (${own})`
    return finding('key-certificate-mismatch', file.name, { evidence })
  })
}

/** The first octets of the hash of a public key: enough for a person to tell two of them apart. */
function shortHash(key: KeyObject): string {
  return createHash('sha256')
    .update(key.export({ type: 'spki', format: 'der' }))
    .digest('hex')
    .slice(0, 16)
}

export function chainFindings({ leaf, sent, roots, damaged }: Parts): readonly Finding[] {
  if (leaf === null || damaged.has(leaf.file)) return []
  const { name } = leaf.file
  const above = issuersOf(leaf, sent)
  const order = [leaf, ...above]
  const found: Finding[] = []
  const inOrder = order.every((each, place) => sent[place] !== undefined && isSame(sent[place], each))
  if (!inOrder) {
    const evidence = `the file begins with ${sent.map(subjectText).slice(0, 3).join(', then ')}; the order is ${order.map(subjectText).join(', then ')}`
    const severity = sent[0] !== undefined && isSame(sent[0], leaf) ? 'warning' : 'fault'
    found.push(finding('chain-out-of-order', name, { severity, evidence }))
  }
  const strangers = sent.filter((each) => !order.some((one) => isSame(one, each)))
  for (const each of strangers) {
    const evidence = `${subjectText(each)} has issued none of the certificates before it`
    found.push(finding('chain-stranger', name, { severity: 'warning', evidence }))
  }
  for (const [place, each] of above.entries()) {
    if (each.certificate.ca) continue
    const evidence = `${subjectText(each)} has signed ${subjectText(order[place] ?? leaf)} and is no authority (CA:FALSE)`
    found.push(finding('chain-issuer-unfit', name, { evidence }))
  }
  const top = order.at(-1) ?? leaf
  if (isSelfSigned(top)) {
    if (order.length > 1) {
      const evidence = `the last of ${order.length} certificates, ${subjectText(top)}, has signed itself`
      found.push(finding('chain-holds-root', name, { severity: 'note', evidence }))
    }
    return found
  }
  return [...found, ...aboveFindings(top, roots)]
}

/** What is known of the issuer of the last certificate that the device sends. */
function aboveFindings(top: FoundCertificate, roots: readonly FoundCertificate[]): readonly Finding[] {
  const { name } = top.file
  const issuer = roots.find((each) => isIssuedBy(top, each))
  if (issuer !== undefined) {
    if (isSelfSigned(issuer)) return []
    const evidence = `${subjectText(issuer)}, which issued ${subjectText(top)}, stands in ${issuer.file.name} and not behind it`
    return [finding('chain-issuer-apart', name, { severity: 'warning', certainty: 'possible', evidence })]
  }
  const namesake = roots.find((each) => subjectText(each) === issuerText(top))
  if (namesake === undefined) {
    // Above an intermediate that is sent there is most likely a root, which servers have.
    if (top.certificate.ca || !roots.some(isSelfSigned)) return []
    const evidence = `${issuerText(top)}, which issued ${subjectText(top)}, stands neither behind it nor among the authorities here; if it is no root, a server that knows the root alone refuses the device`
    return [finding('certificate-intermediate-missing', name, { severity: 'note', certainty: 'possible', evidence })]
  }
  const evidence = `${subjectText(namesake)} in ${namesake.file.name} has the name of the issuer of ${subjectText(top)}, and another key`
  return [finding('certificate-of-namesake', name, { severity: 'warning', certainty: 'certain', evidence })]
}

export function rootFindings({ roots, leaf }: Parts): readonly Finding[] {
  return roots.flatMap((each) => {
    if (each.certificate.ca || isSelfSigned(each)) return []
    const whose = leaf !== null && isSame(each, leaf) ? 'the certificate of the device itself' : subjectText(each)
    return finding('roots-unfit', each.file.name, { evidence: `it holds ${whose}, which is no authority (CA:FALSE)` })
  })
}

export function passphraseFindings(keys: readonly OpenedKey[], files: readonly PassphraseFile[]): readonly Finding[] {
  const found = keys.flatMap((each) => keyStateFindings(each))
  const opened = keys.flatMap(({ opener }) => opener ?? [])
  for (const { file, hasLineEnd } of files) {
    const isRead = opened.some((each) => each.file === file && each.reading === 'line')
    if (hasLineEnd && isRead) {
      const evidence =
        'the key opens with what stands before the line end; a program that takes the file as it is fails'
      found.push(finding('passphrase-file-line-end', file.name, { severity: 'note', certainty: 'possible', evidence }))
    }
  }
  return found
}

function keyStateFindings({ file, form, state, opener, damage }: OpenedKey): readonly Finding[] {
  const what = form.form === 'PFX' ? 'the PFX' : `the key is encrypted (${form.encryption})`
  if (state === 'passphrase-missing')
    return [
      finding('device-key-passphrase-missing', file.name, {
        severity: 'warning',
        evidence: form.form === 'PFX' ? 'the PFX is under a passphrase' : what,
      }),
    ]
  if (state === 'passphrase-wrong') {
    const evidence = `${what}${form.form === 'PFX' ? ' does not open' : ''}, and with the passphrase that lies there it does not open; if the passphrase is right, the file is damaged`
    return [finding('device-key-passphrase-wrong', file.name, { certainty: 'likely', evidence })]
  }
  if (state === 'passphrases-untried') {
    const said = form.form === 'PFX' ? 'the PFX is under a passphrase' : what
    const evidence = `${said}, trying a passphrase takes long, and not all passphrases that lie there were tried`
    const cure = `look at it with the file of its passphrase alone: handfast doctor ${shellPath(file.name)} <file of the passphrase>`
    return [
      finding('device-key-passphrase-wrong', file.name, { severity: 'warning', certainty: 'possible', evidence, cure }),
    ]
  }
  if (state === 'cipher-unread') {
    const evidence = `it is encrypted with ${form.encryption}, which OpenSSL 3 does not read either`
    return [finding('key-encryption-unsupported', file.name, { evidence })]
  }
  if (state === 'damaged') return [finding('der-damaged', file.name, { certainty: 'likely', evidence: damage })]
  if (opener?.reading === 'with-line-end')
    return [
      finding('passphrase-with-line-end', opener.file.name, {
        severity: 'warning',
        evidence: `${file.name} opens with the line end of ${opener.file.name}, and not without it`,
      }),
    ]
  if (opener?.reading === 'without-spaces') {
    const evidence = `${file.name} opens only without the spaces at the ends of the passphrase`
    return [finding('passphrase-file-unfit', opener.file.name, { evidence })]
  }
  return []
}
