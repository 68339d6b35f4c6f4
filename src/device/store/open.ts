/** Opens a credential store: the folder is put in order, and each change is made by one process at a time. */
import { type BigIntStats, statSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { HubError, quote } from '../../core/errors.ts'
import type { KeyPassphrase } from '../../core/key-file/passphrase.ts'
import { Secret } from '../../core/secret.ts'
import { certificateFingerprint } from '../../core/x509/certificate.ts'
import { pointDurably, targetOf } from '../../disk/durable-link.ts'
import { withFileLock } from '../../disk/file-lock.ts'
import { type DeviceIdentity, placeText } from '../key-elsewhere/reference.ts'
import * as change from './changes.ts'
import type { CredentialStore, CredentialStoreOptions, HeldCredential, SlotName } from './credential.ts'
import { keepGoodTime, readGoodTime } from './good-time.ts'
import { fileNames, guarded, type Places, placesIn, prepareFolder } from './places.ts'
import { isInOrder, repair } from './repair.ts'
import { isReference, readFolder, type SlotContent, slotAt } from './slots.ts'
import { isEncrypting, readKey, readPassphrase, writeKey } from './stored-key.ts'
import { watchStore } from './watch.ts'

/**
 * Opens the folder, makes it (0700) if it is not there, and ends what a crash has interrupted. A folder in which certificate and
 * key lie as plain files is taken over.
 *
 * @throws HubError `store-unwritable`: it belongs to somebody else, others may write to it, or the disk refuses;
 *   `key-passphrase-unusable`
 */
export function openCredentialStore(
  directory: string,
  { passphraseFile, onNotice = () => {} }: CredentialStoreOptions = {},
): CredentialStore {
  const places = placesIn(directory)
  const store: change.LockedStore = { places, passphraseOf: () => passphraseOf(places) }
  const read = reader(store)
  const locked = (work: () => void): void => guarded(places.path, () => withFileLock(places.lock, work))
  guarded(places.path, () => {
    prepareFolder(places)
    if (passphraseFile !== undefined) locked(() => encryptUnder(places, resolve(passphraseFile)))
    if (isInOrder(places)) return
    locked(() => repair(places, { ...store, onNotice, install: (credential) => change.install(store, credential) }))
  })
  const held = (slot: SlotName): HeldCredential | null => {
    const content = guarded(places.path, () => read(slot))
    return content === null ? null : { certificate: content.certificate, hub: content.hub }
  }
  const identityIn = (slot: SlotName): DeviceIdentity | null => {
    const content = guarded(places.path, () => read(slot))
    if (content === null) return null
    const { key, chain } = content
    return { key: isReference(key) ? key : key.pem, chain }
  }
  /** What has come for a credential that others have replaced meanwhile is given up: theirs is the owner's word. */
  function assertStillThere(fingerprint: string): void {
    const current = held('current')
    if (current !== null && certificateFingerprint(current.certificate.raw) === fingerprint) return
    change.rollBack(store)
    throw new HubError('credential-changed', `the credential in ${quote(places.path)} was changed by others meanwhile`)
  }

  return {
    path: places.path,
    files: { key: places.key, certificate: places.certificate, ca: places.ca },
    current: () => held('current'),
    next: () => held('next'),
    previous: () => held('previous'),
    tlsIdentity: (slot = 'current') => {
      const identity = identityIn(slot)
      if (identity === null) return null
      const { key, chain } = identity
      if (key instanceof Secret) return { key, chain }
      throw new HubError(
        'key-elsewhere',
        `the key of the certificate in ${quote(places.path)} is not in a file (${placeText(key.place)})`,
      )
    },
    deviceIdentity: (slot = 'current') => identityIn(slot),
    waitingKey: (id) => guarded(places.path, () => readKey(places.waitingKey(id), store.passphraseOf)?.pem ?? null),
    keepWaitingKey: (id, keyPem) => locked(() => writeKey(places.waitingKey(id), keyPem, store.passphraseOf())),
    prepareNext: (credential) => locked(() => change.prepareNext(store, credential)),
    promote: (instead) =>
      locked(() => {
        if (instead !== undefined) assertStillThere(instead)
        change.promote(store)
      }),
    rollBack: () => locked(() => change.rollBack(store)),
    revert: () => locked(() => change.revert(store)),
    install: (credential) => locked(() => change.install(store, credential)),
    clear: () => locked(() => change.clear(store)),
    roots: () => guarded(places.path, () => change.rootsIn(places, 'current')),
    replaceRoots: (roots) => locked(() => change.replaceRoots(store, roots)),
    lastGoodTimeMs: () => guarded(places.path, () => latest(readGoodTime(places), held('current'))),
    noteTime: (ms) => locked(() => keepGoodTime(places, ms)),
    watch: (onChange) => watchStore(places, onChange),
  }
}

/** The kept time, and that at which the certificate began: both have been. */
function latest(kept: number | null, current: HeldCredential | null): number | null {
  const times = [kept, current?.certificate.validFromDate.getTime() ?? null].filter((each) => each !== null)
  return times.length === 0 ? null : Math.max(...times)
}

function passphraseOf(places: Places): KeyPassphrase | null {
  return isEncrypting(places) ? readPassphrase(places.passphrase) : null
}

/** Remembers where the passphrase is. The keys are encrypted by the putting in order that follows. */
function encryptUnder(places: Places, file: string): void {
  if (file === places.passphrase || targetOf(places.passphrase) === file) return
  const passphrase = readPassphrase(file)
  const slot = isEncrypting(places) ? slotAt(places, 'current') : null
  if (slot !== null && readKey(join(places.path, slot, fileNames.key), () => passphrase) === null) {
    throw new HubError(
      'key-passphrase-unusable',
      `the keys in ${quote(places.path)} are not under the passphrase in ${quote(file)}`,
      {
        hint: 'the new file must hold the passphrase of the old one; for another passphrase enrol into another folder',
      },
    )
  }
  pointDurably(places.passphrase, file)
}

/**
 * Reads slots, and each only once while nothing of it changes: to open an encrypted key takes a tenth of a second. A slot may be
 * given up between the look at its link and the reading; then the link is looked at again.
 */
function reader({ places, passphraseOf }: change.LockedStore): (slot: SlotName) => SlotContent | null {
  const known = new Map<SlotName, { readonly signature: string; readonly content: SlotContent | null }>()
  return (name) => {
    for (let slot = slotAt(places, name); slot !== null; ) {
      const folder = join(places.path, slot)
      const signature = [slot, ...Object.values(fileNames).map((file) => stampOf(join(folder, file)))].join('|')
      const kept = known.get(name)
      if (kept?.signature === signature) return kept.content
      const content = readFolder(folder, passphraseOf)
      const now = slotAt(places, name)
      if (content !== null || now === slot) {
        known.set(name, { signature, content })
        return content
      }
      slot = now
    }
    return null
  }
}

function stampOf(path: string): string {
  const stats: BigIntStats | undefined = statSync(path, { bigint: true, throwIfNoEntry: false })
  return stats === undefined ? '' : `${stats.ino} ${stats.mtimeNs} ${stats.mode}`
}
