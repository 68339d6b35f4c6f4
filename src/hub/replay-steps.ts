/** The steps of a replay, inside one transaction: first what the registry does not know is written down, then access shrinks. */
import {
  type Credential,
  credentialMovedTo,
  credentialRevoked,
  type Fingerprint,
  type RevocationReason,
} from '../core/identity/credential.ts'
import type { IdentityId } from '../core/identity/id.ts'
import { type Identity, identityMovedTo } from '../core/identity/identity.ts'
import { limits } from '../core/limits.ts'
import { readCertificate } from '../core/x509/certificate.ts'
import { crlShardBase } from '../core/x509/crl-shard-url.ts'
import { adoptionPlans } from './adopt.ts'
import { sameGrants } from './grants.ts'
import { hubIdentityId } from './hub-credential.ts'
import type { JournalFacts, LastOfIdentity } from './journal-facts.ts'
import { endPassword, supersedePassword } from './passwords/change.ts'
import type { JournalEntry } from './ports/journal.ts'
import type { Adoption, Transaction } from './ports/store.ts'
import { profileNamed } from './profiles.ts'

export class Replay {
  readonly #tx: Transaction
  readonly #facts: JournalFacts
  readonly #nowMs: number
  #intents: readonly Credential[] | null = null

  constructor(tx: Transaction, facts: JournalFacts, nowMs: number) {
    this.#tx = tx
    this.#facts = facts
    this.#nowMs = nowMs
  }

