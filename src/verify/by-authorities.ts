/** Judging clients by authorities and identification rules, without a hub: what is revoked is known from CRLs or OCSP. */
import { HubError } from '../core/errors.ts'
import { respondersOf } from '../core/identification/anchor.ts'
import { identify } from '../core/identification/identify.ts'
import type { IdentityId } from '../core/identity/id.ts'
import { limits } from '../core/limits.ts'
import { compilePolicy } from '../core/policy/compile.ts'
import type { IdentificationRule } from '../core/policy/model.ts'
import { imaginedIdentity } from '../core/policy/subjects.ts'
import { type Authority, authoritiesPem, readAuthorities } from './authorities.ts'
import { type Leaf, LeafJudge, refused } from './leaf.ts'
import { readPolicyText, rightsBy } from './policy.ts'
import { type CrlOptions, crlSource } from './status/crl.ts'
import type { FetchStatus } from './status/fetch.ts'
import { type OcspOptions, ocspSource } from './status/ocsp.ts'
import { nowhere, type StatusSource } from './status/source.ts'
import { surfacing } from './surfacing.ts'
import type { Peer, Refused, Verdict } from './verdict.ts'
import { type Verifier, verifierOf } from './verifier.ts'

/** What is known of an identity beside its id. */
export interface IdentityFacts {
  readonly group?: string
  readonly attributes?: Readonly<Record<string, string>>
}

export interface AuthoritiesOptions {
  /** PEM by id: the certificates of the authorities that sign the clients, each of them. Rules speak of them by the id. */
  readonly authorities: Readonly<Record<string, string>>
  /**
   * A policy file (docs/policy.md), as text: `identify` says whom a certificate speaks for and is needed, `roles` and `bindings` what
   * they may do.
   */
  readonly policy: string
  /** Where it is known from what was revoked; `'none'` has to be written out, since then nothing is ever revoked. */
  readonly revocation: 'none' | { readonly crl: CrlOptions } | { readonly ocsp: OcspOptions }
  /** Name of the listener, where rules are bound to some; `mqtt` where it is left out. */
  readonly listener?: string
  /**
   * What is known of an identity: null refuses one that is not known. Where it is left out, every identity that a rule finds is let in,
   * without a group and without attributes.
   */
  readonly identityOf?: (id: string) => IdentityFacts | null | Promise<IdentityFacts | null>
  /** Told of CRLs and responders that cannot be read; they are tried again. */
  readonly warn?: (error: unknown) => void
  /** Milliseconds since the epoch; the clock of the system where it is left out. */
  readonly nowMs?: () => number
  /** For tests: how CRLs and responders are asked. */
  readonly fetch?: FetchStatus
}

/**
 * @throws HubError `verify-settings-invalid`, `verify-authority-unfit`, `certificate-unreadable`, `policy-invalid`, `anchor-crl-unfit`,
 *   `status-fetch-failed`
 */
export async function verifyByAuthorities(options: AuthoritiesOptions): Promise<Verifier> {
  const { nowMs = Date.now, listener = 'mqtt' } = options
  const authorities = readAuthorities(options.authorities)
  const policy = await readPolicyText(options.policy)
  assertRules(policy.identify, authorities)
  const compiled = compilePolicy(policy)
  const leaves = new LeafJudge(authorities)
  const status = await statusSource(options, authorities)

  async function judge(der: Uint8Array | null): Promise<Verdict> {
    const atMs = nowMs()
    const nowSec = Math.floor(atMs / 1000)
    const judged = leaves.judge(der, nowSec)
    if (judged.admitted === false) return judged
    const { leaf } = judged
    const revoked = statusRefusal(leaf, await status.statusOf(leaf, nowSec))
    if (revoked !== null) return revoked
    const found = identified(policy.identify, leaf, listener)
    if ('admitted' in found) return found
    const facts = await factsOf(options, found.id)
    if (facts === null) {
      const sentence = `by the rule ${found.rule} it is ${found.id}, which is not known here`
      return refused('identification-unknown', sentence, leaf.facts)
    }
    if (found.group !== null && (facts.group ?? found.group) !== found.group) {
      const sentence = `${found.id} is not in the group ${found.group} of the rule ${found.rule}`
      return refused('identification-outside', sentence, leaf.facts)
    }
    const peer = peerOf(leaf, found, facts)
    return {
      admitted: true,
      peer,
      rights: (arrival = {}) => rightsBy(compiled, peer, { listener, ...arrival }, nowMs()),
    }
  }

  const ca = authoritiesPem(authorities)
  const { onChange, close } = status
  const judged = { ca: () => ca, judge, onChange, close, silentSecMax: limits.verifyStaleSecDefault }
  return verifierOf(judged, () => performance.now())
}

