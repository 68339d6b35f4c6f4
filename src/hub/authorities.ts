/**
 * The certification authorities that this hub runs, as they are now. There may be several chains, each with a root and the
 * issuing authority that signs now, and earlier ones beside it; they change while the hub runs, also through another process.
 */
import { HubError, quote } from '../core/errors.ts'
import { encodePem } from '../core/x509/pem.ts'
import { Authority } from './authority.ts'
import { certificatePath } from './certificate-path.ts'
import type { AuthorityRow, CrossCertificate, RollOverRow } from './ports/authorities.ts'
import type { KeyStore } from './ports/signer.ts'
import type { Store } from './ports/store.ts'
import { hasPublished } from './roll-over/states.ts'

/** The chain that a hub begins with, and that is meant where none is named. */
export const mainChain = 'main'

export interface Authorities {
  /** Every one there has been, in order of creation. */
  all(): readonly Authority[]
  byId(id: string): Authority | null
  /** Who signs the certificates of a chain now. @throws HubError `not-found` */
  issuing(chain?: string): Authority
  /** The root above it. @throws HubError `not-found` */
  root(chain?: string): Authority
  /** The root that this hub began with. It names the hub in journals and backups, also when it is retired. */
  firstRoot(): Authority
  /** Who signs CRLs and OCSP answers now: its key is here, and it has issued or may. */
  signing(): readonly Authority[]
  /** Roots to trust now: of each chain the one in use, then one that is on its way in or out. */
  roots(): readonly Authority[]
  /** The same in PEM. */
  rootsPem(): string
  /** All that a verifier may need, in DER: roots first, then what stands below them. */
  caCertificates(): readonly Uint8Array[]
  /** What is sent behind a certificate of this authority, in DER: up to a root, which is left out. */
  pathFrom(authority: Authority): readonly Uint8Array[]
  /** Reads them anew, after an `authority-changed`. */
  refresh(): Promise<void>
  /** Calls back after each refresh that found a change. Returns the way to stop. */
  onChange(listener: () => void): () => void
}

/** Everything about authorities that the registry holds at one moment. */
interface Known {
  readonly all: readonly Authority[]
  readonly crosses: readonly CrossCertificate[]
  readonly rollOvers: readonly RollOverRow[]
}

/**
 * Opens the authorities of a registry with their keys.
 *
 * @param keys null in a process that signs nothing and has none of them
 * @throws HubError `key-file-damaged`; `database-unusable` where there are none
 */
export async function openAuthorities(store: Store, keys: KeyStore | null): Promise<Authorities> {
  let known = await read(store, keys, [])
  const listeners = new Set<() => void>()
  let reading: Promise<void> = Promise.resolve()
  if (known.all.every(({ role }) => role !== 'root') || known.all.every(({ role }) => role !== 'issuing')) {
    throw new HubError('database-unusable', 'the registry holds no root or no issuing authority')
  }

  async function refresh(): Promise<void> {
    const now = await read(store, keys, known.all)
    const isSame = fingerprintOf(now) === fingerprintOf(known)
    known = now
    if (!isSame) for (const listener of listeners) listener()
  }

  return {
    ...viewOf(() => known),
    refresh() {
      // One after the other, so that an older answer never replaces a newer one.
      reading = reading.catch(() => {}).then(refresh)
      return reading
    },
    onChange(listener) {
      const registered = (): void => listener()
      listeners.add(registered)
      return () => listeners.delete(registered)
    },
  }
}

function viewOf(now: () => Known): Omit<Authorities, 'refresh' | 'onChange'> {
  const byId = (id: string): Authority | null => now().all.find((each) => each.id === id) ?? null
  const active = (role: Authority['role'], chain: string): Authority => {
    const found = now().all.findLast((each) => each.role === role && each.chain === chain && each.state === 'active')
    if (found !== undefined) return found
    const words = role === 'root' ? 'root' : 'issuing authority'
    throw new HubError('not-found', `the chain ${quote(chain)} has no ${words} in use`, {
      hint: 'see the chains with `handfast ca list`',
    })
  }
  const roots = (): readonly Authority[] => trustedRoots(now())
  return {
    all: () => now().all,
    byId,
    issuing: (chain = mainChain) => active('issuing', chain),
    root: (chain = mainChain) => active('root', chain),
    firstRoot() {
      const first = now().all.find(({ role }) => role === 'root')
      if (first === undefined) throw new HubError('database-unusable', 'the registry holds no root')
      return first
    },
    signing: () => now().all.filter((each) => isSigning(each, now())),
    roots,
    rootsPem: () =>
      roots()
        .map(({ certificate }) => encodePem('CERTIFICATE', certificate))
        .join(''),
    caCertificates: () => [
      ...roots().map(({ certificate }) => certificate),
      ...now()
        .all.filter((each) => isBelow(each, now()))
        .map(({ certificate }) => certificate),
      ...publishedCrosses(now()).map(({ certificate }) => certificate),
    ],
    pathFrom: (authority) =>
      certificatePath(authority.certificate, {
        trusted: roots().map(({ certificate }) => certificate),
        others: [
          ...now()
            .all.filter(({ role }) => role === 'issuing')
            .map(({ certificate }) => certificate),
          ...publishedCrosses(now()).map(({ certificate }) => certificate),
        ],
      }),
  }
}

