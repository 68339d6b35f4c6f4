/** The certification authorities that this hub runs: one root and the issuing CA below it. */
import { HubError } from '../core/errors.ts'
import type { Realm } from '../core/identity/id.ts'
import { issuingProfile, rootProfile } from '../core/profile/built-in.ts'
import { authorityTemplate, rootTemplate } from '../core/profile/templates.ts'
import { validityFrom } from '../core/profile/validity.ts'
import { type CertificateFields, certificateFingerprint, readCertificate } from '../core/x509/certificate.ts'
import { type CertificateTemplate, signedCertificate, toBeSigned } from '../core/x509/certificate-builder.ts'
import { serialNumberFrom } from '../core/x509/serial-number.ts'
import type { AuthorityRow } from './ports/authorities.ts'
import { type Clock, nowSec } from './ports/clock.ts'
import type { Random } from './ports/random.ts'
import type { KeyStore, Signer } from './ports/signer.ts'
import type { Store } from './ports/store.ts'

/** An authority with its key at hand. */
export interface Authority {
  readonly id: string
  readonly role: 'root' | 'issuing'
  /** Its certificate in DER. */
  readonly certificate: Uint8Array
  readonly fields: CertificateFields
  readonly fingerprint: string
  readonly signer: Signer
}

export interface Authorities {
  readonly root: Authority
  readonly issuing: Authority
}

/**
 * The authorities of this data directory; made when there are none yet. Key files come first and rows after, in one
 * transaction, so that a crash in between leaves at most a key that nothing names.
 *
 * @throws HubError `clock-before-authority`, `key-file-damaged`, `key-passphrase-wrong`
 */
export async function establishAuthorities(hub: {
  readonly store: Store
  readonly keys: KeyStore
  readonly clock: Clock
  readonly random: Random
  readonly realm: Realm
}): Promise<Authorities> {
  const rows = await hub.store.authorities.all()
  if (rows.length === 0) {
    const made = await makeAuthorities(hub)
    const isFirst = await hub.store.write(async (tx) => {
      // Another process of the same registry may have started at this moment; its authorities are the hub's then.
      if ((await tx.authorities.all()).length > 0) return false
      for (const row of made) await tx.authorities.insert(row)
      await tx.audit.append({
        atMs: hub.clock.nowMs(),
        actor: 'hub',
        act: 'authority.create',
        subject: made.map((row) => row.id).join(' '),
        before: null,
        after: made.map((row) => ({ id: row.id, fingerprint: certificateFingerprint(row.certificate) })),
      })
      return true
    })
    return openAuthorities(hub.keys, isFirst ? made : await hub.store.authorities.all())
  }
  const authorities = await openAuthorities(hub.keys, rows)
  const bornSec = authorities.root.fields.notBeforeSec
  if (nowSec(hub.clock) < bornSec) {
    const now = new Date(hub.clock.nowMs()).toISOString()
    throw new HubError(
      'clock-before-authority',
      `the clock says ${now}, but the root was made at ${new Date(bornSec * 1000).toISOString()}`,
    )
  }
  return authorities
}

async function makeAuthorities(hub: {
  readonly keys: KeyStore
  readonly clock: Clock
  readonly random: Random
  readonly realm: Realm
}): Promise<readonly AuthorityRow[]> {
  const suffix = Buffer.from(hub.random.bytes(4)).toString('hex')
  const now = nowSec(hub.clock)
  const createdAtMs = hub.clock.nowMs()

  const rootId = `root-${suffix}`
  const rootSigner = await hub.keys.create(rootId)
  const root = await signCertificate(
    rootTemplate({
      name: `${hub.realm} root ${suffix}`,
      publicKey: rootSigner.publicKey,
      serialNumber: serialNumberFrom(hub.random.bytes(20)),
      validity: validityFrom(rootProfile, now, null),
    }),
    rootSigner,
  )
  const rootFields = readCertificate(root)

  const issuingId = `issuing-${suffix}`
  const issuingSigner = await hub.keys.create(issuingId)
  const issuing = await signCertificate(
    authorityTemplate({
      name: `${hub.realm} issuing ${suffix}`,
      publicKey: issuingSigner.publicKey,
      serialNumber: serialNumberFrom(hub.random.bytes(20)),
      issuer: rootFields,
      validity: validityFrom(issuingProfile, now, rootFields),
    }),
    rootSigner,
  )
  const common = { chain: 'main', keyType: 'P-256', state: 'active', keyPlace: 'hub' } as const
  return [
    { ...common, id: rootId, role: 'root', parentId: null, certificate: root, createdAtMs },
    { ...common, id: issuingId, role: 'issuing', parentId: rootId, certificate: issuing, createdAtMs: createdAtMs + 1 },
  ]
}

async function openAuthorities(keys: KeyStore, rows: readonly AuthorityRow[]): Promise<Authorities> {
  const opened = await Promise.all(
    rows.map(async (row): Promise<Authority> => {
      const { id, role, certificate } = row
      const fields = readCertificate(certificate)
      return {
        id,
        role,
        certificate,
        fields,
        fingerprint: certificateFingerprint(certificate),
        signer: await keys.open(id),
      }
    }),
  )
  const root = opened.find((authority) => authority.role === 'root')
  const issuing = opened.findLast((authority) => authority.role === 'issuing')
  if (root === undefined || issuing === undefined) {
    throw new HubError('database-unusable', 'the registry holds no root or no issuing authority')
  }
  return { root, issuing }
}

/** The certificate of a template, signed. */
export async function signCertificate(template: CertificateTemplate, signer: Signer): Promise<Uint8Array> {
  const tbs = toBeSigned(template)
  return signedCertificate(tbs, await signer.sign(tbs))
}
