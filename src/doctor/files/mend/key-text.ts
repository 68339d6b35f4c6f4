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
  { file, certificates, pem }: FileContents,
  { parts, passphrases }: LookedAt,
  platform: Platform | null,
  random: RandomOctets,
): { readonly what: string; readonly text: string } | null {
  const [found, another] = parts.keys.filter((each) => each.file === file)
  if (platform === null || pem === null || found?.key === null || found === undefined || another !== undefined)
    return null
  if (certificates.length > 0 || stackFindings(found, [], platform).length === 0) return null
  if (!hasForm(found.key, platform)) return null
  const passphrase = passphraseOf(found, passphrases)
  if (passphrase === 'unfit') return null
  const form = platform === 'modern' ? 'pkcs8' : 'traditional'
  const text = keyFile(found.key, form, passphrase, random).reveal()
  return { what: `gets the key in a form that ${platform} reads, under the same passphrase`, text }
}

function hasForm({ asymmetricKeyType: type }: KeyObject, platform: Platform): boolean {
  return platform === 'modern' || type === 'ec' || type === 'rsa'
}

/** The passphrase that opened the key, where key files can be written under it. */
function passphraseOf({ opener }: OpenedKey, passphrases: LookedAt['passphrases']): KeyPassphrase | null | 'unfit' {
  if (opener === null) return null
  const file = passphrases.find((each) => each.file === opener.file)
  const candidate = file?.candidates.find(({ reading }) => reading === opener.reading)
  if (candidate === undefined) return 'unfit'
  try {
    return parseKeyPassphrase(candidate.passphrase)
  } catch (error) {
    if (error instanceof HubError) return 'unfit'
    throw error
  }
}
