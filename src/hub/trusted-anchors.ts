/** The trust anchors as the gate asks for them at every connection, read again whenever one has changed. */
import type { FailureName } from '../core/failure/catalogue.ts'
import {
  type Anchored,
  type AnchorState,
  isIssuedBy,
  type OcspStatus,
  type RevocationBehaviour,
  type Revocations,
  revocationOf,
} from '../core/identification/anchor.ts'
import type { RevocationSources } from '../core/identification/revocation-sources.ts'
import { limits } from '../core/limits.ts'
import { type CertificateFields, readCertificate } from '../core/x509/certificate.ts'
import { readForeignCrl } from '../core/x509/foreign-crl.ts'
import { isSameName } from '../core/x509/name.ts'
import { encodePem } from '../core/x509/pem.ts'
import { type Signer, signersOf } from './anchor-signers.ts'
import type { AnchorCrlHead, AnchorRow } from './ports/anchors.ts'
import { type Clock, nowSec } from './ports/clock.ts'
import type { Log } from './ports/log.ts'
import type { Store } from './ports/store.ts'

export interface TrustedSigner extends Signer {
  readonly crls: readonly Revocations[]
  /** Whether the authority above it has revoked it, where that counts. */
  readonly isRevoked: boolean
}

export interface TrustedAnchor {
  readonly id: string
  readonly fields: CertificateFields
  readonly revocation: RevocationBehaviour
  readonly sources: RevocationSources
  /** By fingerprint: the anchor itself first, then those below it. */
  readonly signers: ReadonlyMap<string, TrustedSigner>
  /** Its certificate, those above it and those below it. */
  readonly pem: string
}

export interface TrustedAnchors {
  /** Those of these ids that are trusted. */
  among(ids: readonly string[]): readonly TrustedAnchor[]
  find(id: string): TrustedAnchor | null
  /** Which of them has signed a certificate, and with which of its authorities. */
  signerOf(
    ids: readonly string[],
    fields: CertificateFields,
  ): { readonly anchor: TrustedAnchor; readonly signer: TrustedSigner } | null
  /** The same among all that are trusted or wait for their proof, whether a listener names them or not. */
  signerAmongAll(
    fields: CertificateFields,
  ): { readonly anchorId: string; readonly state: Exclude<AnchorState, 'distrusted'> } | null
  /** Id of the trusted anchor of which an authority has the name of the certificate's issuer; null where none has. */
  namesakeOf(fields: CertificateFields): string | null
  /** Whether an authority of that name was trusted and is no more. */
  wasTrusted(issuer: Uint8Array): boolean
  /** Why a certificate of an anchor opens nothing now; null where it does. @param ocsp what a responder says of it */
  refusalOf(anchored: Anchored, ocsp: OcspStatus): FailureName | null
  /** Reads again what the registry says; CRLs that are the same are not read anew. */
  refresh(): Promise<void>
}

/** Kept as long as nothing of it has changed. */
interface Loaded {
  readonly mark: string
  readonly anchor: TrustedAnchor
}

