/** An issuing authority below a root that the operator keeps elsewhere: its request goes out, its certificate comes in. */
import { X509Certificate } from 'node:crypto'
import { HubError, quote } from '../core/errors.ts'
import type { Realm } from '../core/identity/id.ts'
import { type AuthorityKeyType, authorityKeyTypeOf } from '../core/x509/authority-key.ts'
import { authorityRequestToBeSigned, signedRequest } from '../core/x509/authority-request.ts'
import { type CertificateFields, certificateFingerprint, readCertificate } from '../core/x509/certificate.ts'
import { buildName, isSameName } from '../core/x509/name.ts'
import type { Authorities } from './authorities.ts'
import type { Authority } from './authority.ts'
import type { AuthorityRow } from './ports/authorities.ts'
import { type Clock, nowSec } from './ports/clock.ts'
import type { Random } from './ports/random.ts'
import type { KeyStore } from './ports/signer.ts'
import type { Store, Transaction } from './ports/store.ts'

export interface OwnRootHub {
  readonly store: Store
  readonly keys: KeyStore
  readonly clock: Clock
  readonly random: Random
  readonly realm: Realm
  readonly authorities: Authorities
}

/** What was asked for and has no certificate yet. One for each chain: asking again takes the place of what was asked before. */
interface Asked {
  readonly id: string
  readonly keyType: AuthorityKeyType
}

/**
 * Makes a key for an issuing authority of a new chain, and the request to have it certified.
 *
 * @returns the id of the authority to be, and the PKCS#10 in DER
 * @throws HubError `chain-exists`
 */
export async function requestForOwnRoot(
  hub: OwnRootHub,
  actor: string,
  order: { readonly chain: string; readonly keyType: AuthorityKeyType },
): Promise<{ readonly id: string; readonly request: Uint8Array }> {
  assertFree(hub.authorities.all(), order.chain)
  const suffix = Buffer.from(hub.random.bytes(4)).toString('hex')
  const id = `issuing-${suffix}`
  const signer = await hub.keys.create(id, order.keyType)
  const toBeSigned = authorityRequestToBeSigned(
    buildName(`${hub.realm} issuing ${suffix}`.slice(-64)),
    signer.publicKey,
  )
  const request = signedRequest(toBeSigned, signer.publicKey, await signer.sign(toBeSigned))
  const asked: Asked = { id, keyType: order.keyType }
  const before = await hub.store.write(async (tx) => {
    assertFree(await tx.authorities.all(), order.chain)
    const earlier = await tx.settings.find(settingOf(order.chain))
    await tx.settings.set(settingOf(order.chain), JSON.stringify(asked))
    await tx.audit.append({
      atMs: hub.clock.nowMs(),
      actor,
      act: 'authority.request',
      subject: id,
      before: null,
      after: { chain: order.chain, keyType: order.keyType },
    })
    return earlier
  })
  if (before !== null) await hub.keys.remove((JSON.parse(before) as Asked).id)
  return { id, request }
}

/**
 * Takes in the certificate of an authority that was asked for, and the root that has signed it. The chain issues from then on.
 *
 * @param given both in DER
 * @throws HubError `own-root-missing` where nothing was asked for; `own-root-refused`, with what is wrong with the certificates
 */
export async function installOwnRoot(
  hub: OwnRootHub,
  actor: string,
  order: { readonly chain: string; readonly certificate: Uint8Array; readonly root: Uint8Array },
): Promise<readonly Authority[]> {
  const { chain, certificate, root } = order
  await hub.store.write(async (tx) => {
    assertFree(await tx.authorities.all(), chain)
    const kept = await tx.settings.find(settingOf(chain))
    if (kept === null) throw new HubError('own-root-missing', `no request was made for the chain ${quote(chain)}`)
    const { id, keyType } = JSON.parse(kept) as Asked
    const { publicKey } = await hub.keys.open(id)
    const rootKeyType = assertGood({ certificate, root, publicKey, nowSec: nowSec(hub.clock) })
    const nowMs = hub.clock.nowMs()
    const common = { chain, state: 'active' } as const
    const rootId = `root-${certificateFingerprint(root).slice(0, 8)}`
    const rows: readonly AuthorityRow[] = [
      {
        ...{ ...common, id: rootId, role: 'root', keyType: rootKeyType, parentId: null, keyPlace: 'offline' },
        ...{ certificate: root, createdAtMs: nowMs },
      },
      {
        ...{ ...common, id, role: 'issuing', keyType, parentId: rootId, keyPlace: 'hub' },
        ...{ certificate, createdAtMs: nowMs + 1 },
      },
    ]
    for (const row of rows) await insert(tx, row)
    await tx.settings.remove(settingOf(chain))
    await tx.audit.append({
      atMs: nowMs,
      actor,
      act: 'authority.install',
      subject: id,
      before: null,
      after: rows.map((row) => ({ id: row.id, chain, fingerprint: certificateFingerprint(row.certificate) })),
    })
  })
  await hub.authorities.refresh()
  return hub.authorities.all().filter((each) => each.chain === chain)
}

