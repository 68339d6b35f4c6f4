/** What an opening puts in order: modes, what a power cut left half done, and files that were put there by others. */
import { existsSync, lstatSync, readdirSync, rmSync, statSync } from 'node:fs'
import { join } from 'node:path'
import type { KeyPassphrase } from '../../core/key-file/passphrase.ts'
import { certificateFingerprint } from '../../core/x509/certificate.ts'
import { removeDurably } from '../../disk/durable-file.ts'
import { pointDurably, targetOf } from '../../disk/durable-link.ts'
import { eraseDurably } from '../../disk/erase.ts'
import { type NewCredential, type NewReferredCredential, slotNames } from './credential.ts'
import { fileNames, halfMade, type Places, readSmall, repairMode, waitingKeyFile } from './places.ts'
import { readFolder, removeUnused, slotAt } from './slots.ts'
import { encryptKeyFile, isEncrypting, isPlainKey, readKey } from './stored-key.ts'
import { brought, isAnythingBrought, linkFiles, linkMissing, missingLinks } from './take-over.ts'

export interface RepairTools {
  passphraseOf(): KeyPassphrase | null
  /** Puts a credential in use; see {@link CredentialStore.install}. */
  install(credential: NewCredential | NewReferredCredential): void
  onNotice(text: string): void
}

/** Whether there is nothing to put in order: then nothing has to be locked or written. */
export function isInOrder(places: Places): boolean {
  if (halfMadeFiles(places).length > 0) return false
  if (readdirSync(places.path).some((name) => waitingKeyFile.test(name))) return false
  if (slotAt(places, 'current') !== null && missingLinks(places).length > 0) return false
  if (isAnythingBrought(places) || !areLinksRight(places) || isAnyKeyPlain(places)) return false
  return filesWithModes(places).every(([path, mode]) => (modeOf(path) & ~mode) === 0)
}

/** To be run while the store is locked. */
export function repair(places: Places, tools: RepairTools): void {
  for (const [path, mode] of filesWithModes(places)) {
    const done = repairMode(path, mode)
    if (done !== null) tools.onNotice(done)
  }
  removeHalfMade(places)
  straightenLinks(places, tools)
  // Where nothing is current, a slot may be all that somebody's copy has left of a credential.
  if (isThere(places, slotAt(places, 'current'))) removeUnused(places)
  takeOver(places, tools)
  if (slotAt(places, 'current') !== null) linkMissing(places)
  encryptKeys(places, tools.passphraseOf())
  removeUsedKeys(places, tools)
}

/** Erases the keys that waited for the certificate that is in use now. */
export function removeUsedKeys(places: Places, { passphraseOf }: Pick<RepairTools, 'passphraseOf'>): void {
  const waiting = readdirSync(places.path).filter((name) => waitingKeyFile.test(name))
  const slot = waiting.length === 0 ? null : slotAt(places, 'current')
  const current = slot === null ? null : readFolder(join(places.path, slot), passphraseOf)
  if (current === null) return
  for (const name of waiting.map((each) => join(places.path, each))) {
    const key = readKey(name, passphraseOf)
    if (key !== null && current.certificate.checkPrivateKey(key.key)) eraseDurably(name)
  }
}

function removeHalfMade(places: Places): void {
  for (const path of halfMadeFiles(places)) {
    // A key that was about to be encrypted is still the one in use, under a second name.
    if (lstatSync(path).nlink > 1) removeDurably(path)
    else eraseDurably(path)
  }
  for (const name of readdirSync(places.path).filter((each) => /^\.lock\.[0-9a-f]{12}$/.test(each))) {
    const stats = statSync(join(places.path, name), { throwIfNoEntry: false })
    // Somebody may be waiting with a younger one.
    if (stats !== undefined && Date.now() - stats.mtimeMs > 600_000) rmSync(join(places.path, name), { force: true })
  }
}

/** In the folder and in the slots: what was half written there may be a key. */
function halfMadeFiles(places: Places): readonly string[] {
  const slots = slotNames.flatMap((name) => slotAt(places, name) ?? []).map((slot) => join(places.path, slot))
  return [places.path, ...slots.filter((slot) => existsSync(slot))].flatMap((folder) =>
    readdirSync(folder)
      .filter((name) => halfMade.test(name))
      .map((name) => join(folder, name)),
  )
}

