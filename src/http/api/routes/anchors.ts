/** Routes of trust anchors. */
import type { AnchorView } from '../../../api-schema/anchors.ts'
import * as operations from '../../../api-schema/operations/anchors.ts'
import { HubError } from '../../../core/errors.ts'
import { readCertificate } from '../../../core/x509/certificate.ts'
import { decodePem } from '../../../core/x509/pem.ts'
import type { Authorities } from '../../../hub/authorities.ts'
import { certificateSummary } from '../../../hub/certificate-summary.ts'
import {
  addAnchor,
  distrustAnchor,
  foundAnchor,
  giveCrl,
  proveAnchor,
  removeAnchor,
} from '../../../hub/change-anchors.ts'
import type { AnchorCrlRow, AnchorRow } from '../../../hub/ports/anchors.ts'
import type { Store } from '../../../hub/ports/store.ts'
import { onlyCertificate } from '../one-certificate.ts'
import { type ApiListener, serve } from '../serve.ts'

export function anchorRoutes(api: ApiListener, { authorities }: { readonly authorities: Authorities }): void {
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
    const certificates = decodePem(body.certificates)
      .filter(({ label }) => label === 'CERTIFICATE')
      .map(({ der }) => der)
    return { body: toView(await addAnchor({ ...hub, authorities }, actor, { ...body, certificates }), null) }
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
    const { row, crl: given } = await giveCrl(hub, actor, params.anchor, crl.der)
    return { body: toView(row, given) }
  })

  serve(api, operations.distrustAnchor, async ({ hub, actor, access, params }) => {
    access.toHub()
    return { body: await viewOf(hub.store, await distrustAnchor(hub, actor, params.anchor)) }
  })

  serve(api, operations.removeAnchor, async ({ hub, actor, access, params }) => {
    access.toHub()
    return { body: toView(await removeAnchor(hub, actor, params.anchor), null) }
  })
}

async function viewOf(store: Pick<Store, 'anchors'>, row: AnchorRow): Promise<AnchorView> {
  return toView(row, await store.anchors.crl(row.id))
}

function toView(row: AnchorRow, crl: AnchorCrlRow | null): AnchorView {
  const { subject, notAfterSec } = certificateSummary(row.certificate, readCertificate(row.certificate))
  return {
    ...{ id: row.id, state: row.state, fingerprint: row.fingerprint, subject, revocation: row.revocation },
    isProven: row.state === 'trusted' && row.code !== null,
    code: row.state === 'waiting' ? row.code : null,
    notAfter: iso(notAfterSec * 1000),
    crl: crl === null ? null : { thisUpdate: iso(crl.thisUpdateMs), nextUpdate: iso(crl.nextUpdateMs) },
    createdAt: iso(row.createdAtMs),
    changedAt: iso(row.changedAtMs),
  }
}

function iso(ms: number): string {
  return new Date(ms).toISOString()
}
