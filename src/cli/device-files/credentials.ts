/** Where key and certificate of a device come from: a credential store, files, or an enrolment that is done here. */
import { createPrivateKey, type KeyObject, type X509Certificate } from 'node:crypto'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { HubError, quote } from '../../core/errors.ts'
import type { Bootstrap } from '../../core/identity/bootstrap.ts'
import type { IdentityId } from '../../core/identity/id.ts'
import { readCertificateFile } from '../../core/key-file/certificate-reader.ts'
import { type EnrolProgress, enrol } from '../../device/enrol.ts'
import { assertInDate, readBroughtCredential } from '../../device/import/brought-credential.ts'
import { passphraseIn, readBrought } from '../../device/import/brought-files.ts'
import { namesOf } from '../../device/issued-certificate.ts'
import type { NewKeyKind } from '../../device/private-key.ts'
import type { CredentialStore } from '../../device/store/credential.ts'
import { openCredentialStore } from '../../device/store/open.ts'
import type { Server } from './examples.ts'
import type { Origin } from './kit.ts'
import { prepareUnfinished } from './write-folder.ts'

export interface DeviceCredential {
  readonly key: KeyObject
  readonly chain: readonly [X509Certificate, ...X509Certificate[]]
  readonly roots: readonly X509Certificate[]
  /** The hub that it is for, where that is known. */
  readonly server: Server | null
  readonly origin: Origin
}

/**
 * That of a store, which stays as it is.
 *
 * @throws HubError `credential-missing`; `key-elsewhere`; `store-unwritable`; `key-passphrase-unusable`
 */
export function fromStore(directory: string, onNotice: (text: string) => void): DeviceCredential {
  if (!existsSync(directory)) throw new HubError('credential-missing', `there is no folder ${quote(directory)}`)
  return held(openCredentialStore(directory, { onNotice }), { kind: 'store', path: directory })
}

export interface CredentialPaths {
  readonly certificate: string | null
  readonly key: string | null
  readonly passphrase: string | null
}

/**
 * One that the person names by its files; what they are is told by their content, and they stay where they are.
 *
 * @throws HubError as {@link readBroughtCredential}
 */
export function fromFiles({ certificate, key, passphrase }: CredentialPaths): DeviceCredential {
  const read = (path: string | null) => (path === null ? null : readBrought(path, ''))
  const words = read(passphrase)
  const { chain, key: held } = readBroughtCredential({
    certificate: read(certificate),
    key: read(key),
    passphrase: words && passphraseIn(words),
    ca: null,
  })
  return { key: held, chain, roots: [], server: null, origin: { kind: 'files' } }
}

export interface EnrolHere {
  readonly bootstrap: Bootstrap
  readonly keyKind: NewKeyKind
  /** The folder that is to be written: the key waits beside it until it is. */
  readonly out: string
  onProgress(progress: EnrolProgress): void
  onNotice(text: string): void
}

/**
 * Makes a key and has it certified. It is on disk before the hub is asked, so that the same command goes on with it after a crash.
 *
 * @throws HubError whatever {@link enrol} throws; `files-unwritable`
 */
export async function enrolHere({
  bootstrap,
  keyKind,
  out,
  onProgress,
  onNotice,
}: EnrolHere): Promise<DeviceCredential> {
  const directory = join(prepareUnfinished(out), 'store')
  await enrol({
    bootstrap,
    directory,
    key: { kind: 'new', keyKind },
    wait: (ms) => delay(ms),
    onProgress,
    onNotice,
  })
  return held(openCredentialStore(directory, { onNotice }), { kind: 'made' })
}

function held(store: CredentialStore, origin: Origin): DeviceCredential {
  const identity = store.tlsIdentity()
  if (identity === null) throw new HubError('credential-missing', `${quote(store.path)} holds no credential`)
  const hub = store.current()?.hub ?? null
  return {
    key: createPrivateKey(identity.key.reveal()),
    chain: readCertificateFile({ name: store.files.certificate, bytes: Buffer.from(identity.chain) }),
    roots: store.roots(),
    // Another EST server says nothing about a broker.
    server: hub === null || hub.mqttPort === 0 ? null : { host: hub.host, port: hub.mqttPort },
    origin,
  }
}

/**
 * Looks whether a credential is that of the device which the person named, and good now.
 *
 * @param nowMs milliseconds since the epoch
 * @throws HubError `device-files-of-another`; `import-out-of-date`
 */
export function assertOf(id: IdentityId, { chain: [own] }: DeviceCredential, nowMs: number): void {
  const names = namesOf(own)
  if (!names.includes(id)) {
    const whose = names.map(quote).join(', ') || 'nobody'
    throw new HubError('device-files-of-another', `the certificate is for ${whose}, not for ${quote(id)}`)
  }
  assertInDate(own, nowMs)
}

/** @throws HubError `credential-file-unreadable` */
export function rootsIn(path: string): readonly X509Certificate[] {
  return readCertificateFile(readBrought(path, ''))
}
