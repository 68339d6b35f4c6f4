/** Routes of trust anchors. */
import type { AnchorView } from '../../../api-schema/anchors.ts'
import * as operations from '../../../api-schema/operations/anchors.ts'
import { HubError } from '../../../core/errors.ts'
import { noSources } from '../../../core/identification/revocation-sources.ts'
import { nameText } from '../../../core/x509/name.ts'
import { decodePem } from '../../../core/x509/pem.ts'
import { giveCrl } from '../../../hub/anchor-crls.ts'
import { signersOf } from '../../../hub/anchor-signers.ts'
import type { Authorities } from '../../../hub/authorities.ts'
import { addAnchor, distrustAnchor, foundAnchor, proveAnchor, removeAnchor } from '../../../hub/change-anchors.ts'
import { editAnchor } from '../../../hub/edit-anchor.ts'
import type { AnchorCrlKeeper } from '../../../hub/fetch-anchor-crls.ts'
import type { AnchorCrlHead, AnchorFetchRow, AnchorRow } from '../../../hub/ports/anchors.ts'
import type { Store, Transaction } from '../../../hub/ports/store.ts'
import { onlyCertificate } from '../one-certificate.ts'
import { type ApiListener, serve } from '../serve.ts'

export function anchorRoutes(
  api: ApiListener,
  { authorities }: { readonly authorities: Authorities },
  anchorCrls: Pick<AnchorCrlKeeper, 'fetchNow'>,
): void {
  serve(api, operations.listAnchors, async ({ hub, access }) => {
    access.toHub()
    const rows = await hub.store.anchors.all()
    return { body: { items: await Promise.all(rows.map((row) => viewOf(hub.store, row))) } }
  })

  serve(api, operations.showAnchor, async ({ hub, access, params }) => {
    access.toHub()
    return { body: await viewOf(hub.store, await foundAnchor(hub.store, params.anchor)) }
  })

  serve(api, operations.addAnchor, async ({ hub, actor, access, body }) => {
    access.toHub()
    const certificates = certificatesIn(body.certificates)
    const sources = { ...noSources, ...given(body.sources) }
    const row = await addAnchor({ ...hub, authorities }, actor, { ...body, sources, certificates })
    return { body: await viewAfter(hub.store, row) }
  })

  serve(api, operations.editAnchor, async ({ hub, actor, access, params, body }) => {
    access.toHub()
    const { revocation, sources, below } = body
    const changes = given({ revocation, sources: sources === undefined ? undefined : given(sources) })
    const certificates = below === undefined ? {} : { below: certificatesIn(below) }
    const row = await editAnchor(hub, actor, params.anchor, { ...changes, ...certificates })
    return { body: await viewAfter(hub.store, row) }
  })

  serve(api, operations.fetchAnchorCrls, async ({ hub, access, params }) => {
    access.toHub()
    await anchorCrls.fetchNow(params.anchor)
    return { body: await viewOf(hub.store, await foundAnchor(hub.store, params.anchor)) }
  })

  serve(api, operations.proveAnchor, async ({ hub, actor, access, params, body }) => {
    access.toHub()
    const row = await proveAnchor(hub, actor, params.anchor, onlyCertificate(body.certificate))
    return { body: await viewOf(hub.store, row) }
  })

  serve(api, operations.giveAnchorCrl, async ({ hub, actor, access, params, body }) => {
    access.toHub()
    const [crl, ...others] = decodePem(body.crl, 'anchor-crl-unfit').filter(({ label }) => label === 'X509 CRL')
    if (crl === undefined || others.length > 0) throw new HubError('anchor-crl-unfit', 'there is not one CRL in PEM')
    const { row } = await giveCrl(hub, actor, params.anchor, crl.der)
    return { body: await viewAfter(hub.store, row) }
  })

  serve(api, operations.distrustAnchor, async ({ hub, actor, access, params }) => {
    access.toHub()
    return { body: await viewOf(hub.store, await distrustAnchor(hub, actor, params.anchor)) }
  })

  serve(api, operations.removeAnchor, async ({ hub, actor, access, params }) => {
    access.toHub()
    return { body: toView(await removeAnchor(hub, actor, params.anchor), [], []) }
  })
}

function certificatesIn(pem: string): readonly Uint8Array[] {
  const blocks = pem.trim() === '' ? [] : decodePem(pem)
  return blocks.filter(({ label }) => label === 'CERTIFICATE').map(({ der }) => der)
}

/** Without what was left out. */
function given<T extends object>(values: T): { [Key in keyof T]?: Exclude<T[Key], undefined> } {
  const entries = Object.entries(values).filter(([, value]) => value !== undefined)
  return Object.fromEntries(entries) as { [Key in keyof T]?: Exclude<T[Key], undefined> }
}

/** As it is within the transaction of the act, where that is not over yet. */
function viewAfter(store: Pick<Store, 'write'>, row: AnchorRow): Promise<AnchorView> {
  return store.write((tx) => viewOf(tx, row))
}

async function viewOf({ anchors }: Pick<Store | Transaction, 'anchors'>, row: AnchorRow): Promise<AnchorView> {
  return toView(row, await anchors.crlHeads(row.id), await anchors.fetches(row.id))
}

function toView(row: AnchorRow, heads: readonly AnchorCrlHead[], fetches: readonly AnchorFetchRow[]): AnchorView {
  const [anchor, ...below] = signersOf(row).map(({ fingerprint, fields }) => {
    return { fingerprint, subject: nameText(fields.subject), notAfter: iso(fields.notAfterSec * 1000) }
  })
  const { sources } = row
  const crls = heads.map(({ issuer, part, thisUpdateMs, nextUpdateMs }) => {
    return { issuer, part, thisUpdate: iso(thisUpdateMs), nextUpdate: iso(nextUpdateMs) }
  })
  const first = crls.toSorted((one, other) => one.nextUpdate.localeCompare(other.nextUpdate))[0]
  return {
    ...{ id: row.id, state: row.state, fingerprint: row.fingerprint, subject: anchor?.subject ?? '' },
    ...{ revocation: row.revocation, below, crls },
    sources: { ...sources, crlUrls: [...sources.crlUrls], hosts: [...sources.hosts] },
    isProven: row.state === 'trusted' && row.code !== null,
    code: row.state === 'waiting' ? row.code : null,
    notAfter: anchor?.notAfter ?? '',
    crl: first === undefined ? null : { thisUpdate: first.thisUpdate, nextUpdate: first.nextUpdate },
    fetches: fetches.map(({ url, isLearned, triedAtMs, dueAtMs, failure }) => {
      return { url, isLearned, triedAt: triedAtMs === null ? null : iso(triedAtMs), dueAt: iso(dueAtMs), failure }
    }),
    createdAt: iso(row.createdAtMs),
    changedAt: iso(row.changedAtMs),
  }
}

function iso(ms: number): string {
  return new Date(ms).toISOString()
}