/** Links that a copy has taken along from another folder point to slots of this one; those that mean nothing go. */
function straightenLinks(places: Places, { onNotice }: RepairTools): void {
  for (const name of slotNames.filter((each) => isIdle(places, each))) {
    const own = /(?:^|\/)(slots\/[1-9][0-9]{0,8})$/.exec(targetOf(places.link(name)) ?? '')?.[1] ?? null
    if (own !== null && own !== slotAt(places, name) && isThere(places, own)) pointDurably(places.link(name), own)
    else if (name !== 'current') removeDurably(places.link(name))
    else onNotice(`${places.link(name)} points to no slot of its folder`)
  }
}

function areLinksRight(places: Places): boolean {
  return !slotNames.some((name) => isIdle(places, name))
}

function isIdle(places: Places, name: (typeof slotNames)[number]): boolean {
  if (targetOf(places.link(name)) === null) return false
  const slot = slotAt(places, name)
  return !isThere(places, slot) || (name !== 'current' && slot === slotAt(places, 'current'))
}

function isThere({ path }: Places, slot: string | null): boolean {
  return slot !== null && lstatSync(join(path, slot), { throwIfNoEntry: false })?.isDirectory() === true
}

function takeOver(places: Places, tools: RepairTools): void {
  if (!isAnythingBrought(places)) return
  const slot = slotAt(places, 'current')
  const current = slot === null ? null : readFolder(join(places.path, slot), tools.passphraseOf)
  const found = brought(places, tools.passphraseOf)
  if (found === null) {
    if (current !== null) tools.onNotice(`the files in ${places.path} are no whole pair and are not used`)
    return
  }
  const isSame =
    current !== null &&
    found.chain[0] !== undefined &&
    certificateFingerprint(current.certificate.raw) === certificateFingerprint(found.chain[0].raw)
  removeCopies(places)
  if (isSame) linkFiles(places)
  else tools.install(found)
}

/** Whether a key is not encrypted and should be. */
function isAnyKeyPlain(places: Places): boolean {
  if (!isEncrypting(places)) return false
  const slots = slotNames.flatMap((name) => slotAt(places, name) ?? [])
  return slots.some((slot) => isPlainKey(readSmall(join(places.path, slot, fileNames.key)) ?? ''))
}

/** A copy of a store that was made without links has folders in their places; they hold what the files do, or older things. */
function removeCopies(places: Places): void {
  for (const folder of slotNames.map((name) => places.link(name))) {
    if (lstatSync(folder, { throwIfNoEntry: false })?.isDirectory() !== true) continue
    eraseDurably(join(folder, fileNames.key))
    rmSync(folder, { recursive: true })
  }
}

function encryptKeys(places: Places, passphrase: KeyPassphrase | null): void {
  if (passphrase === null) return
  const slots = slotNames.flatMap((name) => slotAt(places, name) ?? [])
  for (const slot of slots) encryptKeyFile(join(places.path, slot, fileNames.key), passphrase)
  for (const name of readdirSync(places.path).filter((each) => waitingKeyFile.test(each))) {
    encryptKeyFile(join(places.path, name), passphrase)
  }
}

/** What is ours, with the most that may be done with it. */
function filesWithModes(places: Places): readonly (readonly [string, number])[] {
  const slots = slotNames.flatMap((name) => slotAt(places, name) ?? []).map((slot) => join(places.path, slot))
  return [
    [places.slots, 0o700] as const,
    [places.goodTime, 0o600] as const,
    [places.key, 0o600] as const,
    ...readdirSync(places.path)
      .filter((name) => waitingKeyFile.test(name))
      .map((name) => [join(places.path, name), 0o600] as const),
    ...slots.flatMap((slot) => [
      [slot, 0o700] as const,
      [join(slot, fileNames.key), 0o600] as const,
      [join(slot, fileNames.certificate), 0o644] as const,
      [join(slot, fileNames.ca), 0o644] as const,
      [join(slot, fileNames.hub), 0o600] as const,
      [join(slot, fileNames.reference), 0o600] as const,
    ]),
  ]
}

function modeOf(path: string): number {
  const stats = lstatSync(path, { throwIfNoEntry: false })
  return stats === undefined || stats.isSymbolicLink() ? 0 : stats.mode & 0o777
}
