/**
 * Fetches the CRLs of trust anchors where an operator has said from where, or that its certificates may say so: at once when an
 * address is new, and again long before the next CRL is due. They are kept and judged as those that are handed in.
 */
import { HubError } from '../core/errors.ts'
import { isIssuedBy } from '../core/identification/anchor.ts'
import { namedHosts, sourceFault } from '../core/identification/revocation-sources.ts'
import { limits } from '../core/limits.ts'
import { readCertificate } from '../core/x509/certificate.ts'
import { decodePem } from '../core/x509/pem.ts'
import { giveCrl } from './anchor-crls.ts'
import { signersOf } from './anchor-signers.ts'
import { foundAnchor } from './change-anchors.ts'
import { doByOne } from './leased-work.ts'
import type { AnchorFetchRow, AnchorRow } from './ports/anchors.ts'
import type { Clock } from './ports/clock.ts'
import type { Log } from './ports/log.ts'
import type { StatusFetcher } from './ports/status-fetcher.ts'
import type { Store } from './ports/store.ts'

interface Hub {
  readonly store: Pick<Store, 'write' | 'anchors'>
  readonly clock: Clock
  readonly log: Log
  readonly fetcher: StatusFetcher
  /** Ends what is under way; nothing of it is written down then. */
  readonly signal?: AbortSignal
}

export interface AnchorCrlKeeper {
  /** Fetches what is due. Never rejected. */
  round(): Promise<boolean>
  /**
   * A certificate of a trust anchor names CRLs that are not there: fetches them, where that is allowed and it is right. Never rejected.
   *
   * @param certificate DER; it is looked at once more, since another process may have asked
   */
  want(anchorId: string, certificate: Uint8Array): Promise<void>
  /**
   * Fetches all CRLs of a trust anchor, due or not; its rows say what became of each.
   *
   * @throws HubError `anchor-not-found`, `anchor-sources-invalid` where there is no address to fetch from
   */
  fetchNow(id: string): Promise<void>
  /** Gives up what is under way: a server that sends slowly holds no hub up that stops. */
  stop(): Promise<void>
}

/** Addresses that are fetched from at one time. */
const atOnceMax = 4
const retryFirstMs = 60_000
const retryLastMs = 3_600_000
const againFirstMs = 60_000
const againLastMs = 6 * 3_600_000

/** @param holder who this process is among those that share the registry */
export function keepAnchorCrls(
  parts: Omit<Hub, 'signal'> & { readonly store: Store },
  holder: string,
): AnchorCrlKeeper {
  const ending = new AbortController()
  const hub = { ...parts, signal: ending.signal }
  const work = doByOne(hub, { name: 'anchor CRLs', holder }, limits.crlFetchLookMs, async () => {
    const nowMs = hub.clock.nowMs()
    const due = (await hub.store.anchors.fetches(null)).filter(({ dueAtMs }) => dueAtMs <= nowMs)
    await fetchAll(hub, due)
  })
  const wanted = new Map<string, Promise<void>>()

  return {
    round: () => work.round(),
    want(anchorId, certificate) {
      const key = `${anchorId} ${Buffer.from(certificate).toString('base64')}`
      const running = wanted.get(key)
      if (running !== undefined) return running
      if (wanted.size >= limits.ocspQuestionsMax) return Promise.resolve()
      const learned = learn(hub, anchorId, certificate)
        .catch((error: unknown) =>
          hub.log.warn('a CRL that a certificate names was not fetched', { anchor: anchorId, error }),
        )
        .finally(() => wanted.delete(key))
      wanted.set(key, learned)
      return learned
    },
    fetchNow: (id) => fetchCrlsNow(hub, id),
    async stop() {
      ending.abort()
      await Promise.all(wanted.values())
      await work.stop()
    },
  }
}

/** As {@link AnchorCrlKeeper.fetchNow}. */
export async function fetchCrlsNow(hub: Hub, id: string): Promise<void> {
  await foundAnchor(hub.store, id)
  const rows = await hub.store.anchors.fetches(id)
  if (rows.length === 0) {
    throw new HubError('anchor-sources-invalid', 'there is no address to fetch a CRL from', {
      hint: `name one: \`handfast anchor edit ${id} --crl-url <url>\``,
    })
  }
  await fetchAll(hub, rows)
}

async function fetchAll(hub: Hub, rows: readonly AnchorFetchRow[]): Promise<void> {
  const waiting = [...rows]
  const take = async (): Promise<void> => {
    for (let row = waiting.shift(); row !== undefined; row = waiting.shift()) {
      if (hub.signal?.aborted === true) return
      await fetchOne(hub, row)
    }
  }
  await Promise.all(Array.from({ length: atOnceMax }, take))
}

