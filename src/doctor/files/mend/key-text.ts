/** The key of a device in a form that its platform reads. */
import type { KeyObject } from 'node:crypto'
import { HubError } from '../../../core/errors.ts'
import type { Platform } from '../../../core/key-file/found-form.ts'
import { keyFile } from '../../../core/key-file/key-file.ts'
import { type KeyPassphrase, parseKeyPassphrase } from '../../../core/key-file/passphrase.ts'
import type { RandomOctets } from '../../../core/key-file/pbes2.ts'
import type { FileContents } from '../contents.ts'
import type { LookedAt } from '../examine-files.ts'
import type { OpenedKey } from '../open-key.ts'
import { stackFindings } from '../stack-findings.ts'

/** Null where the platform reads it as it is, or in no form; the passphrase stays what it is. */
export function convertedKey(
  contents: FileContents,
  looked: LookedAt,
  platform: Platform | null,
  random: RandomOctets,
): { readonly what: string; readonly text: string } | null {
  const key = keyToConvert(contents, looked, platform)
  if (key === null || platform === null) return null
  const passphrase = passphraseOf(key, looked.passphrases)
  if (passphrase === 'unknown' || passphrase instanceof HubError) return null
  const form = platform === 'modern' ? 'pkcs8' : 'traditional'
  const text = keyFile(key.key, form, passphrase, random).reveal()
  return { what: `gets the key in a form that ${platform} reads, under the same passphrase`, text }
}

/** Why a key that would be converted is not: under its passphrase no key file is written. Null where that is not so. */
export function unfitPassphrase(contents: FileContents, looked: LookedAt, platform: Platform | null): string | null {
  const key = keyToConvert(contents, looked, platform)
  const passphrase = key === null ? null : passphraseOf(key, looked.passphrases)
  return passphrase instanceof HubError ? passphrase.message : null
}

type Convertible = OpenedKey & { readonly key: KeyObject }

/** The one key of a file that the platform does not read as it is, and would in another form. */
function keyToConvert(
  { file, certificates, pem }: FileContents,
  { parts }: LookedAt,
  platform: Platform | null,
): Convertible | null {
  const [found, another] = parts.keys.filter((each) => each.file === file)
  if (platform === null || pem === null || found?.key === null || found === undefined || another !== undefined)
    return null
  if (certificates.length > 0 || stackFindings(found, [], platform).length === 0) return null
  return hasForm(found.key, platform) ? { ...found, key: found.key } : null
}

function hasForm({ asymmetricKeyType: type }: KeyObject, platform: Platform): boolean {
  return platform === 'modern' || type === 'ec' || type === 'rsa'
}

/** The passphrase that opened the key; why no key file is written under it, where that is so. Null where it has none. */
function passphraseOf(
  { opener }: OpenedKey,
  passphrases: LookedAt['passphrases'],
): KeyPassphrase | HubError | null | 'unknown' {
  if (opener === null) return null
  const file = passphrases.find((each) => each.file === opener.file)
  const candidate = file?.candidates.find(({ reading }) => reading === opener.reading)
  if (candidate === undefined) return 'unknown'
  try {
    return parseKeyPassphrase(candidate.passphrase)
  } catch (error) {
    if (error instanceof HubError) return error
    throw error
  }
}
