/** Whether a whole registry is consistent in itself. Every rule stands in a file of its own, with its reason. */
import { X509Certificate } from 'node:crypto'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { parseRealm, type Realm } from '../core/identity/id.ts'
import { limits } from '../core/limits.ts'
import { builtInProfiles } from '../core/profile/built-in.ts'
import { profileFromDefinition } from '../core/profile/own-profile.ts'
import type { Profile } from '../core/profile/profile.ts'
import { readCertificate } from '../core/x509/certificate.ts'
import type { AuthorityRow } from '../hub/ports/authorities.ts'
import type { ProfileRow } from '../hub/ports/grants.ts'
import type { KeyStore } from '../hub/ports/signer.ts'
import type { RegistrySnapshot } from '../hub/ports/snapshot.ts'
import { profileHistory } from './profile-history.ts'
import { identityGroups } from './rows.ts'
import type { CheckContext, CheckedAuthority, IdentityRule, Problem, RegistryRule } from './rule.ts'
import { anchorWellFormed } from './rules/anchor-well-formed.ts'
import { apiKeyWellFormed } from './rules/api-key-well-formed.ts'
import { attributesSearchable } from './rules/attributes-searchable.ts'
import { auditChainWhole } from './rules/audit-chain-whole.ts'
import { authorityChain } from './rules/authority-chain.ts'
import { authorityKeysOpen } from './rules/authority-keys-open.ts'
import { authorityLints } from './rules/authority-lints.ts'
import { credentialLints } from './rules/credential-lints.ts'
import { credentialMatchesRow } from './rules/credential-matches-row.ts'
import { credentialNamesIdentity } from './rules/credential-names-identity.ts'
import { credentialSigned } from './rules/credential-signed.ts'
import { credentialStateLegal } from './rules/credential-state-legal.ts'
import { crlMatchesRow } from './rules/crl-matches-row.ts'
import { eventsInOrder } from './rules/events-in-order.ts'
import { identityWellFormed } from './rules/identity-well-formed.ts'
import { lineageWhole } from './rules/lineage-whole.ts'
import { oneActiveCredential } from './rules/one-active-credential.ts'
import { passwordStateLegal } from './rules/password-state-legal.ts'
import { policyWellFormed } from './rules/policy-well-formed.ts'
import { profileWellFormed } from './rules/profile-well-formed.ts'
import { referencesExist } from './rules/references-exist.ts'
import { retiredHoldsNothing } from './rules/retired-holds-nothing.ts'
import { settingsWhole } from './rules/settings-whole.ts'
import { signingRecorded } from './rules/signing-recorded.ts'
import { tokenStateLegal } from './rules/token-state-legal.ts'
import { unadoptedWaits } from './rules/unadopted-waits.ts'

export const identityRules: readonly IdentityRule[] = [
  identityWellFormed,
  referencesExist,
  credentialStateLegal,
  credentialLints,
  credentialMatchesRow,
  credentialNamesIdentity,
  credentialSigned,
  lineageWhole,
  oneActiveCredential,
  passwordStateLegal,
  retiredHoldsNothing,
  tokenStateLegal,
  unadoptedWaits,
]

export const registryRules: readonly RegistryRule[] = [
  authorityChain,
  authorityKeysOpen,
  authorityLints,
  policyWellFormed,
  signingRecorded,
  crlMatchesRow,
  eventsInOrder,
  auditChainWhole,
  attributesSearchable,
  apiKeyWellFormed,
  anchorWellFormed,
  profileWellFormed,
  settingsWhole,
]

/** Identities that are looked at without a pause. */
const groupsInTurn = 100

/** A problem, and the rule that found it. */
export interface Finding extends Problem {
  readonly rule: string
}

export interface CheckReport {
  readonly rules: readonly { readonly name: string; readonly reason: string; readonly problems: number }[]
  /** Rules that could not look, as without the passphrase of the keys. */
  readonly leftOut: readonly string[]
  /** The first of each rule, `limits.findingsPerRuleMax` at most. */
  readonly findings: readonly Finding[]
  readonly identities: number
  readonly credentials: number
  /** Those among them that were about to be signed and are not completed, or not yet. */
  readonly intents: number
}