/** Those in use before those on their way in or out; `main` before other chains. */
function trustedRoots(known: Known): readonly Authority[] {
  const trusted = known.all.filter(
    (each) =>
      each.role === 'root' &&
      (each.state === 'active' || each.state === 'previous' || (each.state === 'prepared' && isPublished(each, known))),
  )
  const rank = ({ chain, state }: Authority): number => (chain === mainChain ? 0 : 2) + (state === 'active' ? 0 : 1)
  return trusted.toSorted((a, b) => rank(a) - rank(b))
}

/** Whether others may see an authority that is prepared for a roll-over, or stands below one that is. */
function isPublished({ id, parentId }: Authority, { rollOvers }: Known): boolean {
  return rollOvers.some(({ toId, state }) => (toId === id || toId === parentId) && hasPublished(state))
}

function isBelow(authority: Authority, known: Known): boolean {
  if (authority.role !== 'issuing') return false
  const { state } = authority
  return state === 'active' || state === 'previous' || (state === 'prepared' && isPublished(authority, known))
}

function isSigning(authority: Authority, known: Known): boolean {
  if (authority.keyPlace !== 'hub' || authority.state === 'retired') return false
  return authority.state !== 'prepared' || isPublished(authority, known)
}

/**
 * Those that a trusted root has signed, for a root that is trusted too or that others still stand below; and where only a root
 * that was cut since has signed one of these, those on the way to it.
 */
function publishedCrosses(known: Known): readonly CrossCertificate[] {
  const trusted = new Set(trustedRoots(known).map(({ id }) => id))
  const needed = new Set(known.all.filter((each) => isBelow(each, known)).flatMap(({ id, parentId }) => [id, parentId]))
  const ways = new Map<string, readonly CrossCertificate[]>([...trusted].map((id) => [id, []]))
  // It also goes through what is added meanwhile.
  for (const [id, way] of ways) {
    for (const cross of known.crosses) {
      if (cross.issuerId === id && !ways.has(cross.subjectId)) ways.set(cross.subjectId, [...way, cross])
    }
  }
  const onTheWay = new Set([...needed].flatMap((id) => (id === null ? [] : (ways.get(id) ?? []))))
  return known.crosses.filter((cross) => {
    const isWanted = trusted.has(cross.subjectId) || needed.has(cross.subjectId)
    return onTheWay.has(cross) || (trusted.has(cross.issuerId) && isWanted)
  })
}

async function read(store: Store, keys: KeyStore | null, before: readonly Authority[]): Promise<Known> {
  const [rows, crosses, rollOvers] = await Promise.all([
    store.authorities.all(),
    store.authorities.crossCertificates(),
    store.rollOvers.all(),
  ])
  const all = await Promise.all(rows.map((row) => open(row, keys, before.find(({ id }) => id === row.id) ?? null)))
  return { all, crosses, rollOvers }
}

async function open(row: AuthorityRow, keys: KeyStore | null, before: Authority | null): Promise<Authority> {
  if (keys === null || row.keyPlace === 'offline' || row.state === 'retired') return new Authority(row, null)
  return before?.isOpen === true ? before.as(row) : new Authority(row, await keys.open(row.id))
}

/** Two that are equal look the same to everybody. */
function fingerprintOf({ all, crosses, rollOvers }: Known): string {
  return JSON.stringify([
    all.map(({ id, state, keyPlace, fingerprint }) => [id, state, keyPlace, fingerprint]),
    crosses.map(({ fingerprint }) => fingerprint),
    rollOvers.map(({ id, state }) => [id, state]),
  ])
}