  /**
   * What an identity has lost since is lost until it is adopted: its group, whose owners have lost it, the profiles and names
   * that its certificates may have no more, and the attributes that policies ask for. To be done first, so that what waits for adoption is compared with what is there now.
   */
  async takeFromIdentities(): Promise<void> {
    for (const chunk of chunks([...this.#facts.identities.keys()])) {
      for (const identity of await this.#tx.identities.findAll(chunk)) {
        const last = this.#facts.identities.get(identity.id)
        const left = last === undefined ? null : whatIsLeft(identity, last)
        if (last === undefined || left === null) continue
        // A version that it never had, so that nobody takes this for what the journal knows.
        const version = Math.max(identity.version, last.version) + 1
        await this.#tx.identities.update({ ...identity, ...left, version, updatedAtMs: this.#nowMs })
        await this.#tx.events.append({ type: 'identity-changed', identityId: identity.id })
        const { group, profiles, names, attributes, keyStorage } = identity
        const before = { group, profiles, names, attributes, keyStorage }
        await this.#audit('identity.change', identity.id, before, left)
      }
    }
  }

  /** Profiles are as their operator has left them: one that was narrowed since would be wide again. */
  async followProfiles(): Promise<void> {
    for (const [name, definition] of this.#facts.profiles) {
      const row = await this.#tx.profiles.find(name)
      if ((row?.definition ?? null) === definition) continue
      const updatedAtMs = this.#nowMs
      if (definition === null) await this.#tx.profiles.remove(name)
      else if (row === null) {
        await this.#tx.profiles.insert({ name, definition, version: 1, createdAtMs: updatedAtMs, updatedAtMs })
      } else await this.#tx.profiles.update({ ...row, definition, version: row.version + 1, updatedAtMs })
      await this.#tx.events.append({ type: 'profile-changed', name, definition })
      const act = definition === null ? 'profile.remove' : row === null ? 'profile.add' : 'profile.change'
      const parsed = (text: string | null) => (text === null ? null : JSON.parse(text))
      await this.#audit(act, name, parsed(row?.definition ?? null), parsed(definition))
    }
  }

  /** A certificate that was taken off the list since opens nothing. */
  async unpin(): Promise<void> {
    for (const fingerprint of this.#facts.pinsRemoved) {
      const pin = await this.#tx.pins.find(fingerprint)
      if (pin === null) continue
      const { identityId, slot } = pin
      await this.#tx.pins.remove(fingerprint)
      await this.#tx.events.append({ type: 'pin-removed', identityId, fingerprint })
      await this.#audit('pin.remove', identityId, { slot, fingerprint }, null)
    }
  }

  /** The policy is as its operator has left it: what was narrowed since would be wide again. */
  async followPolicy(): Promise<void> {
    const { policy } = this.#facts
    if (policy === null) return
    const before = await this.#tx.policies.inState('active')
    if ((before?.source ?? null) === policy.source) return
    const nowMs = this.#nowMs
    if (before !== null) await this.#tx.policies.update({ ...before, state: 'replaced', changedAtMs: nowMs })
    const common = { createdAtMs: nowMs, createdBy: 'hub', changedAtMs: nowMs, activatedAtMs: nowMs }
    const { source } = policy
    const active =
      source === null
        ? null
        : await this.#tx.policies.insert({
            ...common,
            state: 'active',
            note: 'from the journal, after a restore',
            source,
          })
    await this.#tx.events.append({ type: 'policy-activated', version: active?.number ?? null, source })
    await this.#audit(
      'policy.activate',
      `policy ${active?.number ?? 'default'}`,
      before === null ? null : { number: before.number },
      {
        number: active?.number ?? null,
      },
    )
  }

  /** Writes down what the registry does not know of: identities as pending, credentials as unadopted. */
  async takeNew(group: readonly JournalEntry[]): Promise<void> {
    const entries = await this.#withoutUnbornHub(group)
    const identities = lastOfEach(
      entries.flatMap(({ identity }) => identity ?? []),
      (identity) => identity.id,
    )
    const known = byKey(await this.#tx.identities.findAll(identities.map(({ id }) => id)), (identity) => identity.id)
    const unknown = identities.filter(({ id }) => !known.has(id))
    await this.#tx.identities.insertAll(unknown.map((identity) => ({ ...identity, state: 'pending' })))

    const credentials = lastOfEach(
      entries.flatMap(({ credential }) => credential ?? []),
      ({ fingerprint }) => fingerprint,
    )
    const held = await this.#tx.credentials.findAll(credentials.map(({ fingerprint }) => fingerprint))
    const heldAlready = new Set(held.map(({ fingerprint }) => fingerprint))
    const news = credentials.filter(({ fingerprint }) => !heldAlready.has(fingerprint))
    const closed = await this.#profilesThatStayOut(news)
    const fresh = news.map((credential) => laidAside(credential, !closed.has(credential.profile)))
    await this.#tx.credentials.insertAll(await this.#withoutIntents(fresh))
    await this.#noteShards(fresh)
    await this.#noteFirstUses(entries)
    await this.#noteAdoptions(identities, known, new Set(fresh.map(({ identityId }) => identityId)))
  }

  /** A copy from the middle of the very first start has no identity of the hub itself; it is made again, with other keys. */
  async #withoutUnbornHub(entries: readonly JournalEntry[]): Promise<readonly JournalEntry[]> {
    const isBorn = (await this.#tx.identities.find(hubIdentityId)) !== null
    return isBorn ? entries : entries.filter(({ identity }) => identity?.id !== hubIdentityId)
  }

  /** A copy from the middle of an issuance holds its intent, which becomes what the journal says. Returns all others. */
  async #withoutIntents(fresh: readonly Credential[]): Promise<readonly Credential[]> {
    this.#intents ??= await this.#tx.credentials.issuedBefore(['intended'], Number.MAX_SAFE_INTEGER, limits.pageRowsMax)
    const others: Credential[] = []
    for (const credential of fresh) {
      // Where there are more than were read, each is asked for.
      const mayBeIntended =
        this.#intents.length === limits.pageRowsMax ||
        this.#intents.some(({ serialNumber }) => serialNumber === credential.serialNumber)
      if (!mayBeIntended || !(await this.#tx.credentials.complete(credential))) others.push(credential)
    }
    return others
  }

  /** Which of the unadopted credentials have been used decides which of them an adoption makes active. */
  async #noteFirstUses(entries: readonly JournalEntry[]): Promise<void> {
    const used = new Map<Fingerprint, number>()
    for (const { event, atMs } of entries) if (event.type === 'credential-activated') used.set(event.fingerprint, atMs)
    for (const credential of await this.#tx.credentials.findAll([...used.keys()])) {
      if (credential.state !== 'unadopted' || credential.activatedAtMs !== null) continue
      await this.#tx.credentials.update({ ...credential, activatedAtMs: used.get(credential.fingerprint) ?? null })
    }
  }

  async #noteAdoptions(
    identities: readonly Identity[],
    known: ReadonlyMap<IdentityId, Identity>,
    withCredentials: ReadonlySet<IdentityId>,
  ): Promise<void> {
    const adoptions: Adoption[] = []
    for (const identity of identities) {
      const now = known.get(identity.id)
      const isSame = now !== undefined && now.version === identity.version && now.state === identity.state
      if (isSame && !withCredentials.has(identity.id)) continue
      adoptions.push({ identity, versionThen: now?.version ?? identity.version })
    }
    await this.#tx.adoptions.saveAll(adoptions)
  }

  async revoke(): Promise<number> {
    let count = 0
    for (const chunk of chunks([...this.#facts.revoked.keys()])) {
      for (const credential of await this.#tx.credentials.findAll(chunk)) {
        const { reason, atMs } = this.#facts.revoked.get(credential.fingerprint) ?? { reason: 'unspecified', atMs: 0 }
        const revoked = credentialRevoked(credential, reason, atMs)
        if (revoked === credential || revoked.revocationReason === credential.revocationReason) continue
        await this.#writeRevoked(credential, revoked, reason)
        count += 1
      }
    }
    return count
  }

  /** What was superseded since is good for the overlap that it had, and not longer. */
  async supersede(): Promise<number> {
    let count = 0
    for (const chunk of chunks([...this.#facts.superseded.keys()])) {
      for (const credential of await this.#tx.credentials.findAll(chunk)) {
        const atMs = this.#facts.superseded.get(credential.fingerprint) ?? 0
        if (await this.#supersede(credential, atMs)) count += 1
      }
    }
    return count
  }

  async #supersede(credential: Credential, atMs: number): Promise<boolean> {
    switch (credential.state) {
      case 'unadopted':
        await this.#tx.credentials.update({ ...credential, supersededAtMs: atMs })
        return false
      case 'quarantined':
        // It was released since, which is not repeated; an overlap would be more than it has.
        await this.#writeRevoked(credential, credentialRevoked(credential, 'superseded', atMs), 'superseded')
        return true
      case 'pending':
      case 'active': {
        const used = credentialMovedTo(credential, 'active', atMs)
        const { identityId, fingerprint, serialNumber } = used
        await this.#tx.credentials.update(credentialMovedTo(used, 'superseded', atMs))
        await this.#tx.events.append({ type: 'credential-superseded', identityId, fingerprint, serialNumber })
        await this.#audit('credential.supersede', serialNumber, { state: credential.state }, { state: 'superseded' })
        return true
      }
      default:
        return false
    }
  }

  /** The alarm of a contest outlives the copy that does not know of it. */
  async noteContests(): Promise<void> {
    for (const contest of this.#facts.contests) {
      const { identityId, serialNumber } = contest
      const known = await this.#tx.renewals.contestsOf(identityId, limits.pageRowsMax)
      if (known.some((each) => each.serialNumber === serialNumber)) continue
      if ((await this.#tx.identities.find(identityId)) !== null) await this.#tx.renewals.insertContest(contest)
    }
  }

  async #writeRevoked(before: Credential, revoked: Credential, reason: RevocationReason): Promise<void> {
    const { identityId, authorityId, crlShard, fingerprint, serialNumber } = revoked
    await this.#tx.credentials.update(revoked)
    await this.#tx.events.append({
      type: 'credential-revoked',
      identityId,
      authorityId,
      crlShard,
      fingerprint,
      serialNumber,
      reason,
    })
    await this.#audit(
      'credential.revoke',
      serialNumber,
      { state: before.state, reason: before.revocationReason },
      { state: revoked.state, reason, identity: identityId },
    )
  }

  async closeIdentities(): Promise<number> {
    let count = 0
    const closed = [...this.#facts.states].filter(([, { state }]) => state === 'disabled' || state === 'retired')
    for (const chunk of chunks(closed.map(([id]) => id))) {
      for (const identity of await this.#tx.identities.findAll(chunk)) {
        const { state = 'disabled', atMs = 0 } = this.#facts.states.get(identity.id) ?? {}
        if (identity.state === state || identity.state === 'retired') continue
        await this.#tx.identities.update(identityMovedTo(identity, state, atMs))
        await this.#tx.events.append({ type: 'identity-state-changed', identityId: identity.id, state })
        await this.#audit('identity.state', identity.id, { state: identity.state }, { state })
        count += 1
      }
    }
    return count
  }

  async endTokens(): Promise<number> {
    let count = 0
    for (const [id, { state, atMs }] of this.#facts.tokens) {
      const token = await this.#tx.tokens.find(id)
      if (token === null || token.state !== 'open') continue
      await this.#tx.tokens.update({ ...token, state, usedAtMs: state === 'used' ? atMs : null })
      await this.#tx.events.append({ type: 'token-ended', identityId: token.identityId, tokenId: id, state })
      await this.#audit('token.end', token.identityId, { token: id, state: token.state }, { state })
      count += 1
    }
    return count
  }

  async endPasswords(): Promise<number> {
    let count = 0
    for (const [id, endsAtMs] of this.#facts.passwords) {
      const password = await this.#tx.passwords.find(id)
      if (password === null || password.state === 'ended') continue
      if (endsAtMs <= this.#nowMs) {
        await endPassword(this.#tx, { actor: 'journal', atMs: this.#nowMs }, password)
      } else if (password.state === 'superseded') continue
      else await supersedePassword(this.#tx, { actor: 'journal', atMs: this.#nowMs }, password, endsAtMs)
      count += 1
    }
    return count
  }

  async removeApiKeys(): Promise<number> {
    let count = 0
    for (const [keyId, name] of this.#facts.apiKeys) {
      if (!(await this.#tx.apiKeys.remove(keyId))) continue
      await this.#tx.events.append({ type: 'api-key-removed', keyId, name })
      await this.#audit('api-key.remove', name, { key: keyId }, null)
      count += 1
    }
    return count
  }

  /**
   * A shard that the registry does not know, or knows with fewer certificates, is needed as long as those of them that came
   * back, and takes no other ones: nobody knows how many have named it.
   */
  async #noteShards(credentials: readonly Credential[]): Promise<void> {
    for (const { authorityId, crlShard: shard, certificate, notAfterSec } of credentials) {
      if (shard === null) continue
      const known = await this.#tx.crls.shard(authorityId, shard)
      const [url = ''] = readCertificate(certificate).crlDistributionPoints
      await this.#tx.crls.saveShard({
        ...{ authorityId, shard, places: limits.crlShardCertificatesMax },
        base: known?.base ?? crlShardBase(url),
        notAfterSec: Math.max(known?.notAfterSec ?? 0, notAfterSec),
      })
    }
  }

  async withdrawRoles(): Promise<number> {
    let count = 0
    for (const grant of this.#facts.roleGrants) {
      if (!(await this.#tx.roleGrants.remove(grant))) continue
      const { identityId, role, group } = grant
      await this.#tx.events.append({ type: 'role-grant-removed', identityId, role, group })
      await this.#audit('role.withdraw', identityId, { role, group }, null)
      count += 1
    }
    return count
  }

  /** A CRL without content stands for the numbers that were given away: the next one is made at once, and above it. */
  async passCrlNumbers(): Promise<void> {
    for (const [authorityId, numbers] of this.#facts.crlNumbers) {
      for (const [shard, number] of numbers) {
        const latest = await this.#tx.crls.head(authorityId, shard)
        if (latest !== null && latest.number >= number) continue
        const thisUpdateMs = latest?.thisUpdateMs ?? 0
        const dates = { thisUpdateMs, nextUpdateMs: thisUpdateMs }
        await this.#tx.crls.save({ authorityId, shard, number, ...dates, crl: new Uint8Array(), eventNumber: 0 })
      }
    }
  }

  /** What was closed or revoked since needs no adoption, unless something of it is left. */
  async settleAdoptions(): Promise<{ readonly identitiesWaiting: number; readonly credentialsWaiting: number }> {
    let identitiesWaiting = 0
    let credentialsWaiting = 0
    for (let after: string | null = null; ; ) {
      const page = await this.#tx.adoptions.list({ after, limit: limits.pageRowsMax })
      const plans = await adoptionPlans(this.#tx, await this.#withPresentVersions(page.items))
      const idle = plans.filter(({ target, credentials }) => target === null && credentials.length === 0)
      await this.#tx.adoptions.removeAll(idle.map(({ identity }) => identity.id))
      identitiesWaiting += plans.length - idle.length
      credentialsWaiting += plans.reduce((sum, { credentials }) => sum + credentials.length, 0)
      if (page.next === null) return { identitiesWaiting, credentialsWaiting }
      after = page.next
    }
  }

  /** This replay may have closed the identity: that is no decision of an operator made since. */
  async #withPresentVersions(adoptions: readonly Adoption[]): Promise<readonly Adoption[]> {
    const closed = adoptions.filter(({ identity }) => this.#facts.states.has(identity.id))
    const now = byKey(
      await this.#tx.identities.findAll(closed.map(({ identity }) => identity.id)),
      (identity) => identity.id,
    )
    const moved = closed.map(({ identity, versionThen }) => ({
      identity,
      versionThen: now.get(identity.id)?.version ?? versionThen,
    }))
    await this.#tx.adoptions.saveAll(moved)
    const movedById = new Map(moved.map((adoption) => [adoption.identity.id, adoption]))
    return adoptions.map((adoption) => movedById.get(adoption.identity.id) ?? adoption)
  }

  /** One that is younger than the copy is not known any more: its certificates wait until somebody writes it again. */
  async #profilesThatStayOut(credentials: readonly Credential[]): Promise<ReadonlySet<string>> {
    const closed = new Set<string>()
    for (const name of new Set(credentials.map(({ profile }) => profile))) {
      if ((await profileNamed(this.#tx, name))?.mayConnect === false) closed.add(name)
    }
    return closed
  }

  async #audit(act: string, subject: string, before: unknown, after: unknown): Promise<void> {
    await this.#tx.audit.append({ atMs: this.#nowMs, actor: 'journal', act, subject, before, after })
  }
}

/**
 * A credential of the journal as it is written down: unadopted, and superseded where it opens no door of ours anyway, as those
 * of the hub's own listeners, whose keys may be others now. One in quarantine waits for an operator there as it did.
 */
function laidAside(credential: Credential, mayConnect: boolean): Credential {
  if (credential.state === 'quarantined') return credential
  const { state: _state, ...rest } = credential
  const unadopted: Credential = { ...rest, state: 'unadopted', revokedAtMs: null, revocationReason: null }
  return mayConnect ? unadopted : credentialMovedTo(unadopted, 'superseded', credential.issuedAtMs)
}

function byKey<K, V>(values: readonly V[], key: (value: V) => K): ReadonlyMap<K, V> {
  return new Map(values.map((value) => [key(value), value]))
}

/** Of several values with one key, the last. */
function lastOfEach<K, V>(values: readonly V[], key: (value: V) => K): readonly V[] {
  return [...byKey(values, key).values()]
}

function* chunks<T>(values: readonly T[]): Generator<readonly T[]> {
  for (let start = 0; start < values.length; start += limits.bulkRowsMax) {
    yield values.slice(start, start + limits.bulkRowsMax)
  }
}

/** What an identity of the copy keeps: nothing that it did not have any more; null where it keeps all. */
function whatIsLeft(now: Identity, last: LastOfIdentity): Omit<LastOfIdentity, 'version'> | null {
  const { group, profiles, names, attributes, keyStorage } = now
  const both = (here: readonly string[], then: readonly string[]) => here.filter((each) => then.includes(each))
  const left = {
    group: group === last.group ? group : null,
    profiles: both(profiles, last.profiles),
    names: {
      dnsNames: both(names.dnsNames, last.names.dnsNames),
      ipAddresses: both(names.ipAddresses, last.names.ipAddresses),
      emails: both(names.emails, last.names.emails),
    },
  }
  // Policies ask for these: one that is another now is not known until it is adopted, which counts against whoever asks.
  const facts = {
    attributes: Object.fromEntries(
      Object.entries(attributes).filter(([name, value]) => last.attributes[name] === value),
    ),
    keyStorage: keyStorage === last.keyStorage ? keyStorage : null,
  }
  const isWhole =
    left.group === group &&
    sameGrants(left, { profiles, names }) &&
    facts.keyStorage === keyStorage &&
    Object.keys(facts.attributes).length === Object.keys(attributes).length
  return isWhole ? null : { ...left, ...facts }
}
