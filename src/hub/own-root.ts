/** An issuing authority below a root that the operator keeps elsewhere: its request goes out, its certificate comes in. */
import { HubError, quote } from '../core/errors.ts'
import type { Realm } from '../core/identity/id.ts'
import { cutName } from '../core/profile/templates.ts'
import type { AuthorityKeyType } from '../core/x509/authority-key.ts'
import { authorityRequestToBeSigned, signedRequest } from '../core/x509/authority-request.ts'
import { certificateFingerprint } from '../core/x509/certificate.ts'
import { buildName } from '../core/x509/name.ts'
import type { Authorities } from './authorities.ts'
import type { Authority } from './authority.ts'
import { assertOwnRoot } from './own-root-certificates.ts'
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
  const toBeSigned = authorityRequestToBeSigned(buildName(cutName(`${hub.realm} issuing ${suffix}`)), signer.publicKey)
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
  const kept = await askedFor(hub, hub.store, chain)
  const { id, keyType } = JSON.parse(kept) as Asked
  const { publicKey } = await hub.keys.open(id)
  const rootKeyType = assertOwnRoot({ certificate, root, publicKey, nowSec: nowSec(hub.clock) })
  await hub.store.write(async (tx) => {
    if ((await askedFor(hub, tx, chain)) !== kept) {
      throw new HubError('own-root-refused', 'another request was made for this chain at this moment')
    }
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

/** What was asked for, as it is kept. @throws HubError `chain-exists`, `own-root-missing` */
async function askedFor(
  hub: Pick<OwnRootHub, 'authorities'>,
  registry: Pick<Store | Transaction, 'authorities' | 'settings'>,
  chain: string,
): Promise<string> {
  assertFree([...hub.authorities.all(), ...(await registry.authorities.all())], chain)
  const kept = await registry.settings.find(settingOf(chain))
  if (kept === null) throw new HubError('own-root-missing', `no request was made for the chain ${quote(chain)}`)
  return kept
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
