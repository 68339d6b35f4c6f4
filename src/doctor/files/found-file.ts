/** A file as it lies there, before anybody has looked into it. */
import type { FailureName } from '../../core/failure/catalogue.ts'
import { limits } from '../../core/limits.ts'

/** Who may do what with a file, where the system tells. */
export interface FileAccess {
  /** Permission bits, such as 0o600. */
  readonly mode: number
  /** Whether it belongs to the user who looks. */
  readonly isOwn: boolean
}

export interface FoundFile {
  /** As the person named it, or as it is found from there. */
  readonly name: string
  /** Empty where it could not be read. */
  readonly bytes: Uint8Array
  /** Why it could not be read. */
  readonly unread: Extract<FailureName, 'file-closed' | 'file-too-large' | 'file-missing'> | null
  readonly access: FileAccess | null
  /** What the person says that it is, whatever its name says. */
  readonly saidFor?: NamedFor
}

/** The last part of the name of a file: what says what its owner takes it for. */
export function baseName({ name }: Pick<FoundFile, 'name'>): string {
  return name.slice(Math.max(name.lastIndexOf('/'), name.lastIndexOf('\\')) + 1)
}

/** What a name says that a file is for. */
export type NamedFor = 'key' | 'certificate' | 'roots' | 'passphrase' | 'request' | null

/** By the names that people and programs give: those of Meadow, Mosquitto, AWS and of guides. */
export function namedFor(file: Pick<FoundFile, 'name' | 'saidFor'>): NamedFor {
  if (file.saidFor !== undefined) return file.saidFor
  const name = baseName(file).toLowerCase()
  if (/pass|\.pwd$/.test(name)) return 'passphrase'
  if (/\.csr$|request|(^|[._-])csr([._-]|$)/.test(name)) return 'request'
  if (/(^|[._-])(ca|cacerts?|roots?|rootca|trust\w*|anchors?)\d*([._-]|$)|rootca/.test(name) && !/key/.test(name)) {
    return 'roots'
  }
  if (/key|priv/.test(name) && !/pub/.test(name)) return 'key'
  if (/cert|crt|chain|\.cer$|\.pem\.crt$/.test(name)) return 'certificate'
  return null
}

/** Whether a name says that the certificate is a client's or a server's. */
export function roleNamed(file: Pick<FoundFile, 'name'>): 'client' | 'server' | null {
  const name = baseName(file).toLowerCase()
  if (/client|device/.test(name)) return 'client'
  return /server|broker|gateway|(^|[._-])hub([._-]|$)/.test(name) ? 'server' : null
}

/** Whether a file is as small as that of a passphrase is. */
export function isPassphraseSized({ bytes }: Pick<FoundFile, 'bytes'>): boolean {
  return bytes.length <= limits.doctorPassphraseBytesMax
}
