/** Encryption of backups in the age format (age-encryption.org/v1), which Debian's `age` opens too. */
import { Decrypter, Encrypter, type Identity, type Recipient } from 'age-encryption'
import { HubError, quote } from '../core/errors.ts'
import { Secret } from '../core/secret.ts'
import { damaged } from './lines.ts'

/** Whom a backup is encrypted to; null for nobody. */
export type Seal = { readonly recipients: readonly string[] } | { readonly passphrase: Secret } | null

/** What opens a backup. */
export interface Keyring {
  readonly passphrase: Secret | null
  /** `AGE-SECRET-KEY-1…` */
  readonly identities: readonly Secret[]
  /** The key of a file that this process has just sealed. */
  readonly fileKey?: FileKey
}

/** The key of one sealed file, kept in memory so that it can be read back although only others can open it. */
export class FileKey {
  bytes: Uint8Array | null = null
}

/** The first bytes of a sealed file. */
export const sealMagic: Buffer = Buffer.from('age-encryption.org/v1\n')

/** @throws HubError `usage` for a text that is no recipient */
export function assertRecipient(text: string): void {
  try {
    new Encrypter().addRecipient(text)
  } catch (cause) {
    throw new HubError('usage', `${quote(text)} is not an age recipient`, {
      hint: 'give the public key that `age-keygen` prints, age1…',
      cause,
    })
  }
}

/** Encrypts a stream; the key of the file is left in `fileKey`. */
export async function sealed(
  plain: ReadableStream<Uint8Array>,
  seal: Exclude<Seal, null>,
  fileKey: FileKey,
): Promise<ReadableStream<Uint8Array>> {
  const encrypter = new Encrypter()
  if ('passphrase' in seal) encrypter.setPassphrase(seal.passphrase.reveal())
  else {
    for (const recipient of seal.recipients) encrypter.addRecipient(recipient)
    encrypter.addRecipient(witness(fileKey))
  }
  return encrypter.encrypt(plain)
}

/**
 * Decrypts a stream. Later pieces throw where the file was changed or cut.
 *
 * @throws HubError `backup-sealed` when nothing on the ring opens it, `backup-damaged`
 */
export async function unsealed(
  stream: ReadableStream<Uint8Array>,
  { passphrase, identities, fileKey }: Keyring,
): Promise<ReadableStream<Uint8Array>> {
  const decrypter = new Decrypter()
  if (fileKey?.bytes) decrypter.addIdentity(holderOf(fileKey.bytes))
  if (passphrase !== null) decrypter.addPassphrase(passphrase.reveal())
  for (const identity of identities) addIdentity(decrypter, identity)
  try {
    return await decrypter.decrypt(stream)
  } catch (cause) {
    const isLocked = cause instanceof Error && /no identity matched/.test(cause.message)
    if (!isLocked) throw damaged('its encryption is damaged', cause)
    const tried = passphrase === null && identities.length === 0
    throw new HubError('backup-sealed', tried ? 'the backup is encrypted' : 'what was given does not open the backup')
  }
}

function addIdentity(decrypter: Decrypter, identity: Secret): void {
  try {
    decrypter.addIdentity(identity.reveal())
  } catch {
    // The cause would repeat what may be a secret.
    throw new HubError('usage', 'the identity file holds a line that is no identity of age', {
      hint: 'give the file that `age-keygen -o` has written',
    })
  }
}

/** The identities of a file as `age-keygen` writes it: one a line, comments between them. */
export function identitiesIn(text: Secret): readonly Secret[] {
  return text
    .reveal()
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '' && !line.startsWith('#'))
    .map((line) => new Secret(line))
}

/** A recipient that leaves nothing in the file and remembers its key. */
function witness(fileKey: FileKey): Recipient {
  return {
    wrapFileKey(bytes) {
      fileKey.bytes = Uint8Array.from(bytes)
      return []
    },
  }
}

function holderOf(bytes: Uint8Array): Identity {
  return { unwrapFileKey: () => Uint8Array.from(bytes) }
}