/** Rules about what the authorities have issued: those that `handfast ca audit` looks at. */
export const issuanceRules: ReadonlySet<string> = new Set(
  [
    ...[credentialStateLegal, credentialLints, credentialMatchesRow, credentialNamesIdentity, credentialSigned],
    ...[authorityChain, authorityKeysOpen, authorityLints, signingRecorded, crlMatchesRow, auditChainWhole],
  ].map(({ name }) => name),
)

/**
 * @param keys the authority's keys; null leaves out the rule about them
 * @param chosen names of the rules to look at; all where it is left out
 */
export async function checkRegistry(
  snapshot: RegistrySnapshot,
  keys: KeyStore | null,
  chosen?: ReadonlySet<string>,
): Promise<CheckReport> {
  const context = await contextOf(snapshot, keys)
  const isChosen = ({ name }: { readonly name: string }): boolean => chosen?.has(name) ?? true
  const ofIdentities = identityRules.filter(isChosen)
  const ofRegistry = registryRules.filter(isChosen)
  const findings = new Findings()
  let [identities, credentials, intents] = [0, 0, 0]
  let groups = 0
  for await (const group of identityGroups(snapshot)) {
    // What OpenSSL holds of certificates that nobody has any more is let go between two turns of the event loop only.
    if (++groups % groupsInTurn === 0) await nextTurn()
    if (group.identity !== null) identities += 1
    credentials += group.credentials.length
    intents += group.credentials.filter(({ state }) => state === 'intended').length
    for (const rule of ofIdentities) for (const problem of rule.look(group, context)) findings.note(rule.name, problem)
  }
  const looking = ofRegistry.filter((rule) => rule.canLook(context))
  for (const rule of looking) for await (const problem of rule.look(context)) findings.note(rule.name, problem)
  return {
    rules: [...ofIdentities, ...looking].map(({ name, reason }) => ({
      name,
      reason,
      problems: findings.countOf(name),
    })),
    leftOut: ofRegistry.filter((rule) => !looking.includes(rule)).map(({ name }) => name),
    findings: findings.kept,
    identities,
    credentials,
    intents,
  }
}

async function contextOf(snapshot: RegistrySnapshot, keys: KeyStore | null): Promise<CheckContext> {
  const rows = await snapshot.registry.authorities.all()
  const realm = await snapshot.registry.settings.find('realm')
  const authorities = new Map(rows.map((row) => [row.id, authorityOf(row)]))
  const profiles = profilesOf(await snapshot.registry.profiles.all())
  const history = await profileHistory(snapshot)
  return { snapshot, authorities, profiles, profileHistory: history, realm: realmOf(realm), keys }
}

function profilesOf(rows: readonly ProfileRow[]): ReadonlyMap<string, Profile> {
  const profiles = new Map(builtInProfiles.map((profile) => [profile.name, profile]))
  for (const { name, definition } of rows) {
    try {
      profiles.set(name, profileFromDefinition(definition))
    } catch {
      // Said by profile-well-formed.
    }
  }
  return profiles
}

function authorityOf({ certificate: der, ...row }: AuthorityRow): CheckedAuthority {
  try {
    return { ...row, der, fields: readCertificate(der), certificate: new X509Certificate(der) }
  } catch {
    return { ...row, der, fields: null, certificate: null }
  }
}

function realmOf(text: string | null): Realm | null {
  try {
    return text === null ? null : parseRealm(text)
  } catch {
    return null
  }
}

class Findings {
  readonly kept: Finding[] = []
  readonly #counts = new Map<string, number>()

  note(rule: string, problem: Problem): void {
    const count = this.countOf(rule) + 1
    this.#counts.set(rule, count)
    if (count <= limits.findingsPerRuleMax) this.kept.push({ rule, ...problem })
  }

  countOf(rule: string): number {
    return this.#counts.get(rule) ?? 0
  }
}
