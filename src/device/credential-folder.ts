/**
 * The folder that holds a device's credential:
 *
 *     private_key.pem   the key, PKCS#8, readable by its owner alone
 *     client_cert.pem   the device's certificate, then the issuing CA
 *     ca.pem            the roots
 *     hub.json          the hub it is for
 *
 * A key that waits for its certificate stands beside them as `private_key.<id>.new`, so that a pair which works is not
 * broken by an enrolment that does not end. A new credential takes effect at one point: when its certificate takes the place
 * of the old one. The other files wait as `.new` before it and take their places after it; a crash in between is mended by
 * {@link openCredentialFolder}, which sees by the certificate which of them belong to it.
 */

import { X509Certificate } from 'node:crypto'
import { chmodSync, existsSync, readdirSync, readFileSync, rmSync, type Stats, statSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { HubError, quote } from '../core/errors.ts'
import type { IdentityId } from '../core/identity/id.ts'
import { Secret } from '../core/secret.ts'
import { certificateFingerprint } from '../core/x509/certificate.ts'
import { decodePem } from '../core/x509/pem.ts'
import { renameDurably, syncFolder, writeDurably } from '../disk/durable-file.ts'
import { makeFolder } from '../disk/make-folder.ts'
import { publicKeyOf } from './certificate-request.ts'
import { deviceLimits } from './limits.ts'
import type { CredentialFiles, HeldCredential, HubRecord, NewCredential, TlsIdentity } from './store/credential.ts'

export type { CredentialFiles, HeldCredential, HubRecord, NewCredential, TlsIdentity } from './store/credential.ts'

export interface CredentialFolder {
  readonly path: string
  readonly files: CredentialFiles
  /** The complete pair in the folder, in date or not, or null. */
  held(): HeldCredential | null
  /** The key that waits for a certificate for this id, or null. */
  waitingKey(id: IdentityId): Secret | null
  /** Keeps a key for this id; it is on disk when this returns. */
  keepWaitingKey(id: IdentityId, keyPem: Secret): void
  /** The pair in the folder as TLS needs it, or null. */
  tlsIdentity(): TlsIdentity | null
  /** The roots in the folder. */
  roots(): readonly X509Certificate[]
  /** Puts other roots in place; they are on disk when this returns. */
  replaceRoots(roots: readonly X509Certificate[]): void
  /** Puts certificate, roots and key in place; all of it is on disk when this returns. */
  install(credential: NewCredential & { readonly id: IdentityId; readonly hub: HubRecord }): void
}

/**
 * Opens the folder, makes it (0700) if it is not there, and ends an installation that a crash has interrupted.
 *
 * @throws HubError `store-unwritable`: it belongs to somebody else, others may write to it, or the disk refuses
 */
export function openCredentialFolder(directory: string): CredentialFolder {
  const path = resolve(directory)
  const files = {
    key: join(path, 'private_key.pem'),
    certificate: join(path, 'client_cert.pem'),
    ca: join(path, 'ca.pem'),
  }
  const places: Places = { ...files, path, hub: join(path, 'hub.json') }
  const waiting = (id: IdentityId): string => join(path, `private_key.${id}.new`)
  guarded(path, () => {
    prepare(path)
    settle(places)
  })
  return {
    path,
    files,
    held: () => guarded(path, () => readHeld(places)),
    waitingKey: (id) => guarded(path, () => readKey(waiting(id))),
    keepWaitingKey: (id, keyPem) => guarded(path, () => writeKey(waiting(id), keyPem)),
    tlsIdentity: () =>
      guarded(path, () => {
        const key = readHeld(places) === null ? null : readKey(places.key)
        return key === null ? null : { key, chain: readSmall(places.certificate) ?? '' }
      }),
    roots: () => guarded(path, () => certificatesIn(readSmall(places.ca) ?? '')),
    replaceRoots: (roots) => guarded(path, () => writeDurably(places.ca, roots.map(String).join(''), 0o644)),
    install: ({ id, keyPem, chain, roots, hub }) =>
      guarded(path, () => {
        if (readKey(waiting(id))?.reveal() !== keyPem.reveal()) writeKey(waiting(id), keyPem)
        writeDurably(`${places.ca}.new`, roots.map(String).join(''), 0o644)
        writeDurably(`${places.hub}.new`, `${JSON.stringify(hub, null, 2)}\n`, 0o600)
        writeDurably(places.certificate, chain.map(String).join(''), 0o644)
        settle(places)
      }),
  }
}

interface Places extends CredentialFiles {
  readonly path: string
  readonly hub: string
}

const ownFile =
  /^(private_key\.pem|client_cert\.pem|(ca\.pem|hub\.json|private_key\..*)(\.new)?|\..*\.[0-9a-f]{12}\.tmp)$/
/** What a power cut leaves of a file that was being written. */
const halfFile = /^\.(private_key|client_cert|ca|hub)\..*\.[0-9a-f]{12}\.tmp$/
const waitingKeyFile = /^private_key\..*\.new$/

/** Makes the folder, or checks that nobody else can put files into it. */
function prepare(path: string): void {
  if (!existsSync(path)) {
    makeFolder(path, 0o700)
    syncFolder(dirname(path))
  }
  const stats = statSync(path)
  if (!stats.isDirectory()) throw refusal(`${quote(path)} is not a folder`)
  assertOwn(path, stats)
  const isOurs = readdirSync(path).every((name) => ownFile.test(name))
  if (isOurs && (stats.mode & 0o077) !== 0) {
    chmodSync(path, 0o700)
  } else if ((stats.mode & 0o022) !== 0) {
    throw refusal(`other users may write to ${quote(path)} (mode ${octal(stats)})`, `chmod 0700 ${path}`)
  }
}

/** What waits and belongs to the certificate in place takes its own place; the rest goes on waiting. */
function settle(places: Places): void {
  for (const name of readdirSync(places.path).filter((each) => halfFile.test(each))) rmSync(join(places.path, name))
  const certificate = readCertificate(places.certificate)
  if (certificate === null) return
  for (const name of readdirSync(places.path).filter((each) => waitingKeyFile.test(each))) {
    const key = readKey(join(places.path, name))
    if (key !== null && fits(certificate, key)) renameDurably(join(places.path, name), places.key)
  }
  if (readHubRecord(`${places.hub}.new`)?.fingerprint !== certificateFingerprint(certificate.raw)) return
  if (existsSync(`${places.ca}.new`)) renameDurably(`${places.ca}.new`, places.ca)
  renameDurably(`${places.hub}.new`, places.hub)
}

function readHeld(places: Places): HeldCredential | null {
  const certificate = readCertificate(places.certificate)
  const key = readKey(places.key)
  if (certificate === null || key === null || !existsSync(places.ca) || !fits(certificate, key)) return null
  const hub = readHubRecord(places.hub)
  return { certificate, hub: hub?.fingerprint === certificateFingerprint(certificate.raw) ? hub : null }
}

/** The first certificate of a file, or null when there is none that can be read. */
function readCertificate(path: string): X509Certificate | null {
  const text = readSmall(path)
  if (text === null) return null
  try {
    return new X509Certificate(text)
  } catch {
    return null
  }
}

function certificatesIn(pem: string): readonly X509Certificate[] {
  return decodePem(pem).map(({ der }) => new X509Certificate(der))
}

/** A key that is whole, or null; a key that others can read is a failure. */
function readKey(path: string): Secret | null {
  const text = readSmall(path)
  if (text === null) return null
  const key = new Secret(text)
  const stats = statSync(path)
  assertOwn(path, stats)
  if ((stats.mode & 0o077) !== 0) {
    throw refusal(`other users may read the key ${quote(path)} (mode ${octal(stats)})`, `chmod 0600 ${path}`)
  }
  try {
    publicKeyOf(key)
    return key
  } catch {
    return null
  }
}

function writeKey(path: string, keyPem: Secret): void {
  writeDurably(path, keyPem.reveal(), 0o600)
}

function readHubRecord(path: string): HubRecord | null {
  try {
    const record: unknown = JSON.parse(readSmall(path) ?? 'null')
    return isHubRecord(record) ? record : null
  } catch (error) {
    if (error instanceof SyntaxError) return null
    throw error
  }
}

function isHubRecord(value: unknown): value is HubRecord {
  if (typeof value !== 'object' || value === null) return false
  const has = (name: keyof HubRecord, type: 'string' | 'number'): boolean => typeof Reflect.get(value, name) === type
  return (
    has('id', 'string') &&
    has('host', 'string') &&
    has('httpsPort', 'number') &&
    has('mqttPort', 'number') &&
    has('rootFingerprint', 'string') &&
    has('tokenId', 'string') &&
    has('fingerprint', 'string')
  )
}

function readSmall(path: string): string | null {
  if (!existsSync(path)) return null
  if (statSync(path).size > deviceLimits.fileBytesMax) {
    throw refusal(`${quote(path)} is larger than ${deviceLimits.fileBytesMax} bytes`)
  }
  return readFileSync(path, 'utf8')
}

function fits(certificate: X509Certificate, keyPem: Secret): boolean {
  const inCertificate = certificate.publicKey.export({ type: 'spki', format: 'der' })
  return Buffer.compare(inCertificate, publicKeyOf(keyPem)) === 0
}

function assertOwn(path: string, stats: Stats): void {
  const user = process.getuid?.()
  if (user === undefined || stats.uid === user) return
  throw refusal(
    `${quote(path)} belongs to another user (uid ${stats.uid}, this is uid ${user})`,
    'run this as the user that the device software runs as, or choose another folder',
  )
}

function octal(stats: Stats): string {
  return (stats.mode & 0o7777).toString(8).padStart(4, '0')
}

function refusal(message: string, hint?: string): HubError {
  return new HubError('store-unwritable', message, hint === undefined ? {} : { hint })
}

/** What the file system refuses becomes a failure that names the folder. */
function guarded<T>(path: string, work: () => T): T {
  try {
    return work()
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (error instanceof HubError || code === undefined) throw error
    throw new HubError('store-unwritable', `the folder ${quote(path)} cannot be used (${code})`, { cause: error })
  }
}
