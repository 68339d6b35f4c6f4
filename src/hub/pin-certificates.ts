/**
 * Certificates that are accepted by their thumbprint, as devices have them that make their own. Whoever shows one holds its
 * key, which TLS has proved; who it speaks for is what an operator has written down. Each identity has two places, so that one is
 * exchanged while the other works.
 */
import { HubError, quote } from '../core/errors.ts'
import { isIssuedBy } from '../core/identification/anchor.ts'
import { pinFault } from '../core/identification/foreign-certificate.ts'
import type { IdentityId } from '../core/identity/id.ts'
import { identityRefusal } from '../core/identity/identity.ts'
import type { PinSlot } from '../core/identity/proof.ts'
import { type CertificateFields, certificateFingerprint, readCertificate } from '../core/x509/certificate.ts'
import { publicKeyHash } from '../core/x509/public-key.ts'
import { signersOf } from './anchor-signers.ts'
import { type Clock, nowSec } from './ports/clock.ts'
import type { PinRow } from './ports/pins.ts'
import type { Store, Transaction } from './ports/store.ts'
import { findDevice } from './register-device.ts'
import { assertKeyNotCompromised } from './renewal-request.ts'

interface Hub {
  readonly store: Store
  readonly clock: Clock
}

export interface PinOrder {
  readonly certificate: Uint8Array
  readonly slot: PinSlot
  readonly datesCount: boolean
  /** Whether what is in the slot may go. */
  readonly replace: boolean
}

/**
 * Writes a certificate down for a device.
 *
 * @throws HubError `identity-not-found`, `pin-refused` for a certificate that cannot be one, `pin-exists` where it is known
 *   already or the slot is taken, `renewal-key-compromised` for a key that an operator has called so
 */
export async function pinCertificate(hub: Hub, actor: string, id: IdentityId, order: PinOrder): Promise<PinRow> {
  const fields = readCertificate(order.certificate)
  const fault = pinFault(fields)
  if (fault !== null) throw new HubError('pin-refused', `the certificate ${fault}`)
  if (order.datesCount && nowSec(hub.clock) > fields.notAfterSec) {
    const ended = new Date(fields.notAfterSec * 1000).toISOString()
    throw new HubError('pin-refused', `the certificate ended at ${ended}`, {
      hint: 'make another one on the device, or say that its dates do not count: `--ignore-dates`',
    })
  }
  const fingerprint = certificateFingerprint(order.certificate)
  return hub.store.write(async (tx) => {
    const identity = await findDevice(tx, id)
    const refusal = identityRefusal(identity.state)
    if (refusal === 'identity-retired') throw new HubError(refusal, `${quote(id)} is retired`)
    await assertUnknown(tx, fingerprint)
    await assertNotAnchored(tx, fields)
    await assertKeyNotCompromised(tx.credentials, id, publicKeyHash(fields.publicKey))
    const present = (await tx.pins.ofIdentity(id)).find(({ slot }) => slot === order.slot)
    if (present !== undefined && !order.replace) {
      throw new HubError(
        'pin-exists',
        `the ${order.slot} slot of ${quote(id)} holds ${present.fingerprint.slice(0, 16)}…`,
        {
          hint: `take the other one, and remove this one when the device has changed: \`--slot ${order.slot === 'primary' ? 'secondary' : 'primary'}\`; or let it go at once: --replace`,
        },
      )
    }
    if (present !== undefined) await unpin(tx, present)
    const row: PinRow = {
      ...{ identityId: id, slot: order.slot, fingerprint, datesCount: order.datesCount },
      ...{ createdAtMs: hub.clock.nowMs(), usedAtMs: null, certificate: order.certificate },
    }
    await tx.pins.insert(row)
    await tx.events.append({ type: 'pin-added', identityId: id, fingerprint })
    await audit(tx, hub.clock.nowMs(), { actor, act: 'pin.add', id, before: present ?? null, after: row })
    return row
  })
}

async function assertUnknown(tx: Transaction, fingerprint: string): Promise<void> {
  const pinned = await tx.pins.find(fingerprint)
  if (pinned !== null) {
    throw new HubError(
      'pin-exists',
      `the certificate is pinned for ${quote(pinned.identityId)} already (${pinned.slot})`,
      {
        hint: 'one certificate speaks for one identity: make another one for this device',
      },
    )
  }
  if ((await tx.credentials.find(fingerprint)) === null) return
  throw new HubError('pin-exists', 'the certificate was issued by this hub, and needs no pin')
}

/** Its authority says whom it speaks for: a pin would take the device from those to whom the rules give it. */
async function assertNotAnchored(tx: Transaction, fields: CertificateFields): Promise<void> {
  const signer = (await tx.anchors.all()).find((row) =>
    signersOf(row).some((authority) => isIssuedBy(fields, authority.fields)),
  )
  if (signer === undefined) return
  throw new HubError('pin-refused', `the certificate is one of the trust anchor ${quote(signer.id)}`, {
    hint: 'say in the policy whom its certificates speak for: `identify` in docs/policy.md',
  })
}

/** @returns what it was @throws HubError `identity-not-found`, `pin-not-found` */
export async function unpinCertificate(hub: Hub, actor: string, id: IdentityId, slot: PinSlot): Promise<PinRow> {
  return hub.store.write(async (tx) => {
    await findDevice(tx, id)
    const row = (await tx.pins.ofIdentity(id)).find((each) => each.slot === slot)
    if (row === undefined) throw new HubError('pin-not-found', `${quote(id)} has no ${slot} certificate`)
    await unpin(tx, row)
    await audit(tx, hub.clock.nowMs(), { actor, act: 'pin.remove', id, before: row, after: null })
    return row
  })
}

/** Takes all pinned certificates of an identity off the list. @returns how many there were */
export async function unpinAllOf(
  tx: Transaction,
  { actor, atMs }: { readonly actor: string; readonly atMs: number },
  id: IdentityId,
): Promise<number> {
  const rows = await tx.pins.ofIdentity(id)
  for (const row of rows) {
    await unpin(tx, row)
    await audit(tx, atMs, { actor, act: 'pin.remove', id, before: row, after: null })
  }
  return rows.length
}

async function unpin(tx: Transaction, { identityId, fingerprint }: PinRow): Promise<void> {
  await tx.pins.remove(fingerprint)
  await tx.events.append({ type: 'pin-removed', identityId, fingerprint })
}

async function audit(
  tx: Transaction,
  atMs: number,
  entry: {
    readonly actor: string
    readonly act: string
    readonly id: IdentityId
    readonly before: PinRow | null
    readonly after: PinRow | null
  },
): Promise<void> {
  const told = (row: PinRow | null) =>
    row === null ? null : { slot: row.slot, fingerprint: row.fingerprint, datesCount: row.datesCount }
  const { actor, act, id, before, after } = entry
  await tx.audit.append({ atMs, actor, act, subject: id, before: told(before), after: told(after) })
}
