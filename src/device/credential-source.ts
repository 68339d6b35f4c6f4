/**
 * What new connections of a device show and whom they believe, read anew where the folder has changed: a renewed certificate is
 * used without a restart, and nobody has to be told of it.
 */
import type { BigIntStats } from 'node:fs'
import { existsSync, statSync } from 'node:fs'
import { resolve } from 'node:path'
import { HubError, quote } from '../core/errors.ts'
import type { CredentialStore, HubRecord, TlsIdentity } from './store/credential.ts'
import { openCredentialStore } from './store/open.ts'

/** What a connection shows and whom it believes. */
export interface PresentedCredential {
  readonly identity: TlsIdentity
  /** What servers are verified with, in PEM; empty where the folder holds no roots. */
  readonly roots: string
  /** The hub that issued it; null where somebody else did. */
  readonly hub: HubRecord | null
  /** SHA-256 of the certificate, lower-case hexadecimal. */
  readonly fingerprint: string
  /** The last second in which the certificate is good, milliseconds since the epoch. */
  readonly notAfterMs: number
}

export interface CredentialSource {
  /** How messages name it. */
  readonly path: string
  /**
   * The credential that is in place now; the same object until another one is.
   *
   * @throws HubError `credential-missing`; `store-unwritable` where others could have read or changed the files
   */
  current(): PresentedCredential
}

/** How often a folder that changes while it is read is read again. */
const readsMax = 4

/**
 * The current credential of a store. Its folder need not be there yet: it is looked for at each call, and never made.
 *
 * @param onNotice told what the opening has put in order, such as the mode of a key
 */
export function credentialSource(directory: string, onNotice?: (text: string) => void): CredentialSource {
  const path = resolve(directory)
  let store: CredentialStore | null = null
  let kept: { readonly stamp: string; readonly credential: PresentedCredential } | null = null
  return {
    path,
    current() {
      if (!existsSync(path)) throw new HubError('credential-missing', `there is no folder ${quote(path)}`)
      store ??= openCredentialStore(path, onNotice === undefined ? {} : { onNotice })
      const paths = Object.values(store.files)
      for (let reads = 0; reads < readsMax; reads++) {
        const stamp = paths.map(stampOf).join()
        if (kept?.stamp === stamp) return kept.credential
        const credential = read(store)
        // Only what did not change meanwhile belongs together.
        if (paths.map(stampOf).join() !== stamp) continue
        kept = { stamp, credential }
        return credential
      }
      if (kept !== null) return kept.credential
      throw missing(path, 'the folder does not stop changing')
    },
  }
}

function read(store: CredentialStore): PresentedCredential {
  const held = store.current()
  const identity = store.tlsIdentity()
  if (held === null || identity === null) throw missing(store.path, 'there is no key with its certificate')
  return {
    identity,
    roots: store.roots().map(String).join(''),
    hub: held.hub?.estPath === undefined ? held.hub : null,
    fingerprint: held.certificate.fingerprint256.replaceAll(':', '').toLowerCase(),
    notAfterMs: held.certificate.validToDate.getTime(),
  }
}

/** Says whether a file is still the same one with the same content; links are followed. */
function stampOf(path: string): string {
  const stats: BigIntStats | undefined = statSync(path, { bigint: true, throwIfNoEntry: false })
  return stats === undefined ? '-' : `${stats.dev}:${stats.ino}:${stats.size}:${stats.mtimeNs}:${stats.ctimeNs}`
}

function missing(path: string, what: string): HubError {
  return new HubError('credential-missing', `${what} in ${quote(path)}`)
}
