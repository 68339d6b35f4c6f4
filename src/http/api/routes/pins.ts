/** Routes of pinned certificates. */

import * as operations from '../../../api-schema/operations/pins.ts'
import type { PinView } from '../../../api-schema/pins.ts'
import { parseIdentityId } from '../../../core/identity/id.ts'
import { readCertificate } from '../../../core/x509/certificate.ts'
import { certificateSummary } from '../../../core/x509/certificate-summary.ts'
import { pinCertificate, unpinCertificate } from '../../../hub/pin-certificates.ts'
import type { PinRow } from '../../../hub/ports/pins.ts'
import { findDevice } from '../../../hub/register-device.ts'
import { onlyCertificate } from '../one-certificate.ts'
import { type ApiListener, serve } from '../serve.ts'

export function pinRoutes(api: ApiListener): void {
  serve(api, operations.listPins, async ({ hub, params }) => {
    const { id } = await findDevice(hub.store, parseIdentityId(params.id))
    return { body: { items: (await hub.store.pins.ofIdentity(id)).map(pinToView) } }
  })

  serve(api, operations.addPin, async ({ hub, actor, access, params, body }) => {
    access.toHub()
    const certificate = onlyCertificate(body.certificate)
    return { body: pinToView(await pinCertificate(hub, actor, parseIdentityId(params.id), { ...body, certificate })) }
  })

  serve(api, operations.removePin, async ({ hub, actor, access, params }) => {
    access.toHub()
    return { body: pinToView(await unpinCertificate(hub, actor, parseIdentityId(params.id), params.slot)) }
  })
}

function pinToView(row: PinRow): PinView {
  const { subject, notBeforeSec, notAfterSec } = certificateSummary(row.certificate, readCertificate(row.certificate))
  const iso = (ms: number): string => new Date(ms).toISOString()
  return {
    ...{ deviceId: row.identityId, slot: row.slot, fingerprint: row.fingerprint, subject },
    ...{ notBefore: iso(notBeforeSec * 1000), notAfter: iso(notAfterSec * 1000), datesCount: row.datesCount },
    createdAt: iso(row.createdAtMs),
    usedAt: row.usedAtMs === null ? null : iso(row.usedAtMs),
  }
}
