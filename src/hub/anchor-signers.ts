/** The authorities of a trust anchor: the one that was proved, and those below it that sign certificates of devices too. */

import { HubError, quote } from '../core/errors.ts'
import { anchorFault, isIssuedBy } from '../core/identification/anchor.ts'
import { dateRefusal } from '../core/identification/foreign-certificate.ts'
import { limits } from '../core/limits.ts'
import { type CertificateFields, certificateFingerprint, readCertificate } from '../core/x509/certificate.ts'
import { nameText } from '../core/x509/name.ts'
import { decodePem } from '../core/x509/pem.ts'
import type { AnchorRow } from './ports/anchors.ts'

export interface Signer {
  readonly fingerprint: string
  readonly fields: CertificateFields
}

/** The trust anchor itself first. */
export function signersOf({ certificate, below }: Pick<AnchorRow, 'certificate' | 'below'>): readonly Signer[] {
  const ders = [certificate, ...decodePem(below).map(({ der }) => der)]
  return ders.map((der) => ({ fingerprint: certificateFingerprint(der), fields: readCertificate(der) }))
}

/** Certificates of authorities in their places around the first of them, DER. */
export interface Arranged {
  /** In their order, the root last. */
  readonly above: readonly Uint8Array[]
  readonly below: readonly Uint8Array[]
}

/**
 * Finds the place of each certificate around the first, in whatever order they come. One that comes twice counts once.
 *
 * @param extent `below` where those above the first are known already
 * @throws HubError `anchor-unfit` where one is no authority or not in date, the root is missing, or one has no place; `certificate-unreadable`
 */
export function arrangeAuthorities(
  certificates: readonly Uint8Array[],
  atSec: number,
  extent: 'whole' | 'below' = 'whole',
): Arranged {
  if (certificates.length > limits.anchorChainMax + limits.anchorsBelowMax + 1) {
    throw new HubError(
      'anchor-unfit',
      `there are ${certificates.length} certificates, and an authority has fewer around it`,
    )
  }
  const all = certificates.map((der, index) => {
    const fields = readCertificate(der)
    const name = nameText(fields.subject)
    const which = index === 0 ? 'the certificate' : `certificate ${index + 1}`
    return { der, fields, name, words: name === '' ? which : `${which}, ${quote(name)},` }
  })
  const [anchor, ...others] = all.filter(
    ({ der }, index) => all.findIndex((each) => Buffer.compare(each.der, der) === 0) === index,
  )
  if (anchor === undefined) throw new HubError('anchor-unfit', 'there is no certificate')
  for (const { fields, words } of all) assertAuthority(fields, words, atSec)
  const above = extent === 'whole' ? chainAbove(anchor, others) : []
  const below = treeBelow(
    anchor,
    others.filter((each) => !above.includes(each)),
  )
  const strange = others.find((each) => !above.includes(each) && !below.includes(each))
  if (strange !== undefined) {
    throw new HubError(
      'anchor-unfit',
      `${strange.words} stands neither above nor below the first, ${quote(anchor.name)}`,
    )
  }
  return { above: above.map(({ der }) => der), below: below.map(({ der }) => der) }
}

interface Placed {
  readonly der: Uint8Array
  readonly fields: CertificateFields
  readonly name: string
  readonly words: string
}

function assertAuthority(fields: CertificateFields, words: string, atSec: number): void {
  const fault = anchorFault(fields)
  if (fault !== null) throw new HubError('anchor-unfit', `${words} ${fault}`)
  const dates = dateRefusal(fields, atSec)
  if (dates === null) return
  const [verb, sec] = dates === 'certificate-expired' ? ['ended', fields.notAfterSec] : ['begins', fields.notBeforeSec]
  throw new HubError('anchor-unfit', `${words} is not good now: it ${verb} at ${new Date(sec * 1000).toISOString()}`)
}

function chainAbove(anchor: Placed, others: readonly Placed[]): readonly Placed[] {
  const above: Placed[] = []
  for (let at = anchor; !isIssuedBy(at.fields, at.fields); ) {
    const next = others.find((each) => !above.includes(each) && isIssuedBy(at.fields, each.fields))
    if (next === undefined) {
      const issuer = nameText(at.fields.issuer)
      throw new HubError(
        'anchor-unfit',
        `${at.words} is not a root: that of ${quote(issuer)}, which signed it, is missing`,
      )
    }
    above.push(next)
    if (above.length > limits.anchorChainMax) throw new HubError('anchor-unfit', 'the way to the root is too long')
    at = next
  }
  return above
}

function treeBelow(anchor: Placed, others: readonly Placed[]): readonly Placed[] {
  const below: Placed[] = []
  for (let before = -1; before < below.length; ) {
    before = below.length
    const free = others.filter((each) => !below.includes(each))
    below.push(...free.filter(({ fields }) => [anchor, ...below].some((each) => isIssuedBy(fields, each.fields))))
  }
  if (below.length > limits.anchorsBelowMax) {
    throw new HubError(
      'anchor-unfit',
      `${below.length} authorities stand below it; ${limits.anchorsBelowMax} are allowed`,
    )
  }
  return below
}