export async function openTrustedAnchors({
  store,
  clock,
  log,
}: {
  readonly store: Pick<Store, 'anchors'>
  readonly clock: Clock
  readonly log: Log
}): Promise<TrustedAnchors> {
  let trusted: ReadonlyMap<string, Loaded> = new Map()
  let distrusted: readonly CertificateFields[] = []
  let waiting: readonly { readonly id: string; readonly fields: CertificateFields }[] = []
  let reading: Promise<void> = Promise.resolve()

  async function load(row: AnchorRow, heads: readonly AnchorCrlHead[]): Promise<Loaded> {
    const mark = JSON.stringify([
      row.changedAtMs,
      row.fingerprint,
      row.revocation,
      row.sources,
      row.below.length,
      heads,
    ])
    const before = trusted.get(row.id)
    if (before?.mark === mark) return before
    const known = signersOf(row)
    const crls = new Map<string, Revocations[]>()
    for (const head of heads) {
      const read = await readCrl(head, known)
      if (read !== null) crls.set(head.issuer, [...(crls.get(head.issuer) ?? []), read])
    }
    const { id, revocation, sources } = row
    const pem = encodePem('CERTIFICATE', row.certificate) + row.above + row.below
    const fields = readCertificate(row.certificate)
    return { mark, anchor: { id, fields, revocation, sources, signers: judged(known, crls, revocation), pem } }
  }

  /** One that does not fit any more, such as that of an authority that is no longer below, counts for nothing. */
  async function readCrl(head: AnchorCrlHead, signers: readonly Signer[]): Promise<Revocations | null> {
    const signer = signers.find(({ fingerprint }) => fingerprint === head.issuer)
    const row = signer === undefined ? null : await store.anchors.crl(head)
    if (signer === undefined || row === null) return null
    try {
      return readForeignCrl(row.crl, [signer.fields], limits.anchorCrlBytesMax)
    } catch (error) {
      log.error('a CRL of a trust anchor cannot be read', { anchor: head.anchorId, issuer: head.issuer, error })
      return null
    }
  }

  async function read(): Promise<void> {
    const [rows, heads] = [await store.anchors.all(), await store.anchors.crlHeads(null)]
    const loaded = new Map<string, Loaded>()
    for (const row of rows.filter(({ state }) => state === 'trusted')) {
      const own = heads.filter(({ anchorId }) => anchorId === row.id)
      loaded.set(row.id, await load(row, own))
    }
    trusted = loaded
    const signersIn = (wanted: AnchorState) =>
      rows
        .filter(({ state }) => state === wanted)
        .flatMap((row) => signersOf(row).map(({ fields }) => ({ id: row.id, fields })))
    distrusted = signersIn('distrusted').map(({ fields }) => fields)
    waiting = signersIn('waiting')
  }

  const among = (ids: readonly string[]) => ids.flatMap((id) => trusted.get(id)?.anchor ?? [])
  const signerOf: TrustedAnchors['signerOf'] = (ids, fields) => {
    for (const anchor of among(ids)) {
      for (const signer of anchor.signers.values()) if (isIssuedBy(fields, signer.fields)) return { anchor, signer }
    }
    return null
  }
  await read()
  return {
    among,
    find: (id) => trusted.get(id)?.anchor ?? null,
    signerOf,
    signerAmongAll(fields) {
      const signed = signerOf([...trusted.keys()], fields)
      if (signed !== null) return { anchorId: signed.anchor.id, state: 'trusted' }
      const unproved = waiting.find((each) => isIssuedBy(fields, each.fields))
      return unproved === undefined ? null : { anchorId: unproved.id, state: 'waiting' }
    },
    namesakeOf({ issuer }) {
      const isNamesake = ({ fields: { subject } }: Signer) => isSameName(subject.der, issuer.der)
      return among([...trusted.keys()]).find(({ signers }) => [...signers.values()].some(isNamesake))?.id ?? null
    },
    wasTrusted: (issuer) => distrusted.some(({ subject }) => isSameName(subject.der, issuer)),
    refusalOf(anchored, ocsp) {
      const anchor = trusted.get(anchored.anchorId)?.anchor
      const signer = anchor?.signers.get(anchored.issuer)
      if (anchor === undefined || signer === undefined) return 'anchor-distrusted'
      if (signer.isRevoked) return 'foreign-signer-revoked'
      switch (revocationOf(anchor.revocation, signer.crls, anchored, ocsp, nowSec(clock))) {
        case 'revoked':
          return 'foreign-revoked'
        case 'ended':
          return 'foreign-crl-ended'
        case 'unknown':
          return 'foreign-revocation-unknown'
        case 'good':
          return null
      }
    },
    refresh() {
      // Those who ask while it is read may have to hear of what has changed since.
      reading = reading.then(read, read)
      return reading
    },
  }
}

/** An operator has named those below: only a CRL that says that one is revoked takes it away, and with it those below that. */
function judged(
  signers: readonly Signer[],
  crls: ReadonlyMap<string, readonly Revocations[]>,
  behaviour: RevocationBehaviour,
): ReadonlyMap<string, TrustedSigner> {
  const known = new Map<string, TrustedSigner>()
  for (const signer of inOrder(signers)) {
    const { fingerprint, fields } = signer
    const above = known.size === 0 ? null : [...known.values()].find((each) => isIssuedBy(fields, each.fields))
    const { serialNumber, crlDistributionPoints: points } = fields
    const isNamed =
      above != null && revocationOf(behaviour, above.crls, { serialNumber, points }, 'good', 0) === 'revoked'
    known.set(fingerprint, {
      ...signer,
      crls: crls.get(fingerprint) ?? [],
      isRevoked: above?.isRevoked === true || isNamed,
    })
  }
  return known
}

/** Each behind the one that signed it. */
function inOrder([anchor, ...below]: readonly Signer[]): readonly Signer[] {
  const ordered = anchor === undefined ? [] : [anchor]
  for (let before = -1; before < ordered.length; ) {
    before = ordered.length
    for (const each of below) {
      if (!ordered.includes(each) && ordered.some(({ fields }) => isIssuedBy(each.fields, fields))) ordered.push(each)
    }
  }
  return ordered
}
