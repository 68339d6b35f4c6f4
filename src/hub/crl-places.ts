/**
 * Where others learn about a certificate: which CRL and which addresses will stand in it. A shard is of one address for
 * ever, because readers compare it with the one in its CRL (RFC 5280 §6.3.3), and of a bounded number of certificates.
 */
import { limits } from '../core/limits.ts'
import { crlShardUrl } from '../core/x509/crl-shard-url.ts'
import type { StatusPlaces } from './ports/status-places.ts'
import type { Store, Transaction } from './ports/store.ts'

/** Places in one shard that belong to this process. */
interface Block {
  readonly shard: number
  /** Certificates that end later may not take a place. */
  readonly notAfterSec: number
  left: number
}

/** A block is good for certificates that end up to a day later than the one it was taken for: so few blocks are cut short. */
const slackSec = 86_400
/** Another block is taken when so many places are left. */
const lowPlaces = limits.crlPlacesTaken / 4

/**
 * Places come from a block in memory: only the first certificate waits for one, and those that come faster than blocks are
 * written.
 *
 * @param base the address of this hub's listener for status, without a slash at its end
 */
export function statusPlaces(hub: { readonly store: Store }, base: string): StatusPlaces {
  const blocks = new Map<string, Block>()
  /** Blocks that follow those in use, or will. */
  const following = new Map<string, Promise<Block>>()

  /** The block that follows, taken now if nobody has. */
  function next(authorityId: string, notAfterSec: number): Promise<Block> {
    const underWay = following.get(authorityId)
    if (underWay !== undefined) return underWay
    const taken = hub.store.write((tx) => takeBlock(tx, base, authorityId, notAfterSec + slackSec))
    following.set(authorityId, taken)
    // One that could not be taken is tried again by whoever needs it.
    taken.catch(() => following.delete(authorityId))
    return taken
  }

  async function placeIn(authorityId: string, notAfterSec: number): Promise<number> {
    for (;;) {
      const block = blocks.get(authorityId)
      if (block !== undefined && block.left > 0 && notAfterSec <= block.notAfterSec) {
        block.left -= 1
        if (block.left === lowPlaces) next(authorityId, notAfterSec).catch(() => {})
        return block.shard
      }
      // What is left of a block that ends too early is given up: its successor serves certificates of both kinds.
      const taken = await next(authorityId, notAfterSec)
      if (blocks.get(authorityId) !== block) continue
      blocks.set(authorityId, taken)
      following.delete(authorityId)
    }
  }

  return {
    async placeFor(authorityId, notAfterSec) {
      const crlShard = await placeIn(authorityId, notAfterSec)
      return {
        crlShard,
        crlUrl: crlShardUrl(base, authorityId, crlShard),
        ocspUrl: `${base}/ocsp`,
        caIssuersUrl: `${base}/ca/${authorityId}.crt`,
      }
    },
  }
}

async function takeBlock(tx: Transaction, base: string, authorityId: string, notAfterSec: number): Promise<Block> {
  const count = limits.crlPlacesTaken
  const newest = await tx.crls.newestShard(authorityId, base)
  const isOpen = newest !== null && newest.places + count <= limits.crlShardCertificatesMax
  const shard = isOpen ? newest.shard : ((await tx.crls.newestShard(authorityId, null))?.shard ?? -1) + 1
  await tx.crls.saveShard({
    ...{ authorityId, shard, base },
    places: (isOpen ? newest.places : 0) + count,
    notAfterSec: Math.max(isOpen ? newest.notAfterSec : 0, notAfterSec),
  })
  return { shard, notAfterSec, left: count }
}
