/**
 * Admission of certificates that an authority of somebody else has signed. OpenSSL's verdict on a full handshake is necessary; then
 * come our own checks, on the leaf's own bytes, and a rule of the policy says whom it speaks for.
 */

import { X509Certificate } from 'node:crypto'
import type { FailureName } from '../core/failure/catalogue.ts'
import { type Anchored, respondersOf } from '../core/identification/anchor.ts'
import { dateRefusal, leafFault } from '../core/identification/foreign-certificate.ts'
import { identify } from '../core/identification/identify.ts'
import type { IdentityId } from '../core/identity/id.ts'
import { type Identity, identityRefusal } from '../core/identity/identity.ts'
import { limits } from '../core/limits.ts'
import type { IdentificationRule } from '../core/policy/model.ts'
import { isAcceptedFromOthers } from '../core/x509/algorithms.ts'
import { type CertificateFields, readCertificate } from '../core/x509/certificate.ts'
import { type CertificateSummary, certificateSummary } from '../core/x509/certificate-summary.ts'
import { nameText } from '../core/x509/name.ts'
import { dateWords } from '../core/x509/validity-words.ts'
import type { CurrentPolicy } from './current-policy.ts'
import type { ForeignStatus } from './foreign-status.ts'
import type { ChainVerdict, Entrant, OtherWay, Presented, Refusal } from './gate-admission.ts'
import { RateTable } from './gcra.ts'
import { type Clock, nowSec } from './ports/clock.ts'
import type { Store } from './ports/store.ts'
import { newDevice, register } from './registration.ts'
import { signatureText } from './stranger.ts'
import type { TrustedAnchor, TrustedAnchors, TrustedSigner } from './trusted-anchors.ts'

interface Hub {
  readonly store: Pick<Store, 'write' | 'identities'>
  readonly clock: Clock
  readonly anchors: TrustedAnchors
  readonly status: Pick<ForeignStatus, 'refusalOf'>
  readonly policy: Pick<CurrentPolicy, 'identificationRules'>
}

interface Shown {
  readonly certificate: Uint8Array
  readonly fields: CertificateFields
  readonly summary: CertificateSummary
  readonly listener: string
  readonly verdict: ChainVerdict
}

/** The way in of certificates of trust anchors. */
export function anchoredWay(hub: Hub): OtherWay {
  const rates = firstConnections()
  return {
    kinds: new Set(['anchored']),
    async judge({ certificate, listener, verdict }) {
      if (certificate === null || verdict === null) return null
      const fields = readCertificate(certificate)
      const shown: Shown = { certificate, fields, summary: certificateSummary(certificate, fields), listener, verdict }
      const signed = hub.anchors.signerOf(verdict.anchors, fields)
      if (signed !== null) return judgeSigned(hub, shown, signed)
      if (!hub.anchors.wasTrusted(fields.issuer.der)) return null
      return refused(shown, 'anchor-distrusted', `the issuer ${shown.summary.issuer} is not trusted any more`)
    },
    explain: (presented) => explained(hub, presented),
    confirmUse: (entrant) => confirmAnchored(hub, rates, entrant),
  }
}

/** Writes the uses of what another process has judged. */
export function anchoredUses(hub: Pick<Hub, 'store' | 'clock'>): OtherWay {
  const rates = firstConnections()
  return {
    kinds: new Set(['anchored']),
    judge: async () => null,
    confirmUse: (entrant) => confirmAnchored(hub, rates, entrant),
  }
}

function firstConnections(): RateTable {
  const perMinute = limits.firstConnectionsPerMinuteMax
  return new RateTable({ burst: perMinute, everyMs: 60_000 / perMinute }, limits.anchorsMax)
}

async function judgeSigned(hub: Hub, shown: Shown, { anchor, signer }: Signed): Promise<Entrant | Refusal> {
  const { certificate, fields, summary, listener } = shown
  const fault = chainFault(hub, shown, { anchor, signer })
  if (fault !== null) return refused(shown, ...fault)
  const anchored = anchoredIn(fields, { anchor, signer })
  const refusal = await hub.status.refusalOf(anchored, certificate)
  if (refusal !== null) return refused(shown, refusal, statusSentence(shown, anchor, refusal))
  const leaf = { fields, fingerprint: summary.fingerprint, anchorId: anchor.id, listener }
  const identification = identify(hub.policy.identificationRules(), leaf)
  if (identification.kind === 'none') {
    return refused(shown, 'identification-none', `no rule for ${anchor.id} is about ${summary.subject}`)
  }
  const { rule } = identification
  if (identification.kind === 'unfit') {
    return refused(shown, 'identification-unfit', `by the rule ${rule.name} the certificate ${identification.words}`)
  }
  const found = await identityOf(hub, identification.identityId, rule)
  if ('code' in found) return refused(shown, found.code, found.sentence, identification.identityId)
  const { fingerprint } = summary
  const proof = { kind: 'anchored', anchorId: anchor.id, anchored, rule: rule.name, fingerprint } as const
  const ends = [fields, signer.fields, anchor.fields].map(({ notAfterSec }) => notAfterSec)
  return { admitted: true, identity: found, proof: { ...proof, notAfterSec: Math.min(...ends) }, summary }
}

