/**
 * A folder in which certificate and key lie as plain files: the form that an earlier version wrote, or what its owner has copied
 * over the links. A whole pair is taken into a slot and the links take the places of the files. Until the moment in which
 * `current` points to the slot the files are what counts, afterwards the slot is, and in between both are the same.
 */
import { existsSync, lstatSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import type { KeyPassphrase } from '../../core/key-file/passphrase.ts'
import { certificateFingerprint } from '../../core/x509/certificate.ts'
import { removeDurably, renameDurably, syncFolder } from '../../disk/durable-file.ts'
import { point, targetOf } from '../../disk/durable-link.ts'
import type { NewCredential, NewReferredCredential } from './credential.ts'
import { fileNames, type Places, readSmall, waitingKeyFile } from './places.ts'
import { certificatesIn, firstCertificate, isReference, readFolder, readHubRecord, type SlotContent } from './slots.ts'
import { readKey } from './stored-key.ts'

const linked = [fileNames.key, fileNames.certificate, fileNames.ca] as const

/** Whether a name in the folder is something of its owner's, and not our link. */
export function isForeign({ path }: Places, name: string): boolean {
  const file = join(path, name)
  const target = targetOf(file)
  const isLink = target === `current/${name}` || isCopied(target, name)
  return lstatSync(file, { throwIfNoEntry: false }) !== undefined && !isLink
}

/** A link of ours that a copy has brought along from another folder, made absolute. */
function isCopied(target: string | null, name: string): boolean {
  return target?.endsWith(`/${name}`) === true && /\/(current|slots\/[0-9]+)\/[^/]+$/.test(target)
}

/** Whether there is anything in the folder that {@link brought} would look at. */
export function isAnythingBrought(places: Places): boolean {
  return linked.some((name) => isForeign(places, name))
}

/** The pair that lies in the folder as plain files, or null where there is none that is whole. */
export function brought(
  places: Places,
  passphraseOf: () => KeyPassphrase | null,
): NewCredential | NewReferredCredential | null {
  if (![fileNames.key, fileNames.certificate].some((name) => isForeign(places, name))) return null
  endInstallation(places, passphraseOf)
  const content = readFolder(places.path, passphraseOf)
  if (content === null) return null
  // In a copy that was made without links, `current` is a folder with the rest.
  const record = readHubRecord(join(places.link('current'), fileNames.hub))
  const isOfIt = record?.fingerprint === certificateFingerprint(content.certificate.raw)
  return asNew(content.hub === null && isOfIt ? { ...content, hub: record } : content)
}

/** Makes the links that are not there, or lead to another folder. They may point to nothing until something is current. */
export function linkMissing(places: Places): void {
  linkAll(places, missingLinks(places))
}

export function missingLinks({ path }: Places): readonly string[] {
  return linked.filter((name) => {
    const file = join(path, name)
    return lstatSync(file, { throwIfNoEntry: false }) === undefined || isCopied(targetOf(file), name)
  })
}

/** Lets our links take the places of the files, now that a slot holds what they held. */
export function linkFiles(places: Places): void {
  linkAll(
    places,
    linked.filter((name) => targetOf(join(places.path, name)) !== `current/${name}`),
  )
  if (existsSync(join(places.path, fileNames.hub))) removeDurably(join(places.path, fileNames.hub))
}

function linkAll({ path }: Places, names: readonly string[]): void {
  for (const name of names) point(join(path, name), `current/${name}`)
  if (names.length > 0) syncFolder(path)
}

/** A credential that was read, as it is put into another slot. */
function asNew({ chain, hub, key, ca }: SlotContent): NewCredential | NewReferredCredential {
  const certificate = { chain: certificatesIn(chain), roots: certificatesIn(ca), hub }
  return isReference(key) ? { ...certificate, keyReference: key } : { ...certificate, keyPem: key.pem }
}

/**
 * Ends what an earlier version had begun: its certificate took its place first, and key, roots and record waited as `.new`
 * beside it. They belong to the certificate or go on waiting.
 */
function endInstallation(places: Places, passphraseOf: () => KeyPassphrase | null): void {
  const { path } = places
  if (!isForeign(places, fileNames.certificate)) return
  const certificate = firstCertificate(readSmall(places.certificate) ?? '')
  if (certificate === null) return
  for (const name of readdirSync(path).filter((each) => waitingKeyFile.test(each))) {
    const key = readKey(join(path, name), passphraseOf)
    if (key !== null && certificate.checkPrivateKey(key.key)) renameDurably(join(path, name), places.key)
  }
  const hub = join(path, fileNames.hub)
  if (readHubRecord(`${hub}.new`)?.fingerprint !== certificateFingerprint(certificate.raw)) return
  if (existsSync(`${places.ca}.new`)) renameDurably(`${places.ca}.new`, places.ca)
  renameDurably(`${hub}.new`, hub)
}