async function insert(tx: Transaction, row: AuthorityRow): Promise<void> {
  if ((await tx.authorities.all()).some(({ id }) => id === row.id)) {
    throw new HubError('own-root-refused', `the hub has the authority ${row.id} already`)
  }
  await tx.authorities.insert(row)
  await tx.events.append({ type: 'authority-changed', authorityId: row.id })
}

function settingOf(chain: string): string {
  return `authority-request.${chain}`
}

function assertFree(rows: readonly { readonly chain: string }[], chain: string): void {
  if (rows.some((each) => each.chain === chain)) throw new HubError('chain-exists', `there is a chain ${quote(chain)}`)
}

/**
 * What devices and brokers will check, and what this hub needs.
 *
 * @returns the kind of key of the root
 * @throws HubError `own-root-refused`
 */
function assertGood(given: {
  readonly certificate: Uint8Array
  readonly root: Uint8Array
  /** The key that the request was for. */
  readonly publicKey: Uint8Array
  readonly nowSec: number
}): AuthorityKeyType {
  const [root, issuing] = [read(given.root, 'root'), read(given.certificate, 'certificate')]
  const keyType = authorityKeyTypeOf(root.publicKey)
  const fault =
    authorityFault('the root', root, given.nowSec) ??
    (isSameName(root.subject.der, root.issuer.der) && verifies(given.root, given.root)
      ? null
      : 'the root has not signed itself; give the certificate at the very top') ??
    (keyType === null ? 'the root has a key of a kind that this hub cannot follow' : null) ??
    (Buffer.compare(issuing.publicKey, given.publicKey) === 0
      ? null
      : 'the certificate is for another key than that of the last request') ??
    authorityFault('the certificate', issuing, given.nowSec) ??
    (isSameName(issuing.issuer.der, root.subject.der) && verifies(given.certificate, given.root)
      ? null
      : 'the root has not signed the certificate') ??
    (issuing.notAfterSec > root.notAfterSec ? 'the certificate ends after its root' : null) ??
    (root.basicConstraints?.pathLength === null || (root.basicConstraints?.pathLength ?? 0) > 0
      ? null
      : 'the root allows no authority below it (path length 0)') ??
    (issuing.keyUsage?.includes('cRLSign') === true ? null : 'the certificate may not sign CRLs (key usage)')
  if (fault !== null || keyType === null) throw new HubError('own-root-refused', fault ?? 'the root has no usable key')
  return keyType
}

function read(der: Uint8Array, what: string): CertificateFields {
  try {
    return readCertificate(der)
  } catch (cause) {
    const reason = cause instanceof Error ? `: ${cause.message}` : ''
    throw new HubError('own-root-refused', `the ${what} cannot be read${reason}`, { cause })
  }
}

function authorityFault(what: string, fields: CertificateFields, atSec: number): string | null {
  if (fields.basicConstraints?.ca !== true) return `${what} is not for an authority (basic constraints)`
  if (fields.keyUsage?.includes('keyCertSign') !== true) return `${what} may not sign certificates (key usage)`
  if (fields.subjectKeyIdentifier === null) return `${what} has no subject key identifier`
  if (atSec < fields.notBeforeSec) return `${what} is good only from ${isoTime(fields.notBeforeSec)}`
  return atSec > fields.notAfterSec ? `${what} has ended at ${isoTime(fields.notAfterSec)}` : null
}

/** With OpenSSL's eyes. */
function verifies(certificate: Uint8Array, issuer: Uint8Array): boolean {
  try {
    const [below, above] = [new X509Certificate(certificate), new X509Certificate(issuer)]
    return below.checkIssued(above) && below.verify(above.publicKey)
  } catch {
    return false
  }
}

function isoTime(sec: number): string {
  return new Date(sec * 1000).toISOString()
}