async function fetchOne(hub: Hub, row: AnchorFetchRow): Promise<void> {
  const { store, clock, log } = hub
  const anchor = await store.anchors.find(row.anchorId)
  if (anchor === null || anchor.state === 'distrusted') return
  const outcome = await outcomeOf(hub, anchor, row)
  if (hub.signal?.aborted === true) return
  const nowMs = clock.nowMs()
  const isFailure = outcome instanceof Error
  const failures = isFailure ? row.failures + 1 : 0
  const dueAtMs = isFailure ? nowMs + backoffMs(failures) : nowMs + againAfterMs(outcome, nowMs)
  if (isFailure) {
    log.warn('the CRL of a trust anchor was not fetched', { anchor: row.anchorId, url: row.url, error: outcome })
  }
  const failure = isFailure ? outcome.message : null
  await store.write(async (tx) => {
    // An operator may have taken the address away meanwhile.
    const known = await tx.anchors.fetches(row.anchorId)
    if (!known.some(({ url }) => url === row.url)) return
    await tx.anchors.saveFetch({ ...row, dueAtMs, triedAtMs: nowMs, failures, failure })
  })
}

/** When the next CRL is due, or why there is none. */
async function outcomeOf(hub: Hub, anchor: AnchorRow, { url }: AnchorFetchRow): Promise<number | HubError> {
  try {
    const bytes = await hub.fetcher.fetch({
      ...{ url, question: null, bytesMax: limits.anchorCrlBytesMax, timeMs: limits.crlFetchMs },
      hosts: namedHosts(anchor.sources),
      ...(hub.signal === undefined ? {} : { signal: hub.signal }),
    })
    const { crl } = await giveCrl(hub, 'hub', anchor.id, derOf(bytes))
    return crl.nextUpdateMs
  } catch (error) {
    if (error instanceof HubError) return error
    throw error
  }
}

/** Some serve PEM, whatever the standard says (RFC 5280 §4.2.1.13). */
function derOf(bytes: Uint8Array): Uint8Array {
  if (bytes[0] === 0x30) return bytes
  const text = Buffer.from(bytes).toString('latin1')
  const block = decodePem(text, 'anchor-crl-unfit').find(({ label }) => label === 'X509 CRL')
  if (block !== undefined) return block.der
  throw new HubError('anchor-crl-unfit', 'what was fetched is no CRL')
}

function backoffMs(failures: number): number {
  return Math.min(retryLastMs, retryFirstMs * 2 ** Math.min(failures - 1, 10))
}

/** Half of the time that is left: whoever is late twice is still in time. */
function againAfterMs(nextUpdateMs: number, nowMs: number): number {
  return Math.max(againFirstMs, Math.min(againLastMs, (nextUpdateMs - nowMs) / 2))
}

async function learn(hub: Hub, anchorId: string, certificate: Uint8Array): Promise<void> {
  const fields = readCertificate(certificate)
  const anchor = await hub.store.anchors.find(anchorId)
  if (anchor?.state !== 'trusted' || !anchor.sources.isByCertificates) return
  if (!signersOf(anchor).some((signer) => isIssuedBy(fields, signer.fields))) return
  const urls = fields.crlDistributionPoints.filter((url) => sourceFault(url) === null)
  const nowMs = hub.clock.nowMs()
  const rows: AnchorFetchRow[] = []
  // One address of a point is enough: the others lead to the same CRL.
  for (const url of urls.slice(0, 1)) {
    const known = (await hub.store.anchors.fetches(anchorId)).find((row) => row.url === url)
    if (known !== undefined && known.dueAtMs > nowMs) return
    const row = known ?? { ...{ anchorId, url, isLearned: true, dueAtMs: nowMs }, ...untried }
    if (known === undefined && !(await noted(hub, row))) return
    rows.push(row)
  }
  await fetchAll(hub, rows)
}

const untried = { triedAtMs: null, failures: 0, failure: null }

/** Where there are too many, one that only ever failed gives way. */
async function noted({ store, log }: Hub, row: AnchorFetchRow): Promise<boolean> {
  return store.write(async (tx) => {
    const learned = (await tx.anchors.fetches(row.anchorId)).filter(({ isLearned }) => isLearned)
    const failing = learned.find(({ failures }) => failures > 2)
    if (learned.length >= limits.anchorCrlUrlsLearnedMax) {
      if (failing === undefined) {
        log.warn('certificates of a trust anchor name too many CRLs', { anchor: row.anchorId, url: row.url })
        return false
      }
      await tx.anchors.removeFetch(failing)
    }
    await tx.anchors.saveFetch(row)
    return true
  })
}