interface Signed {
  readonly anchor: TrustedAnchor
  readonly signer: TrustedSigner
}

function anchoredIn(fields: CertificateFields, { anchor, signer }: Signed): Anchored {
  const { serialNumber, crlDistributionPoints: points } = fields
  return { anchorId: anchor.id, issuer: signer.fingerprint, serialNumber, points, responders: respondersOf(fields) }
}

/**
 * What is wrong with it up to its anchor, revocations apart; null where nothing is. Its signature has been verified. Our own reasons
 * come before that of OpenSSL: they say more.
 */
function chainFault(
  { clock }: Hub,
  { fields, verdict, summary }: Shown,
  { anchor, signer }: Signed,
): readonly [FailureName, string] | null {
  const atSec = nowSec(clock)
  const who = `the certificate of ${summary.subject}`
  const dates = dateRefusal(fields, atSec)
  if (dates !== null) return [dates, `${who} ${dateWords(fields, atSec)}`]
  const fault = leafFault(fields)
  if (fault !== null) return [fault.code, `${who} ${fault.words}`]
  const ended = [signer, anchor].find((each) => dateRefusal(each.fields, atSec) !== null)
  if (ended !== undefined) {
    const name = nameText(ended.fields.subject)
    return [
      'foreign-authority-out-of-date',
      `the certificate of the authority ${name} of ${anchor.id} ${dateWords(ended.fields, atSec)}`,
    ]
  }
  if (verdict.isResumed) {
    return ['foreign-session-resumed', 'the session was resumed, and its verdict is one of the past']
  }
  if (verdict.failure === null) return null
  return ['foreign-chain-invalid', `OpenSSL says of the chain to ${anchor.id}: ${verdict.failure}`]
}

/**
 * Says more of a certificate that no trust anchor of the listener has signed, where something is known of its issuer: no more than
 * that, since nobody has vouched for it.
 */
function explained({ anchors }: Hub, { certificate, listener, verdict }: Presented): Refusal | null {
  if (certificate === null) return null
  const fields = readCertificate(certificate)
  const summary = certificateSummary(certificate, fields)
  const refuse = (code: FailureName, sentence: string): Refusal => ({
    ...{ admitted: false, code, sentence, identityId: null, summary },
  })
  const who = `the certificate of ${summary.subject}`
  const elsewhere = anchors.signerAmongAll(fields)
  if (elsewhere?.state === 'trusted') {
    const sentence = `${who} was issued by the trust anchor ${elsewhere.anchorId}, which the listener ${listener} does not name`
    return refuse('anchor-not-on-listener', sentence)
  }
  if (elsewhere !== null) {
    const sentence = `${who} was issued by the trust anchor ${elsewhere.anchorId}, whose key nobody has proved yet`
    return refuse('anchor-unproved', sentence)
  }
  if (isIssuedByLeaf(certificate, verdict?.sentIssuer ?? null)) {
    const sentence = `${who} was signed with the certificate of ${summary.issuer}, which is not one of an authority: it is forged`
    return refuse('certificate-issuer-no-authority', sentence)
  }
  const namesake = anchors.namesakeOf(fields)
  if (namesake !== null && !isAcceptedFromOthers(fields.signatureAlgorithm)) {
    const sentence = `${who} is signed with ${signatureText(fields)}, which is not accepted; its issuer has the name of ${namesake}`
    return refuse('certificate-hash-weak', sentence)
  }
  if (namesake !== null) {
    const sentence = `${who} was issued by ${summary.issuer}, a name of the trust anchor ${namesake}, with another key than is known`
    return refuse('foreign-issuer-rekeyed', sentence)
  }
  if (verdict === null || verdict.isResumed || verdict.failure !== null) return null
  const sentence = `${who} was issued by ${summary.issuer}, which has a chain to a trust anchor and is not listed there`
  return refuse('foreign-issuer-unlisted', sentence)
}

