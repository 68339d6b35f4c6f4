/** The making of authorities: keys and certificates. Nothing is stored but the keys. */
import type { Realm } from '../core/identity/id.ts'
import { issuingProfile, rootProfile } from '../core/profile/built-in.ts'
import { authorityTemplate, crossTemplate, rootTemplate } from '../core/profile/templates.ts'
import { validityFrom } from '../core/profile/validity.ts'
import type { AuthorityKeyType } from '../core/x509/authority-key.ts'
import { certificateFingerprint } from '../core/x509/certificate.ts'
import { serialNumberFrom } from '../core/x509/serial-number.ts'
import { Authority } from './authority.ts'
import type { AuthorityRow, CrossCertificate } from './ports/authorities.ts'
import { type Clock, nowSec } from './ports/clock.ts'
import type { Random } from './ports/random.ts'
import type { KeyStore } from './ports/signer.ts'
import type { Store } from './ports/store.ts'
import { signAuthorityCertificate } from './sign-authority-certificate.ts'

export interface Making {
  readonly store: Store
  readonly keys: KeyStore
  readonly clock: Clock
  readonly random: Random
  readonly realm: Realm
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
  const madeAtSec = nowSec(hub.clock)
  const template = rootTemplate({
    name: `${hub.realm} root ${suffix}`,
    publicKey: signer.publicKey,
    serialNumber: serialNumberFrom(hub.random.bytes(20)),
    validity: validityFrom(rootProfile, madeAtSec, null),
  })
  const named = wish.name === null ? template : { ...template, issuer: wish.name, subject: wish.name }
  const { publicKey } = signer
  const order = { id, profile: rootProfile, publicKey, template: named, issuer: signer, actor: 'hub', madeAtSec }
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
  const madeAtSec = nowSec(hub.clock)
  const template = authorityTemplate({
    name: `${hub.realm} issuing ${suffix}`,
    publicKey,
    serialNumber: serialNumberFrom(hub.random.bytes(20)),
    issuer: fields,
    validity: validityFrom(issuingProfile, madeAtSec, fields),
  })
  const order = { id, profile: issuingProfile, publicKey, template, issuer: wish.parent, actor: 'hub', madeAtSec }
  const certificate = await signAuthorityCertificate(hub, order)
  return rowOf(hub, { ...wish, id, role: 'issuing', parentId: wish.parent.id, certificate })
}

/**
 * A certificate for the key of one root that another one signs. Both have one name, so it counts for no step in the length of
 * a path (RFC 5280 §4.2.1.9): the first roots of a hub allow one authority below them.
 *
 * @throws HubError `authority-key-offline`
 */
export async function makeCross(
  hub: Making,
  subject: Pick<Authority, 'id' | 'fields'>,
  issuer: Authority,
): Promise<CrossCertificate> {
  const madeAtSec = nowSec(hub.clock)
  const template = crossTemplate({
    name: subject.fields.subject.der,
    publicKey: subject.fields.publicKey,
    serialNumber: serialNumberFrom(hub.random.bytes(20)),
    issuer: issuer.fields,
    validity: validityFrom(rootProfile, madeAtSec, within(subject.fields, issuer.fields)),
  })
  const { publicKey } = subject.fields
  const order = { id: subject.id, profile: rootProfile, publicKey, template, issuer, actor: 'hub', madeAtSec }
  const certificate = await signAuthorityCertificate(hub, order)
  const fingerprint = certificateFingerprint(certificate)
  const createdAtMs = hub.clock.nowMs()
  return { fingerprint, subjectId: subject.id, issuerId: issuer.id, certificate, createdAtMs }
}

/** When both are good. */
function within(a: Authority['fields'], b: Authority['fields']) {
  return {
    notBeforeSec: Math.max(a.notBeforeSec, b.notBeforeSec),
    notAfterSec: Math.min(a.notAfterSec, b.notAfterSec),
  }
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