function assertRules(rules: readonly IdentificationRule[], authorities: readonly Authority[]): void {
  if (rules.length === 0) {
    throw new HubError('verify-settings-invalid', 'the policy has no rule that says whom a certificate speaks for', {
      hint: 'write `identify:` with a rule; docs/verify.md has one for certificates of a hub',
    })
  }
  const known = new Set(authorities.map(({ id }) => id))
  for (const { name, anchors, onUnknown } of rules) {
    const stranger = anchors.find((id) => !known.has(id))
    if (stranger !== undefined) {
      throw new HubError(
        'verify-settings-invalid',
        `the rule ${name} is about ${stranger}, and no authority is given by that id`,
      )
    }
    if (onUnknown !== 'deny') {
      throw new HubError(
        'verify-settings-invalid',
        `the rule ${name} has onUnknown: ${onUnknown}, and a verifier registers nobody`,
        {
          hint: 'leave it out, or write `onUnknown: deny`; `identityOf` says who is known',
        },
      )
    }
  }
}

async function statusSource(options: AuthoritiesOptions, authorities: readonly Authority[]): Promise<StatusSource> {
  const { revocation, fetch } = options
  const warn = surfacing(options.warn ?? (() => {}))
  const surroundings = { warn, ...(fetch === undefined ? {} : { fetch }) }
  if (revocation === 'none') return nowhere
  if ('crl' in revocation) return crlSource(revocation.crl, { authorities, ...surroundings })
  if ('ocsp' in revocation) return ocspSource(revocation.ocsp, surroundings)
  throw new HubError('verify-settings-invalid', "revocation is neither 'none' nor { crl } nor { ocsp }")
}

function statusRefusal({ facts }: Leaf, status: 'good' | 'revoked' | 'unknown'): Refused | null {
  const who = `the certificate of ${facts.subject} (${facts.serialNumber})`
  if (status === 'revoked') return refused('foreign-revoked', `${who} was revoked by its authority`, facts)
  if (status === 'good') return null
  return refused('verify-status-unknown', `${who}: no CRL in date and no responder speaks of it`, facts)
}

interface Found {
  readonly id: IdentityId
  readonly rule: string
  readonly group: string | null
}

function identified(rules: readonly IdentificationRule[], leaf: Leaf, listener: string): Found | Refused {
  const { fields, facts, signer } = leaf
  const shown = { fields, fingerprint: facts.fingerprint, anchorId: signer.id, listener }
  const identification = identify(rules, shown)
  switch (identification.kind) {
    case 'none':
      return refused('identification-none', `no rule for ${signer.id} is about ${facts.subject}`, facts)
    case 'unfit': {
      const { rule, words } = identification
      return refused('identification-unfit', `by the rule ${rule.name} the certificate ${words}`, facts)
    }
    case 'found': {
      const { rule, identityId: id } = identification
      return { id, rule: rule.name, group: rule.group }
    }
  }
}

async function factsOf({ identityOf }: AuthoritiesOptions, id: IdentityId): Promise<IdentityFacts | null> {
  return identityOf === undefined ? {} : identityOf(id)
}

function peerOf({ fields, facts, signer }: Leaf, found: Found, known: IdentityFacts): Peer {
  const { id, rule } = found
  const { attributes = {}, group = found.group } = known
  const notAfterSec = Math.min(facts.notAfterSec, signer.fields.notAfterSec)
  const anchored = {
    ...{ anchorId: signer.id, issuer: signer.fingerprint, responders: respondersOf(fields) },
    ...{ serialNumber: fields.serialNumber, points: fields.crlDistributionPoints },
  }
  return {
    identity: imaginedIdentity(id, { kind: 'device', group, attributes, keyStorage: null }),
    proof: { kind: 'anchored', anchorId: signer.id, anchored, rule, fingerprint: facts.fingerprint, notAfterSec },
    certificate: facts,
    endsAtMs: (notAfterSec + 1) * 1000,
  }
}
