/** Trust anchors: state, behaviour and certificate of each are such that the gate can judge by them. */
import { anchorFault, anchorStates, isAnchorId, revocationBehaviours } from '../../core/identification/anchor.ts'
import { certificateFingerprint, readCertificate } from '../../core/x509/certificate.ts'
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

function* faultsOf({ id, state, revocation, code, certificate, fingerprint }: RowOf<AnchorTable>): Iterable<string> {
  if (!isAnchorId(id)) yield 'has an id that is not well formed'
  if (!anchorStates.includes(state)) yield `is in the unknown state ${JSON.stringify(state)}`
  if (!revocationBehaviours.includes(revocation)) yield `has revocations count as ${JSON.stringify(revocation)}`
  if (state === 'waiting' && code === null) yield 'waits for a proof and has no code for it'
  if (certificateFingerprint(certificate) !== fingerprint) yield 'has another fingerprint than its certificate'
  const fault = certificateFault(certificate)
  if (fault !== null) yield `has a certificate that ${fault}`
}

function certificateFault(certificate: Uint8Array): string | null {
  try {
    return anchorFault(readCertificate(certificate))
  } catch {
    return 'cannot be read'
  }
}