/** Whether a certificate was signed by the holder of another that may sign none, as who has a device's key may try. */
function isIssuedByLeaf(certificate: Uint8Array, sentIssuer: Uint8Array | null): boolean {
  if (sentIssuer === null) return false
  try {
    const issuer = new X509Certificate(sentIssuer)
    return !issuer.ca && new X509Certificate(certificate).verify(issuer.publicKey)
  } catch {
    // What cannot be read proves nothing.
    return false
  }
}

function statusSentence({ summary }: Shown, { id }: TrustedAnchor, refusal: FailureName): string {
  return `the certificate ${summary.serialNumber} of ${id}: ${statusWords[refusal] ?? refusal}`
}

const statusWords: Partial<Record<FailureName, string>> = {
  'foreign-revoked': 'its authority has revoked it',
  'foreign-signer-revoked': 'the authority that signed it has been revoked',
  'foreign-revocation-unknown': 'there is no CRL of its issuer and no word of a responder, and one of them is required',
  'foreign-crl-ended': 'the CRL of its issuer has ended, there is no word of a responder, and one of them is required',
  'anchor-distrusted': 'its authority is not trusted any more',
}

type Refused = { readonly code: FailureName; readonly sentence: string }

/** The identity that was named, also one that is to be registered once its connection is let in. */
async function identityOf(hub: Hub, id: IdentityId, rule: IdentificationRule): Promise<Identity | Refused> {
  const known = await hub.store.identities.find(id)
  if (known !== null) return refusalOf(known, rule) ?? known
  const { onUnknown, group, name } = rule
  if (onUnknown === 'deny') {
    return { code: 'identification-unknown', sentence: `by the rule ${name} it is ${id}, which is not registered` }
  }
  // It is written once everything else is right, by the process that writes; one that waits is refused then.
  return newDevice(
    { id, state: onUnknown === 'create' ? 'active' : 'pending', group, attributes: {} },
    hub.clock.nowMs(),
  )
}

/** Rules are about devices: nobody else's authority speaks for people, services or the hub itself. */
function refusalOf(identity: Identity, { name, group }: Pick<IdentificationRule, 'name' | 'group'>): Refused | null {
  if (identity.kind !== 'device') {
    return { code: 'identification-outside', sentence: `${identity.id} is a ${identity.kind}, and rules find devices` }
  }
  if (group !== null && identity.group !== group) {
    return {
      code: 'identification-outside',
      sentence: `${identity.id} is not in the group ${group} of the rule ${name}`,
    }
  }
  const state = identityRefusal(identity.state)
  return state === null ? null : { code: state, sentence: `${identity.id} is ${identity.state}` }
}

/** Two connections may come at once: the second finds what the first has written. */
async function registeredOnce(
  { store, clock }: Pick<Hub, 'store' | 'clock'>,
  rates: RateTable,
  identity: Identity,
  anchorId: string,
  rule: string,
): Promise<Identity | Refused> {
  if (rates.take(anchorId, clock.nowMs()) > 0) {
    return {
      code: 'first-connections-too-many',
      sentence: `${identity.id} was not registered: too many were, just now`,
    }
  }
  return store.write(async (tx) => {
    const known = await tx.identities.find(identity.id)
    if (known !== null) return known
    await register(tx, `rule:${rule}`, [{ identity, token: null }])
    return identity
  })
}

/** Registers whom the rule lets in unknown. What was known is looked at again, since an operator may have been faster. */
async function confirmAnchored(
  hub: Pick<Hub, 'store' | 'clock'>,
  rates: RateTable,
  entrant: Entrant,
): Promise<Entrant | Refusal> {
  const { identity, proof, summary } = entrant
  if (proof.kind !== 'anchored') return entrant
  const refuse = ({ code, sentence }: Refused): Refusal => ({
    ...{ admitted: false, code, sentence, identityId: identity.id, summary },
  })
  const known =
    (await hub.store.identities.find(identity.id)) ??
    (await registeredOnce(hub, rates, identity, proof.anchorId, proof.rule))
  if ('code' in known) return refuse(known)
  const refusal = refusalOf(known, { name: proof.rule, group: identity.group })
  return refusal === null ? { ...entrant, identity: known } : refuse(refusal)
}

function refused({ summary }: Shown, code: FailureName, sentence: string, identityId: string | null = null): Refusal {
  return { admitted: false, code, sentence, identityId, summary }
}
