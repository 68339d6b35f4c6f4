/** The slots of a credential store: written whole before a link points to them, read as a whole, and removed when none does. */
import { type KeyObject, X509Certificate } from 'node:crypto'
import { existsSync, lstatSync, mkdirSync, readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { HubError } from '../../core/errors.ts'
import type { KeyPassphrase } from '../../core/key-file/passphrase.ts'
import { certificateFingerprint } from '../../core/x509/certificate.ts'
import { decodePem } from '../../core/x509/pem.ts'
import { syncFolder, writeDurably, writeSynced } from '../../disk/durable-file.ts'
import { targetOf } from '../../disk/durable-link.ts'
import { eraseDurably } from '../../disk/erase.ts'
import { type KeyReference, keyReferenceText, readKeyReference } from '../key-elsewhere/reference.ts'
import type { HeldCredential, HubRecord, NewCredential, NewReferredCredential, SlotName } from './credential.ts'
import { slotNames } from './credential.ts'
import { fileNames, type Places, readSmall } from './places.ts'
import { keyObject, keyText, readKey, type StoredKey } from './stored-key.ts'

/** Where a slot is, from the folder of the store, as links have it. */
type SlotPath = `slots/${number}`

/** Everything of one credential, read at one time. */
export interface SlotContent extends HeldCredential {
  readonly key: StoredKey | KeyReference
  /** In PEM. */
  readonly chain: string
  /** The roots, in PEM; empty where there are none. */
  readonly ca: string
}

/** Which slot a link points to; null where there is no such link, or it leads elsewhere. */
export function slotAt(places: Places, name: SlotName): SlotPath | null {
  const target = targetOf(places.link(name))
  return target !== null && /^slots\/[1-9][0-9]{0,8}$/.test(target) ? (target as SlotPath) : null
}

/**
 * Writes a credential into a slot that no link points to.
 *
 * @param passphrase null for a key that is not encrypted
 * @throws HubError `key-certificate-mismatch`
 */
export function writeSlot(
  places: Places,
  credential: NewCredential | NewReferredCredential,
  passphrase: KeyPassphrase | null,
): SlotPath {
  const { chain, roots, hub } = credential
  assertFits(chain[0], 'keyPem' in credential ? keyObject(credential.keyPem) : credential.keyReference)
  makeSlots(places)
  const slot: SlotPath = `slots/${1 + Math.max(0, ...slotNumbers(places))}`
  const folder = join(places.path, slot)
  mkdirSync(folder, { mode: 0o700 })
  if ('keyPem' in credential) writeSynced(join(folder, fileNames.key), keyText(credential.keyPem, passphrase), 0o600)
  else writeSynced(join(folder, fileNames.reference), keyReferenceText(credential.keyReference), 0o600)
  writeSynced(join(folder, fileNames.certificate), chain.map(String).join(''), 0o644)
  writeSynced(join(folder, fileNames.ca), roots.map(String).join(''), 0o644)
  if (hub !== null) writeSynced(join(folder, fileNames.hub), `${JSON.stringify(hub, null, 2)}\n`, 0o600)
  syncFolder(folder)
  syncFolder(places.slots)
  return slot
}

function makeSlots(places: Places): void {
  if (existsSync(places.slots)) return
  mkdirSync(places.slots, { mode: 0o700 })
  syncFolder(places.path)
}

/** What a folder holds under the names of a credential's files, or null where that is no whole pair. */
export function readFolder(folder: string, passphraseOf: () => KeyPassphrase | null): SlotContent | null {
  const chain = readSmall(join(folder, fileNames.certificate))
  const certificate = chain === null ? null : firstCertificate(chain)
  const key = certificate === null ? null : (readKey(join(folder, fileNames.key), passphraseOf) ?? referenceIn(folder))
  if (chain === null || certificate === null || key === null) return null
  if (!isFor(certificate, isReference(key) ? key : key.key)) return null
  const hub = readHubRecord(join(folder, fileNames.hub))
  return {
    certificate,
    hub: hub?.fingerprint === certificateFingerprint(certificate.raw) ? hub : null,
    key,
    chain,
    ca: readSmall(join(folder, fileNames.ca)) ?? '',
  }
}

function referenceIn(folder: string): KeyReference | null {
  if (existsSync(join(folder, fileNames.key))) return null
  const text = readSmall(join(folder, fileNames.reference))
  return text === null ? null : readKeyReference(text)
}

/** Whether a key is elsewhere. */
export function isReference(key: StoredKey | KeyReference | KeyObject): key is KeyReference {
  return 'place' in key
}

/** The record of a hub, or null where the file is missing or something else. */
export function readHubRecord(path: string): HubRecord | null {
  try {
    const record: unknown = JSON.parse(readSmall(path) ?? 'null')
    return isHubRecord(record) ? record : null
  } catch (error) {
    if (error instanceof SyntaxError) return null
    throw error
  }
}

/** The first certificate of a text, or null when there is none that can be read. */
export function firstCertificate(text: string): X509Certificate | null {
  try {
    return new X509Certificate(text)
  } catch {
    return null
  }
}

export function certificatesIn(pem: string): readonly X509Certificate[] {
  return decodePem(pem).map(({ der }) => new X509Certificate(der))
}

/** Puts other roots into a slot. */
export function writeRoots(places: Places, slot: SlotPath, roots: readonly X509Certificate[]): void {
  writeDurably(join(places.path, slot, fileNames.ca), roots.map(String).join(''), 0o644)
}

/** Removes the slots that no link points to; their keys are overwritten. */
export function removeUnused(places: Places): void {
  const used = new Set<string | null>(slotNames.map((name) => slotAt(places, name)))
  const unused = slotNumbers(places).filter((number) => !used.has(`slots/${number}`))
  for (const number of unused) {
    const folder = join(places.slots, `${number}`)
    for (const name of readdirSync(folder).filter((each) => each.includes('private_key'))) {
      eraseDurably(join(folder, name))
    }
    rmSync(folder, { recursive: true, force: true })
  }
  if (unused.length > 0) syncFolder(places.slots)
}

function slotNumbers({ slots }: Places): readonly number[] {
  if (lstatSync(slots, { throwIfNoEntry: false }) === undefined) return []
  return readdirSync(slots)
    .filter((name) => /^[1-9][0-9]{0,8}$/.test(name))
    .map(Number)
}

function isFor(certificate: X509Certificate, key: KeyObject | KeyReference): boolean {
  if (!isReference(key)) return certificate.checkPrivateKey(key)
  return certificate.publicKey.export({ type: 'spki', format: 'der' }).equals(key.publicKey)
}

function assertFits(certificate: X509Certificate | undefined, key: KeyObject | KeyReference): void {
  if (certificate !== undefined && isFor(certificate, key)) return
  throw new HubError('key-certificate-mismatch', 'the certificate is for another key than the one beside it')
}

function isHubRecord(value: unknown): value is HubRecord {
  if (typeof value !== 'object' || value === null) return false
  const estPath: unknown = Reflect.get(value, 'estPath')
  if (estPath !== undefined && typeof estPath !== 'string') return false
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
