/**
 * A credential that its owner brings as files, as Meadow takes it: checked, moved into the store, and the files overwritten and
 * removed. Other files take its place later; empty ones clear the store. There is no other way to delete a credential here.
 */
import type { X509Certificate } from 'node:crypto'
import { existsSync, realpathSync, statSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { HubError, quote } from '../../core/errors.ts'
import { readCertificateFile } from '../../core/key-file/certificate-reader.ts'
import { fileKind } from '../../core/key-file/file-kind.ts'
import type { BroughtFile } from '../../core/key-file/key-reader.ts'
import { Secret } from '../../core/secret.ts'
import { certificateFingerprint } from '../../core/x509/certificate.ts'
import { targetOf } from '../../disk/durable-link.ts'
import { eraseDurably } from '../../disk/erase.ts'
import type { CredentialStore, HeldCredential, HubRecord } from '../store/credential.ts'
import { passphraseLink } from '../store/places.ts'
import {
  assertInDate,
  type BroughtCredential,
  isSelfSigned,
  leadsTo,
  oneLine,
  readBroughtCredential,
} from './brought-credential.ts'
import { type BroughtPaths, passphraseIn, readBrought } from './brought-files.ts'

export interface ImportOptions {
  /** Milliseconds since the epoch. */
  readonly nowMs: number
  /** Take a certificate whose issuer is none of the roots that came with it. */
  readonly isAnyIssuer?: boolean
  /** Leave the files where they are. */
  readonly isKept?: boolean
}

export interface ImportResult {
  /** `present` where the store held this certificate already, after a crash perhaps; `cleared` where the files were empty. */
  readonly outcome: 'imported' | 'present' | 'cleared'
  /** What the certificate says whom it is for; empty where it was cleared. */
  readonly subject: string
  /** SHA-256 of the certificate, lower-case hexadecimal; empty where it was cleared. */
  readonly fingerprint: string
  /** ISO 8601, UTC; empty where it was cleared. */
  readonly notAfter: string
  /** The host of the hub that it belongs to, where the store knew one; null for a credential of somebody else. */
  readonly hub: string | null
  /** How many roots servers are verified with; 0 where those of the system are to be taken. */
  readonly roots: number
  /** Files that are gone, and those that could not be removed. */
  readonly removed: readonly string[]
  readonly remaining: readonly string[]
  /** What is odd and no obstacle. */
  readonly notes: readonly string[]
}

/**
 * Puts what was brought into use. Until everything has been checked nothing changes, neither in the store nor of the files.
 *
 * @throws HubError `import-incomplete`; `credential-file-unreadable`; `credential-passphrase-wrong`; `key-certificate-mismatch`;
 *   `import-out-of-date`; `import-chain-broken`; `store-unwritable`
 */
export function importCredential(store: CredentialStore, paths: BroughtPaths, options: ImportOptions): ImportResult {
  const files = readFiles(store, paths)
  if (options.isKept !== true) assertOfNoStore(paths)
  const isStores = options.isKept !== true && isPassphraseOfStore(store, paths.passphrase)
  const cleanUp = (): Pick<ImportResult, 'removed' | 'remaining'> =>
    options.isKept === true
      ? { removed: [], remaining: [] }
      : removeFiles(isStores ? { ...paths, passphrase: null } : paths)
  if (areEmpty(files)) {
    store.clear()
    return {
      outcome: 'cleared',
      subject: '',
      fingerprint: '',
      notAfter: '',
      hub: null,
      roots: 0,
      ...cleanUp(),
      notes: [],
    }
  }
  const left = leftOver(store, files)
  if (left !== null) {
    return { ...toldOf(store, left), outcome: 'present', hub: left.hub?.host ?? null, ...cleanUp(), notes: [] }
  }
  const brought = readBroughtCredential({ ...files, passphrase: files.passphrase && passphraseIn(files.passphrase) })
  const [leaf] = brought.chain
  // A clock in 1970 is no reason to refuse what was good at a time that has been.
  assertInDate(leaf, Math.max(options.nowMs, store.lastGoodTimeMs() ?? 0))
  const { roots, hub } = placeOf(store, brought, options)
  const current = store.current()
  const present = current?.certificate.raw.equals(leaf.raw) === true ? current : null
  if (present === null) {
    const keyPem = new Secret(brought.key.export({ type: 'pkcs8', format: 'pem' }).toString())
    store.install({ keyPem, chain: brought.chain, roots, hub })
  } else if (brought.roots !== null) {
    store.replaceRoots(brought.roots)
  }
  return {
    ...toldOf(store, { certificate: leaf }),
    outcome: present === null ? 'imported' : 'present',
    hub: (present === null ? hub : present.hub)?.host ?? null,
    ...cleanUp(),
    notes: [
      ...brought.notes,
      ...(isStores ? [`${quote(paths.passphrase)} is the passphrase of the store as well, and stays`] : []),
    ],
  }
}

function toldOf(
  store: CredentialStore,
  { certificate }: Pick<HeldCredential, 'certificate'>,
): Pick<ImportResult, 'subject' | 'fingerprint' | 'notAfter' | 'roots'> {
  return {
    subject: oneLine(certificate.subject),
    fingerprint: certificateFingerprint(certificate.raw),
    notAfter: certificate.validToDate.toISOString(),
    roots: store.roots().length,
  }
}

/** Whether the passphrase came in the file that the keys of the store are under: without it they could never be read again. */
function isPassphraseOfStore({ path: folder }: CredentialStore, path: string | null): boolean {
  const file = path === null ? undefined : statSync(path, { throwIfNoEntry: false })
  const own = statSync(join(folder, passphraseLink), { throwIfNoEntry: false })
  return file !== undefined && file.dev === own?.dev && file.ino === own.ino
}

type Files = { readonly [name in Exclude<keyof BroughtPaths, 'isFound'>]: BroughtFile | null }

function readFiles(store: CredentialStore, paths: BroughtPaths): Files {
  const read = (path: string | null): BroughtFile | null => (path === null ? null : readBrought(path, store.path))
  const ca = read(paths.ca)
  return {
    certificate: read(paths.certificate),
    key: read(paths.key),
    passphrase: read(paths.passphrase),
    // A store without roots has an empty file of them.
    ca: ca !== null && paths.isFound && fileKind(ca.bytes).kind === 'empty' ? null : ca,
  }
}

/**
 * The current credential, where the files are what an import of it has left when it was interrupted: the key is gone or
 * overwritten, and the certificate, which goes last, is the one in use.
 */
function leftOver(store: CredentialStore, { certificate, key }: Files): HeldCredential | null {
  const current = store.current()
  if (current === null || (key !== null && !isErased(key))) return null
  if (certificate === null || isErased(certificate)) return current
  return certificatesOrNone(certificate).some((each) => each.raw.equals(current.certificate.raw)) ? current : null
}

/** Whether a file begins with the zeros that it was overwritten with. */
function isErased({ bytes }: BroughtFile): boolean {
  return bytes.length > 0 && bytes.subarray(0, 64).every((octet) => octet === 0)
}

function certificatesOrNone(file: BroughtFile): readonly X509Certificate[] {
  try {
    return readCertificateFile(file)
  } catch (error) {
    if (error instanceof HubError) return []
    throw error
  }
}

/** @throws HubError `import-incomplete` where one is empty and another is not: nobody is to guess what was meant */
function areEmpty({ certificate, key }: Files): boolean {
  const isEmpty = (file: BroughtFile): boolean => fileKind(file.bytes).kind === 'empty'
  const brought = [certificate, key].filter((file) => file !== null)
  const empty = brought.filter(isEmpty)
  if (empty.length === 0) return false
  if (empty.length === brought.length && brought.length === 2) return true
  const names = empty.map(({ name }) => quote(name)).join(', ')
  const other = brought.length === 2 ? 'the other of certificate and key is not' : 'came alone'
  throw new HubError('import-incomplete', `${names} is empty, and ${other}`, {
    hint: 'bring both, or both empty to clear the credential of this device',
  })
}

/**
 * What servers are verified with, and the hub that the credential belongs to: those that were brought; else those of the store, where
 * the certificate leads to them.
 *
 * @throws HubError `import-chain-broken`
 */
function placeOf(
  store: CredentialStore,
  { chain, roots: broughtRoots }: BroughtCredential,
  { isAnyIssuer = false }: ImportOptions,
): { readonly roots: readonly X509Certificate[]; readonly hub: HubRecord | null } {
  const [leaf] = chain
  const held = store.roots()
  const roots = broughtRoots ?? (leadsTo(chain, held) ? held : [])
  const isOfRoots = leadsTo(chain, roots)
  if (broughtRoots !== null && !isOfRoots && !isSelfSigned(leaf) && !isAnyIssuer) {
    const issuer = oneLine((chain.at(-1) ?? leaf).issuer)
    throw new HubError(
      'import-chain-broken',
      `the certificate of ${quote(oneLine(leaf.subject))} leads to ${quote(issuer)}, which is none of the roots that came with it`,
      { hint: 'bring the right roots; where servers have another authority than this device, add --any-issuer' },
    )
  }
  const hub = store.current()?.hub ?? null
  const isOfHub = hub !== null && isOfRoots && commonNames(leaf).includes(hub.id)
  // The token is not what this certificate came with.
  return { roots, hub: isOfHub ? { ...hub, tokenId: '', fingerprint: certificateFingerprint(leaf.raw) } : null }
}

/**
 * A store of another device is not taken apart: what its paths lead to would stay there without them.
 *
 * @throws HubError `credential-file-unreadable`
 */
function assertOfNoStore(paths: BroughtPaths): void {
  for (const path of [paths.certificate, paths.key].filter((each) => each !== null)) {
    const slot = dirname(realpathSync(path))
    const store = dirname(dirname(slot))
    if (basename(dirname(slot)) !== 'slots' || !existsSync(join(store, 'current'))) continue
    throw new HubError(
      'credential-file-unreadable',
      `${quote(path)} is a file of another credential store, ${quote(store)}`,
      {
        hint: `use that folder: --dir ${store}; or take a copy with --keep`,
      },
    )
  }
}

function commonNames({ subject }: X509Certificate): readonly string[] {
  return subject.split('\n').flatMap((line) => /^CN=(.*)$/.exec(line)?.[1] ?? [])
}

/**
 * The key first, since little must be left of it after a crash; the certificate last, by which the rest is recognized then. Each is
 * tried, whatever became of the others.
 */
function removeFiles(paths: BroughtPaths): Pick<ImportResult, 'removed' | 'remaining'> {
  const { key, passphrase, certificate, ca, isFound } = paths
  const removed: string[] = []
  const remaining: string[] = []
  // A file of roots that was named is hardly for this device alone.
  for (const path of [key, passphrase, isFound ? ca : null, certificate].filter((each) => each !== null)) {
    try {
      const target = targetOf(path) === null ? null : realpathSync(path)
      eraseDurably(path)
      removed.push(path)
      if (target !== null) remaining.push(target)
    } catch {
      remaining.push(path)
    }
  }
  return { removed, remaining }
}
