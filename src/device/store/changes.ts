/**
 * The changes of a credential store. Each is complete with one renaming of one link; what comes before it changes nothing that
 * is in use, and what comes after it, an opening does again. To be called while the store is locked.
 */
import type { X509Certificate } from 'node:crypto'
import { join } from 'node:path'
import { HubError, quote } from '../../core/errors.ts'
import type { KeyPassphrase } from '../../core/key-file/passphrase.ts'
import { removeDurably, renameDurably } from '../../disk/durable-file.ts'
import { pointDurably } from '../../disk/durable-link.ts'
import type { NewCredential, NewReferredCredential, SlotName } from './credential.ts'
import { fileNames, type Places, readSmall } from './places.ts'
import { removeUsedKeys } from './repair.ts'
import { certificatesIn, removeUnused, slotAt, writeRoots, writeSlot } from './slots.ts'
import { linkFiles, linkMissing } from './take-over.ts'

/** A store that is locked, and how its keys are read. */
export interface LockedStore {
  readonly places: Places
  passphraseOf(): KeyPassphrase | null
}

export function prepareNext(
  { places, passphraseOf }: LockedStore,
  credential: NewCredential | NewReferredCredential,
): void {
  const slot = writeSlot(places, credential, passphraseOf())
  pointDurably(places.link('next'), slot)
  removeUnused(places)
}

export function promote(store: LockedStore): void {
  const { places } = store
  if (slotAt(places, 'next') === null) throw missing(places, 'next')
  keepAsPrevious(places)
  renameDurably(places.link('next'), places.link('current'))
  tidy(store)
}

export function install(store: LockedStore, credential: NewCredential | NewReferredCredential): void {
  const { places } = store
  const slot = writeSlot(places, credential, store.passphraseOf())
  linkMissing(places)
  keepAsPrevious(places)
  pointDurably(places.link('current'), slot)
  // It was fetched with the credential that is not in use any more.
  if (slotAt(places, 'next') !== null) removeDurably(places.link('next'))
  tidy(store)
}

export function rollBack({ places }: LockedStore): void {
  if (slotAt(places, 'next') === null) return
  removeDurably(places.link('next'))
  removeUnused(places)
}

export function revert(store: LockedStore): void {
  const { places } = store
  const previous = slotAt(places, 'previous')
  if (previous === null) throw missing(places, 'previous')
  // The roots have perhaps changed since, and the hub proves itself with new ones.
  const roots = rootsIn(places, 'current')
  if (roots.length > 0) writeRoots(places, previous, roots)
  renameDurably(places.link('previous'), places.link('current'))
  tidy(store)
}

export function clear({ places }: LockedStore): void {
  // In this order, so that a crash leaves none that had been given up in use.
  for (const name of ['previous', 'next', 'current'] as const) {
    if (slotAt(places, name) !== null) removeDurably(places.link(name))
  }
  removeUnused(places)
  for (const file of [places.key, places.certificate, places.ca]) removeDurably(file)
}

export function replaceRoots({ places }: LockedStore, roots: readonly X509Certificate[]): void {
  // The next first: after a crash in between, current still has what its hub proves itself with.
  for (const name of ['next', 'current'] as const) {
    const slot = slotAt(places, name)
    if (slot !== null) writeRoots(places, slot, roots)
  }
}

/**
 * The roots of a slot; none where there is no such slot.
 *
 * @throws HubError `credential-file-unreadable` where their file is damaged
 */
export function rootsIn(places: Places, name: SlotName): readonly X509Certificate[] {
  const slot = slotAt(places, name)
  if (slot === null) return []
  const path = join(places.path, slot, fileNames.ca)
  const text = readSmall(path) ?? ''
  try {
    return certificatesIn(text)
  } catch (error) {
    throw new HubError('credential-file-unreadable', `${quote(path)} does not hold the roots of the hub any more`, {
      hint: 'copy them there again, as from `ca.pem` of the hub, or enrol the device again',
      cause: error,
    })
  }
}

function keepAsPrevious(places: Places): void {
  const current = slotAt(places, 'current')
  if (current !== null) pointDurably(places.link('previous'), current)
}

/** What follows the switch. */
function tidy(store: LockedStore): void {
  linkFiles(store.places)
  removeUnused(store.places)
  removeUsedKeys(store.places, store)
}

function missing({ path }: Places, name: SlotName): HubError {
  return new HubError('credential-missing', `${quote(path)} holds no ${name} credential`)
}
