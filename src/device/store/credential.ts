/** What a credential store holds and what it does, as everything else on a device sees it. */
import type { X509Certificate } from 'node:crypto'
import type { IdentityId } from '../../core/identity/id.ts'
import type { Secret } from '../../core/secret.ts'
import type { DeviceIdentity, KeyReference } from '../key-elsewhere/reference.ts'

/**
 * Absolute paths for an MQTT client. They stay the same for ever: each is a link into the slot that is current, so that whoever
 * opens them after a renewal reads the new files.
 */
export interface CredentialFiles {
  readonly key: string
  readonly certificate: string
  readonly ca: string
}

/** The hub that a credential is for, as `hub.json` keeps it. */
export interface HubRecord {
  readonly id: string
  readonly host: string
  readonly httpsPort: number
  readonly mqttPort: number
  readonly rootFingerprint: string
  /** Which token it was enrolled with: the part that finds it, not the secret. */
  readonly tokenId: string
  /** Where the EST operations of a server are that is no hub, such as `/.well-known/est/plant`; a hub's record has none. */
  readonly estPath?: string
  /** SHA-256 of the certificate that this record belongs to, lower-case hexadecimal. */
  readonly fingerprint: string
}

/** A certificate whose key is at hand, or known to be elsewhere. */
export interface HeldCredential {
  readonly certificate: X509Certificate
  /** Null where the certificate is of somebody else's authority, or was put there by other means. */
  readonly hub: HubRecord | null
}

/** What is put into a slot, but for the key. */
export interface NewCertificate {
  /** The device's certificate, then those between it and the root. */
  readonly chain: readonly X509Certificate[]
  /** What servers are verified with; empty where the roots of the system are to be taken. */
  readonly roots: readonly X509Certificate[]
  readonly hub: HubRecord | null
}

export interface NewCredential extends NewCertificate {
  /** The key in PEM, unencrypted, that the certificate is for. */
  readonly keyPem: Secret
}

/** One whose key is elsewhere. */
export interface NewReferredCredential extends NewCertificate {
  readonly keyReference: KeyReference
}

/** Who a device is in TLS. */
export interface TlsIdentity {
  /** In PEM, unencrypted. */
  readonly key: Secret
  /** Its certificate and those behind it, in PEM. */
  readonly chain: string
}

/** `current` is in use, `next` has come and is not proved, `previous` was in use before. */
export const slotNames = ['current', 'next', 'previous'] as const
export type SlotName = (typeof slotNames)[number]

/**
 * A folder with the credential of one device. What a method has done is on disk when it returns. Several processes may have it
 * open: each change is made whole, one at a time, and readers see the pair before it or the pair after it.
 *
 * Every method may throw HubError `store-unwritable` (owner, mode, size, or the disk), and those that read or write a key
 * `key-passphrase-unusable` where keys are encrypted and the file of the passphrase cannot be read.
 */
export interface CredentialStore {
  readonly path: string
  readonly files: CredentialFiles

  /** The pair that is in use, in date or not, or null. */
  current(): HeldCredential | null
  /** The pair that waits for its proof, or null. */
  next(): HeldCredential | null
  /** The pair that was in use before, or null. */
  previous(): HeldCredential | null
  /**
   * A pair as TLS needs it, or null.
   *
   * @param slot `current` if not given
   * @throws HubError `key-elsewhere` where the key is not in this folder
   */
  tlsIdentity(slot?: SlotName): TlsIdentity | null
  /** The same, with a reference to the key where that is elsewhere. */
  deviceIdentity(slot?: SlotName): DeviceIdentity | null

  /** The key that waits for a certificate for this id, or null. */
  waitingKey(id: IdentityId): Secret | null
  /** Keeps a key for this id until a certificate comes for it. */
  keepWaitingKey(id: IdentityId, keyPem: Secret): void

  /** Puts a credential into `next`, in place of one that waits there. Nothing that is in use changes. */
  prepareNext(credential: NewCredential | NewReferredCredential): void
  /**
   * `next` becomes `current`, and what was current `previous`.
   *
   * @param instead SHA-256 of the certificate that it follows, lower-case hexadecimal: where another one is current by now, `next` is
   *   given up
   * @throws HubError `credential-missing` where nothing waits; `credential-changed`
   */
  promote(instead?: string): void
  /** Gives up what waits in `next`, if anything does. */
  rollBack(): void
  /** `previous` becomes `current` again, and what was current is given up. @throws HubError `credential-missing` */
  revert(): void
  /** {@link prepareNext} and {@link promote} in one: for a first credential, or one that its owner brings. */
  install(credential: NewCredential | NewReferredCredential): void
  /** Removes the credentials of all slots; their keys are overwritten. Waiting keys stay. */
  clear(): void

  /** The roots of the current credential. */
  roots(): readonly X509Certificate[]
  /** Puts other roots beside the current credential and beside the next. */
  replaceRoots(roots: readonly X509Certificate[]): void

  /** The latest time that is known to have been, in milliseconds since the epoch, or null. */
  lastGoodTimeMs(): number | null
  /** Notes a time that somebody who proved himself has confirmed; one that lies before the known one changes nothing. */
  noteTime(ms: number): void

  /**
   * Calls when another credential or other roots have become current, whichever process did it.
   *
   * @returns ends it; it keeps no process running in any case
   */
  watch(onChange: () => void): () => void
}

export interface CredentialStoreOptions {
  /**
   * A file of the owner's whose one line is the passphrase of the keys in this store. Given once, it is remembered, and keys are
   * encrypted from then on; the file must be there whenever a key is read. It is never written.
   */
  readonly passphraseFile?: string
  /** Told what an opening has put in order: a mode that let others read a key, files that could not be used. */
  readonly onNotice?: (text: string) => void
}
