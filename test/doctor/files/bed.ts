/** Files as people have them, good ones to begin with: an authority, a certificate below it, and its key. */
import { type KeyObject, randomBytes } from 'node:crypto'
import type { FailureName } from '../../../src/core/failure/catalogue.ts'
import { keyFile } from '../../../src/core/key-file/key-file.ts'
import { parseKeyPassphrase } from '../../../src/core/key-file/passphrase.ts'
import { Secret } from '../../../src/core/secret.ts'
import { basicConstraints, type Extension, extendedKeyUsage, keyUsage } from '../../../src/core/x509/extensions.ts'
import { oids } from '../../../src/core/x509/oids.ts'
import { examineFiles, type FilesQuestion } from '../../../src/doctor/files/examine-files.ts'
import type { FoundFile } from '../../../src/doctor/files/found-file.ts'
import type { Finding } from '../../../src/doctor/finding.ts'
import { type OwnCertificate, ownCertificate } from '../../support/own-certificate.ts'

export const nowMs = Date.UTC(2026, 10, 25)
const nowSec = nowMs / 1000
export const day = 86_400
/** In its first half. */
export const validity = { notBeforeSec: nowSec - 10 * day, notAfterSec: nowSec + 80 * day }

/** What a passphrase file of the tests holds: no output may repeat it. */
export const markedPassphrase = 'marker-of-a-passphrase'

export const authorityExtensions: readonly Extension[] = [basicConstraints(2), keyUsage(['keyCertSign', 'cRLSign'])]
export const clientExtensions: readonly Extension[] = [
  keyUsage(['digitalSignature']),
  extendedKeyUsage([oids.clientAuth]),
]

export const root: OwnCertificate = ownCertificate('Plant Root', { extensions: authorityExtensions, validity: long() })
export const issuing: OwnCertificate = ownCertificate('Plant Issuing', {
  ...{ issuer: root, extensions: authorityExtensions, validity: long() },
})
export const device: OwnCertificate = ownCertificate('pump-7', {
  issuer: issuing,
  extensions: clientExtensions,
  validity,
})

function long() {
  return { notBeforeSec: nowSec - 100 * day, notAfterSec: nowSec + 3_000 * day }
}

export function pem(key: KeyObject): string {
  return key.export({ type: 'pkcs8', format: 'pem' }).toString()
}

/** A key under the marked passphrase. */
export function encrypted(
  key: KeyObject,
  form: 'pkcs8' | 'traditional' = 'traditional',
  phrase = markedPassphrase,
): string {
  return keyFile(key, form, parseKeyPassphrase(new Secret(phrase)), randomBytes).reveal()
}

export function file(name: string, content: string | Uint8Array, more: Partial<FoundFile> = {}): FoundFile {
  const bytes = typeof content === 'string' ? new Uint8Array(Buffer.from(content)) : content
  return { name, bytes, unread: null, access: { mode: 0o600, isOwn: true }, ...more }
}

/** The folder of a device with nothing wrong in it; files of the same name take the place of the good ones. */
export function folder(...others: readonly FoundFile[]): readonly FoundFile[] {
  const good = [
    file('client_cert.pem', device.pem + issuing.pem),
    file('private_key.pem', pem(device.privateKey)),
    file('ca.pem', root.pem),
  ]
  return [...good.filter(({ name }) => others.every((other) => other.name !== name)), ...others]
}

export function examine(files: readonly FoundFile[], more: Partial<FilesQuestion> = {}) {
  return examineFiles({ files, isFolder: true, subject: 'pump-7', platform: null, nowMs, ...more })
}

export function findings(files: readonly FoundFile[], more: Partial<FilesQuestion> = {}): readonly Finding[] {
  return examine(files, more).flatMap((each) => each.findings)
}

/** What was found, in the order of the files. */
export function codes(files: readonly FoundFile[], more: Partial<FilesQuestion> = {}): readonly FailureName[] {
  return findings(files, more).map(({ code }) => code)
}

/** What keeps a device out. */
export function faults(files: readonly FoundFile[], more: Partial<FilesQuestion> = {}): readonly FailureName[] {
  return findings(files, more)
    .filter(({ severity }) => severity === 'fault')
    .map(({ code }) => code)
}
