/** What a client's certificate must be before anybody is asked about it, from its own bytes (RFC 5280 §6.1, for paths of one step). */

import { HubError } from '../core/errors.ts'
import { type FailureName, toldToClient } from '../core/failure/catalogue.ts'
import { isIssuedBy } from '../core/identification/anchor.ts'
import { dateRefusal, leafFault } from '../core/identification/foreign-certificate.ts'
import { limits } from '../core/limits.ts'
import { type CertificateFields, certificateFingerprint, readCertificate } from '../core/x509/certificate.ts'
import { type CertificateSummary, certificateSummary } from '../core/x509/certificate-summary.ts'
import { isSameName } from '../core/x509/name.ts'
import { dateWords } from '../core/x509/validity-words.ts'
import type { Authority } from './authorities.ts'
import type { Refused } from './verdict.ts'

export interface Leaf {
  readonly der: Uint8Array
  readonly fields: CertificateFields
  readonly facts: CertificateSummary
  readonly signer: Authority
}

/** `admitted` is null where it is still to be asked whether it was revoked, and whom it speaks for. */
export type LeafJudgement = { readonly admitted: null; readonly leaf: Leaf } | Refused

/** Judges by the same authorities again and again. Who has passed is known by all of its bytes, and only its dates are looked at anew. */
export class LeafJudge {
  readonly authorities: readonly Authority[]
  readonly #passed = new Map<string, Leaf>()

  constructor(authorities: readonly Authority[]) {
    this.authorities = authorities
  }

  /** @param der the leaf as it came in the handshake; null where none came */
  judge(der: Uint8Array | null, nowSec: number): LeafJudgement {
    if (der === null) return refused('certificate-missing', 'the client sent no certificate', null)
    const known = this.#passed.get(certificateFingerprint(der))
    if (known !== undefined) return passedOr(dateFault(known, nowSec), known)
    let fields: CertificateFields
    try {
      fields = readCertificate(der)
    } catch (error) {
      if (!(error instanceof HubError)) throw error
      return refused('certificate-unreadable', error.message, null)
    }
    const facts = certificateSummary(der, fields)
    const signer = this.authorities.find((each) => isIssuedBy(fields, each.fields))
    if (signer === undefined) return refusedFor(strangeness(fields, facts, this.authorities), facts)
    const leaf = { der, fields, facts, signer }
    const wrong = leafFault(fields)
    const judgement = passedOr(dateFault(leaf, nowSec) ?? (wrong === null ? null : [wrong.code, wrong.words]), leaf)
    if (judgement.admitted === null) this.#keep(leaf)
    return judgement
  }

  #keep(leaf: Leaf): void {
    for (const oldest of this.#passed.keys()) {
      if (this.#passed.size < limits.verifyAnswersKept) break
      this.#passed.delete(oldest)
    }
    this.#passed.set(leaf.facts.fingerprint, leaf)
  }
}

function passedOr(fault: Fault | null, leaf: Leaf): LeafJudgement {
  return fault === null ? { admitted: null, leaf } : refusedFor(fault, leaf.facts)
}

function refusedFor([code, words]: Fault, facts: CertificateSummary): Refused {
  return refused(code, `the certificate of ${named(facts)} ${words}`, facts)
}

type Fault = readonly [FailureName, string]

function strangeness(
  fields: CertificateFields,
  { issuer }: CertificateSummary,
  authorities: readonly Authority[],
): Fault {
  if (authorities.some((each) => isSameName(fields.issuer.der, each.fields.subject.der))) {
    return [
      'foreign-issuer-rekeyed',
      `names ${issuer} as its issuer, which has not signed it: it is forged, or of a namesake`,
    ]
  }
  if (isSameName(fields.issuer.der, fields.subject.der)) return ['certificate-self-signed', 'is self-signed']
  return ['certificate-foreign-authority', `was issued by ${issuer}, whose clients are not taken here`]
}

function dateFault({ fields, signer }: Leaf, nowSec: number): Fault | null {
  const dates = dateRefusal(fields, nowSec)
  if (dates !== null) return [dates, dateWords(fields, nowSec) ?? '']
  if (dateRefusal(signer.fields, nowSec) === null) return null
  const words = `was signed by an authority whose own certificate ${dateWords(signer.fields, nowSec)}`
  return ['foreign-authority-out-of-date', words]
}

/** @param sentence for whoever runs the server */
export function refused(code: FailureName, sentence: string, certificate: CertificateSummary | null): Refused {
  return { admitted: false, code, sentence, told: toldToClient(code, sentence), certificate }
}

function named({ subject, serialNumber }: CertificateSummary): string {
  return `${subject === '' ? 'nobody' : subject} (${serialNumber})`
}
