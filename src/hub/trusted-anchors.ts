/** The trust anchors as the gate asks for them at every connection, read whole whenever one has changed. */
import type { FailureName } from '../core/failure/catalogue.ts'
import { type RevocationBehaviour, type Revocations, revocationOf } from '../core/identification/anchor.ts'
import { limits } from '../core/limits.ts'
import { type CertificateFields, readCertificate } from '../core/x509/certificate.ts'
import { readForeignCrl } from '../core/x509/foreign-crl.ts'
import { isSameName } from '../core/x509/name.ts'
import { encodePem } from '../core/x509/pem.ts'
import type { AnchorRow } from './ports/anchors.ts'
import { type Clock, nowSec } from './ports/clock.ts'
import type { Store } from './ports/store.ts'

export interface TrustedAnchor {
  readonly id: string
  readonly fields: CertificateFields
  readonly revocation: RevocationBehaviour
  /** Null where no CRL was given. */
  readonly revocations: Revocations | null
  /** Its certificate and those above it. */
  readonly pem: string
}

export interface TrustedAnchors {
  /** Those of these ids that are trusted. */
  among(ids: readonly string[]): readonly TrustedAnchor[]
  /** Whether an authority of that name was trusted and is no more. */
  wasTrusted(issuer: Uint8Array): boolean
  /** Why a certificate of an anchor opens nothing now; null where it does. */
  refusalOf(anchorId: string, serialNumber: string): FailureName | null
  /** Reads again what the registry says. */
  refresh(): Promise<void>
}

export async function openTrustedAnchors({
  store,
  clock,
}: {
  readonly store: Pick<Store, 'anchors'>
  readonly clock: Clock
}): Promise<TrustedAnchors> {
  let trusted: ReadonlyMap<string, TrustedAnchor> = new Map()
  let distrusted: readonly CertificateFields[] = []

  async function load(row: AnchorRow): Promise<TrustedAnchor> {
    const fields = readCertificate(row.certificate)
    const given = await store.anchors.crl(row.id)
    const revocations = given === null ? null : readForeignCrl(given.crl, fields, limits.anchorCrlBytesMax)
    const pem = encodePem('CERTIFICATE', row.certificate) + row.above
    return { id: row.id, fields, revocation: row.revocation, revocations, pem }
  }

  async function refresh(): Promise<void> {
    const rows = await store.anchors.all()
    const loaded = await Promise.all(rows.filter(({ state }) => state === 'trusted').map(load))
    trusted = new Map(loaded.map((anchor) => [anchor.id, anchor]))
    distrusted = rows
      .filter(({ state }) => state === 'distrusted')
      .map(({ certificate }) => readCertificate(certificate))
  }

  await refresh()
  return {
    among: (ids) => ids.flatMap((id) => trusted.get(id) ?? []),
    wasTrusted: (issuer) => distrusted.some(({ subject }) => isSameName(subject.der, issuer)),
    refusalOf(anchorId, serialNumber) {
      const anchor = trusted.get(anchorId)
      if (anchor === undefined) return 'anchor-distrusted'
      switch (revocationOf(anchor.revocation, anchor.revocations, serialNumber, nowSec(clock))) {
        case 'revoked':
          return 'foreign-revoked'
        case 'unknown':
          return 'foreign-revocation-unknown'
        case 'good':
          return null
      }
    },
    refresh,
  }
}
