/** Opens the keys that were found with the passphrases that were found, and says what keeps one closed. */
import type { KeyObject } from 'node:crypto'
import { HubError } from '../../core/errors.ts'
import type { FoundForm } from '../../core/key-file/found-form.ts'
import { type BroughtFile, openPrivateKey, readPfxFile } from '../../core/key-file/key-reader.ts'
import { OutOfRounds, type RoundBudget } from '../../core/key-file/work.ts'
import type { Secret } from '../../core/secret.ts'
import { type FileContents, type FoundCertificate, foundCertificate } from './contents.ts'
import type { FoundFile } from './found-file.ts'
import type { PassphraseFile, Reading } from './passphrase.ts'

export interface OpenedKey {
  readonly file: FoundFile
  readonly form: FoundForm
  /** Null where it was not opened. */
  readonly key: KeyObject | null
  readonly state:
    | 'open'
    | 'passphrase-missing'
    | 'passphrase-wrong'
    | 'passphrases-untried'
    | 'cipher-unread'
    | 'damaged'
  /** Which file of a passphrase opened it, and how that was read. */
  readonly opener: { readonly file: FoundFile; readonly reading: Reading } | null
  /** Those of a PFX, in its order. */
  readonly certificates: readonly FoundCertificate[]
  /** In words, where it is damaged. */
  readonly damage: string
}

/** Every key in a file. @param budget what all tries of one examination may cost */
export function openKeys(
  contents: FileContents,
  passphrases: readonly PassphraseFile[],
  budget: RoundBudget,
): readonly OpenedKey[] {
  const { file, keys, pfx } = contents
  const opened = keys.map(({ form, brought }): OpenedKey => {
    // How long it would take to try is not known where its parameters are not.
    if (form.encryption === 'PKCS#8') return { ...shut(file, form), state: 'damaged', damage: unreadCipher }
    const tried = tryAll(passphrases, form.encryption !== null, (passphrase) =>
      openPrivateKey(brought, passphrase, budget),
    )
    return { file, form, certificates: [], ...settled(tried, form, (key) => key) }
  })
  return pfx === null ? opened : [...opened, openPfx(file, pfx, passphrases, budget)]
}

const unreadCipher = 'the way in which it is encrypted cannot be read'

function shut(file: FoundFile, form: FoundForm): Pick<OpenedKey, 'file' | 'form' | 'key' | 'opener' | 'certificates'> {
  return { file, form, key: null, opener: null, certificates: [] }
}

const pfxForm: FoundForm = { form: 'PFX', container: 'DER', encryption: 'that of PFX' }

function openPfx(
  file: FoundFile,
  pfx: BroughtFile,
  passphrases: readonly PassphraseFile[],
  budget: RoundBudget,
): OpenedKey {
  // One without a passphrase has an empty one.
  const tried = tryAll(passphrases, false, (passphrase) => readPfxFile(pfx, passphrase, budget))
  const parts = tried.value
  const certificates = (parts?.certificates ?? []).flatMap((der, index) => foundCertificate(file, der, index + 1) ?? [])
  return { file, form: pfxForm, certificates, ...settled(tried, pfxForm, ({ key }) => key) }
}

interface Tried<T> {
  readonly value: T | null
  readonly opener: OpenedKey['opener']
  readonly error: HubError | null
  readonly hadPassphrase: boolean
  /** Whether the budget was used up before every passphrase was tried. */
  readonly isCut: boolean
}

function tryAll<T>(
  passphrases: readonly PassphraseFile[],
  isLocked: boolean,
  open: (passphrase: Secret | null) => T | null,
): Tried<T> {
  const candidates = passphrases.flatMap(({ file, candidates: each }) =>
    each.map(({ reading, passphrase }) => ({ passphrase, opener: { file, reading } })),
  )
  const keyless = isLocked ? [] : [{ passphrase: null, opener: null }]
  const hadPassphrase = candidates.length > 0
  let error: HubError | null = null
  for (const { passphrase, opener } of [...keyless, ...candidates]) {
    try {
      const value = open(passphrase)
      if (value !== null) return { value, opener, error: null, hadPassphrase, isCut: false }
    } catch (thrown) {
      if (thrown instanceof OutOfRounds) return { value: null, opener: null, error, hadPassphrase, isCut: true }
      if (!(thrown instanceof HubError)) throw thrown
      // What a passphrase has to say counts more than that there was none.
      error = thrown
      // Under a wrong passphrase a key sometimes looks decrypted and of no known kind: the next one may be right.
      if (thrown.code !== 'credential-passphrase-wrong' && !isLocked) break
    }
  }
  return { value: null, opener: null, error, hadPassphrase, isCut: false }
}

function settled<T>(
  { value, opener, error, hadPassphrase, isCut }: Tried<T>,
  form: FoundForm,
  keyOf: (value: T) => KeyObject,
): Pick<OpenedKey, 'key' | 'state' | 'opener' | 'damage'> {
  if (value !== null) return { key: keyOf(value), state: 'open', opener, damage: '' }
  const closed = { key: null, opener: null, damage: '' }
  if (isCut) return { ...closed, state: 'passphrases-untried' }
  if (error === null || error.code === 'credential-passphrase-wrong') {
    return { ...closed, state: hadPassphrase ? 'passphrase-wrong' : 'passphrase-missing' }
  }
  if (form.encryption === null || form.form === 'PFX') return { ...closed, state: 'damaged', damage: error.message }
  // A wrong passphrase sometimes leaves octets that look decrypted and are no key.
  return { ...closed, state: isCipherRead(form.encryption) ? 'passphrase-wrong' : 'cipher-unread' }
}

/** Whether OpenSSL as Node has it decrypts this. */
function isCipherRead(encryption: string): boolean {
  return /AES|DES-EDE3|triple DES/.test(encryption) && !/RC[24]|MD[25] and|SHA-1 and DES/.test(encryption)
}
