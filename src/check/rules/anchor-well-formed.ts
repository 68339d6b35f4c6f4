/** Trust anchors: state, behaviour and certificate of each are such that the gate can judge by them. */
import {
  anchorFault,
  anchorStates,
  isAnchorId,
  isIssuedBy,
  revocationBehaviours,
} from '../../core/identification/anchor.ts'
import { parseSources, sourceFault } from '../../core/identification/revocation-sources.ts'
import { certificateFingerprint, readCertificate } from '../../core/x509/certificate.ts'
import { decodePem } from '../../core/x509/pem.ts'
import type { AnchorTable, RowOf } from '../../store/schema.ts'
import { rowsAs } from '../rows.ts'
import type { Problem, RegistryRule } from '../rule.ts'

export const anchorWellFormed: RegistryRule = {
  name: 'anchor-well-formed',
  reason: 'whose signature counts is what stands in the row of a trust anchor, and nothing else',
  canLook: () => true,
  async *look({ snapshot }): AsyncIterable<Problem> {
    for await (const row of rowsAs<RowOf<AnchorTable>>(snapshot, 'anchors')) {
      for (const sentence of faultsOf(row)) yield { subject: `trust anchor ${row.id}`, sentence }
    }
  },
}

function* faultsOf(row: RowOf<AnchorTable>): Iterable<string> {
  const { id, state, revocation, code, certificate, fingerprint } = row
  if (!isAnchorId(id)) yield 'has an id that is not well formed'
  if (!anchorStates.includes(state)) yield `is in the unknown state ${JSON.stringify(state)}`
  if (!revocationBehaviours.includes(revocation)) yield `has revocations count as ${JSON.stringify(revocation)}`
  if (state === 'waiting' && code === null) yield 'waits for a proof and has no code for it'
  if (certificateFingerprint(certificate) !== fingerprint) yield 'has another fingerprint than its certificate'
  const fault = certificateFault(certificate)
  if (fault !== null) yield `has a certificate that ${fault}`
  else if (!isTreeBelow(row)) yield 'has certificates below it that it has not signed, or that are no authorities'
  if (!areSources(row.sources)) yield 'has sources of revocations that are not well formed'
}

/** Dates are not asked: an authority may have ended since. */
function isTreeBelow({ certificate, below }: RowOf<AnchorTable>): boolean {
  try {
    if (below === '') return true
    const known = [readCertificate(certificate)]
    const waiting = decodePem(below).map(({ der }) => readCertificate(der))
    for (let before = -1; before < known.length; ) {
      before = known.length
      for (const each of waiting) {
        if (!known.includes(each) && known.some((other) => isIssuedBy(each, other))) known.push(each)
      }
    }
    return waiting.length > 0 && waiting.every((each) => known.includes(each) && anchorFault(each) === null)
  } catch {
    return false
  }
}

function areSources(text: string): boolean {
  try {
    const { crlUrls, ocspUrl, isByCertificates, hosts } = parseSources(text)
    const urls = [...crlUrls, ...(ocspUrl === null ? [] : [ocspUrl])]
    const areTexts = [...urls, ...hosts].every((each) => typeof each === 'string')
    return areTexts && typeof isByCertificates === 'boolean' && urls.every((url) => sourceFault(url) === null)
  } catch {
    return false
  }
}

function certificateFault(certificate: Uint8Array): string | null {
  try {
    return anchorFault(readCertificate(certificate))
  } catch {
    return 'cannot be read'
  }
}
