/** The first authorities of a hub, and how authorities are made at all. */
import { HubError } from '../core/errors.ts'
import type { Realm } from '../core/identity/id.ts'
import { issuingProfile, rootProfile } from '../core/profile/built-in.ts'
import { authorityTemplate, rootTemplate } from '../core/profile/templates.ts'
import { validityFrom } from '../core/profile/validity.ts'
import type { AuthorityKeyType } from '../core/x509/authority-key.ts'
import { certificateFingerprint } from '../core/x509/certificate.ts'
import { serialNumberFrom } from '../core/x509/serial-number.ts'
import { type Authorities, mainChain, openAuthorities } from './authorities.ts'
import { Authority } from './authority.ts'
import type { AuthorityRow } from './ports/authorities.ts'
import { type Clock, nowSec } from './ports/clock.ts'
import type { Random } from './ports/random.ts'
import type { KeyStore } from './ports/signer.ts'
import type { Store } from './ports/store.ts'
import { signAuthorityCertificate } from './sign-authority-certificate.ts'

interface Making {
  readonly store: Store
  readonly keys: KeyStore
  readonly clock: Clock
  readonly random: Random
  readonly realm: Realm
}

/**
 * The authorities of this registry; made when there are none yet. Key files come first and rows after, in one transaction, so
 * that a crash in between leaves at most a key that nothing names.
 *
 * @throws HubError `clock-before-authority`, `key-file-damaged`, `key-passphrase-wrong`
 */
export async function establishAuthorities(hub: Making): Promise<Authorities> {
  if ((await hub.store.authorities.all()).length === 0) await makeFirst(hub)
  const authorities = await openAuthorities(hub.store, hub.keys)
  const bornSec = authorities.firstRoot().fields.notBeforeSec
  if (nowSec(hub.clock) < bornSec) {
    const now = new Date(hub.clock.nowMs()).toISOString()
    throw new HubError(
      'clock-before-authority',
      `the clock says ${now}, but the root was made at ${new Date(bornSec * 1000).toISOString()}`,
    )
  }
  return authorities
}

async function makeFirst(hub: Making): Promise<void> {
  const made = await makeChain(hub, { chain: mainChain, keyType: 'P-256' })
  await hub.store.write(async (tx) => {
    // Another process of the same registry may have started at this moment; its authorities are the hub's then.
    if ((await tx.authorities.all()).length > 0) return
    for (const row of made) await tx.authorities.insert(row)
    await tx.audit.append({
      atMs: hub.clock.nowMs(),
      actor: 'hub',
      act: 'authority.create',
      subject: made.map((row) => row.id).join(' '),
      before: null,
      after: made.map((row) => ({ id: row.id, fingerprint: certificateFingerprint(row.certificate) })),
    })
  })
}

/** A root and the issuing authority below it, with new keys; nothing is stored but the keys. */
export async function makeChain(
  hub: Making,
  wish: { readonly chain: string; readonly keyType: AuthorityKeyType },
): Promise<readonly [root: AuthorityRow, issuing: AuthorityRow]> {
  const root = await makeRoot(hub, { ...wish, name: null })
  const parent = new Authority(root, await hub.keys.open(root.id))
  const issuing = await makeIssuing(hub, { ...wish, parent })
  const state = 'active'
  return [
    { ...root, state },
    { ...issuing, state, createdAtMs: root.createdAtMs + 1 },
  ]
}

/**
 * A root with a new key.
 *
 * @param wish.name the Name in DER of the root that it follows, which a successor keeps (RFC 4210 §4.4); null for a new one
 */
export async function makeRoot(
  hub: Making,
  wish: { readonly chain: string; readonly keyType: AuthorityKeyType; readonly name: Uint8Array | null },
): Promise<AuthorityRow> {
  const { id, suffix, signer } = await makeKey(hub, 'root', wish.keyType)
  const template = rootTemplate({
    name: `${hub.realm} root ${suffix}`,
    publicKey: signer.publicKey,
    serialNumber: serialNumberFrom(hub.random.bytes(20)),
    validity: validityFrom(rootProfile, nowSec(hub.clock), null),
  })
  const named = wish.name === null ? template : { ...template, issuer: wish.name, subject: wish.name }
  const { publicKey } = signer
  const order = { id, profile: rootProfile, publicKey, template: named, issuer: signer, actor: 'hub' }
  const certificate = await signAuthorityCertificate(hub, order)
  return rowOf(hub, { ...wish, id, role: 'root', parentId: null, certificate })
}

/** An issuing authority with a new key, below a root. */
export async function makeIssuing(
  hub: Making,
  wish: {
    readonly chain: string
    readonly keyType: AuthorityKeyType
    readonly parent: Authority
  },
): Promise<AuthorityRow> {
  const { fields } = wish.parent
  const { id, suffix, signer } = await makeKey(hub, 'issuing', wish.keyType)
  const { publicKey } = signer
  const template = authorityTemplate({
    name: `${hub.realm} issuing ${suffix}`,
    publicKey,
    serialNumber: serialNumberFrom(hub.random.bytes(20)),
    issuer: fields,
    validity: validityFrom(issuingProfile, nowSec(hub.clock), fields),
  })
  const order = { id, profile: issuingProfile, publicKey, template, issuer: wish.parent, actor: 'hub' }
  const certificate = await signAuthorityCertificate(hub, order)
  return rowOf(hub, { ...wish, id, role: 'issuing', parentId: wish.parent.id, certificate })
}

async function makeKey(hub: Making, role: AuthorityRow['role'], keyType: AuthorityKeyType) {
  const suffix = Buffer.from(hub.random.bytes(4)).toString('hex')
  const id = `${role}-${suffix}`
  return { id, suffix, signer: await hub.keys.create(id, keyType) }
}

function rowOf(
  hub: Making,
  row: Pick<AuthorityRow, 'id' | 'role' | 'chain' | 'keyType' | 'parentId' | 'certificate'>,
): AuthorityRow {
  const { id, role, chain, keyType, parentId, certificate } = row
  return {
    id,
    role,
    chain,
    keyType,
    parentId,
    certificate,
    state: 'prepared',
    keyPlace: 'hub',
    createdAtMs: hub.clock.nowMs(),
  }
}
