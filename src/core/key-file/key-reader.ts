/**
 * Reads a private key from a file in whatever form people have it: PKCS#8, PKCS#1 and SEC1 in PEM and DER, encrypted or not, and
 * PFX. What cannot be read is named for what it is.
 */
import { createPrivateKey, getCiphers, type KeyObject } from 'node:crypto'
import { HubError, quote } from '../errors.ts'
import type { Secret } from '../secret.ts'
import { DerError, openDer, openSingle } from '../x509/der-reader.ts'
import { tags } from '../x509/der-tags.ts'
import { decodePem } from '../x509/pem.ts'
import { type FileKind, fileKind, type PemText } from './file-kind.ts'
import { readEncryption, TooManyRounds } from './pbe.ts'
import { isPfx, PfxLocked, type PfxParts, readPfx } from './pfx-reader.ts'
import type { RoundBudget } from './work.ts'

/** A file as it was brought. */
export interface BroughtFile {
  /** How messages name it. */
  readonly name: string
  readonly bytes: Uint8Array
}

/**
 * @param passphrase null where there is none
 * @returns an RSA, ECDSA or Ed25519 key that can sign
 * @throws HubError `credential-file-unreadable`, saying what the file is; `credential-passphrase-wrong`
 */
export function readPrivateKey(file: BroughtFile, passphrase: Secret | null): KeyObject {
  const key = openPrivateKey(file, passphrase)
  const fault = whatKeepsFromSigning(key)
  if (fault !== null)
    throw unreadable(file, `holds ${fault}`, 'bring an ECDSA key on P-256 or P-384, or RSA of 2048 bits or more')
  return key
}

/**
 * A private key of any kind that OpenSSL knows, whether or not TLS can use it.
 *
 * @param budget what this try takes from; without it the bound of one file alone counts
 * @throws HubError as {@link readPrivateKey}; OutOfRounds
 */
export function openPrivateKey(file: BroughtFile, passphrase: Secret | null, budget?: RoundBudget): KeyObject {
  const kind = fileKind(file.bytes)
  const attempt: Attempt = { passphrase, budget }
  return kind.kind === 'pem' ? keyInPem(file, kind.blocks, attempt) : keyInDer(file, kind, attempt)
}

/**
 * Key and certificates of a PFX, or null where the file is none.
 *
 * @throws HubError as {@link readPrivateKey}; also where it holds no key, or several; OutOfRounds
 */
export function readPfxFile(
  file: BroughtFile,
  passphrase: Secret | null,
  budget?: RoundBudget,
): (PfxParts & { readonly key: KeyObject }) | null {
  const der = naming(file, () => derOfPfx(fileKind(file.bytes)))
  if (der === null) return null
  let parts: PfxParts
  try {
    parts = readPfx(der, passphrase?.reveal() ?? '', budget)
  } catch (error) {
    if (error instanceof PfxLocked) throw locked(file, 'a PFX', passphrase)
    if (!(error instanceof DerError)) throw error
    throw unreadable(file, `is a PFX that cannot be read: ${error.message}`, asPem(file, 'pkcs12'))
  }
  const [key, another] = parts.keys
  if (key === undefined) throw unreadable(file, 'is a PFX without a private key', 'export it with its key')
  if (another !== undefined)
    throw unreadable(file, `is a PFX with ${parts.keys.length} private keys`, 'export one of them')
  return { ...parts, key }
}

interface Attempt {
  readonly passphrase: Secret | null
  readonly budget: RoundBudget | undefined
}

function derOfPfx(kind: FileKind): Uint8Array | null {
  const der = kind.kind === 'der' ? kind.der : kind.kind === 'pem' ? pfxInPem(kind.blocks) : null
  return der !== null && isPfx(der) ? der : null
}

function pfxInPem(blocks: readonly PemText[]): Uint8Array | null {
  const block = blocks.find(({ label }) => label === 'PKCS12')
  return block === undefined ? null : (decodePem(block.text, 'credential-file-unreadable')[0]?.der ?? null)
}

export const keyLabels: ReadonlySet<string> = new Set([
  'PRIVATE KEY',
  'ENCRYPTED PRIVATE KEY',
  'RSA PRIVATE KEY',
  'EC PRIVATE KEY',
])

/** Blocks that people take for a private key, and what to do about them. */
const otherLabels: ReadonlyMap<string, readonly [what: string, hint: string]> = new Map([
  ['OPENSSH PRIVATE KEY', ['a key in the form of OpenSSH', 'convert it: ssh-keygen -p -m PKCS8 -f <file>']],
  ['DSA PRIVATE KEY', ['a DSA key, which TLS does not take any more', 'bring an ECDSA or RSA key']],
  ['TSS2 PRIVATE KEY', ['a key that is wrapped by a TPM', 'it signs in its TPM alone and cannot be imported']],
  ['PUBLIC KEY', ['a public key', 'bring the private one']],
  ['RSA PUBLIC KEY', ['a public key', 'bring the private one']],
  ['CERTIFICATE REQUEST', ['a certificate request', 'bring the key that it was made with']],
  ['NEW CERTIFICATE REQUEST', ['a certificate request', 'bring the key that it was made with']],
  ['CERTIFICATE', ['a certificate and no private key', 'check whether the two files have been swapped']],
  ['PGP PRIVATE KEY BLOCK', ['a key of PGP', 'bring the key that the certificate was made for']],
])

function keyInPem(file: BroughtFile, blocks: readonly PemText[], attempt: Attempt): KeyObject {
  const keys = blocks.filter(({ label }) => keyLabels.has(label))
  const [block] = keys
  if (keys.length > 1)
    throw unreadable(file, `holds ${keys.length} private keys`, 'leave the one in it that belongs to the certificate')
  if (block === undefined) {
    const [what, hint] = otherLabels.get(blocks[0]?.label ?? '') ?? [`a PEM block ${quote(blocks[0]?.label ?? '')}`, '']
    throw unreadable(file, `holds ${what}`, hint)
  }
  const encryption = naming(file, () => encryptionOf(block))
  if (encryption !== null) return decrypted(file, block.text, 'pem', encryption, attempt)
  try {
    return createPrivateKey(block.text)
  } catch {
    throw unreadable(file, `holds a block ${quote(block.label)} that is damaged, or of a kind that is not known`, '')
  }
}

/** How a PEM block is encrypted, in words, or null where it is not. */
export function encryptionOf({ label, text }: PemText): string | null {
  const traditional = /^DEK-Info: *([A-Za-z0-9-]{1,40})/m.exec(text)?.[1]
  if (traditional !== undefined) return `${traditional} in the traditional way`
  if (label !== 'ENCRYPTED PRIVATE KEY') return null
  const der = decodePem(text, 'credential-file-unreadable')[0]?.der
  return (der === undefined ? null : pkcs8Encryption(der)) ?? 'PKCS#8'
}

/** The name of the encryption of an EncryptedPrivateKeyInfo; null where the octets are none. */
export function pkcs8Encryption(der: Uint8Array): string | null {
  try {
    const outer = openSingle(der, tags.sequence, 'the key')
    const algorithm = outer.take(tags.sequence, 'the encryption').bytes
    outer.take(tags.octetString, 'the ciphertext')
    return outer.atEnd ? readEncryption(algorithm).name : null
  } catch (error) {
    if (error instanceof TooManyRounds) return 'PKCS#8'
    if (error instanceof DerError) return null
    throw error
  }
}

function keyInDer(file: BroughtFile, kind: FileKind, attempt: Attempt): KeyObject {
  if (kind.kind === 'empty') throw unreadable(file, 'is empty', '')
  if (kind.kind === 'other') throw unreadable(file, `is ${kind.what}`, hintForOther(file, kind.what))
  if (kind.kind !== 'der') throw unreadable(file, 'holds no private key', '')
  const pfx = readPfxFile(file, attempt.passphrase, attempt.budget)
  if (pfx !== null) return pfx.key
  const encryption = pkcs8Encryption(kind.der)
  if (encryption !== null) return decrypted(file, Buffer.from(kind.der), 'der', encryption, attempt)
  for (const type of ['pkcs8', 'pkcs1', 'sec1'] as const) {
    try {
      return createPrivateKey({ key: Buffer.from(kind.der), format: 'der', type })
    } catch {
      // Then perhaps of the next type.
    }
  }
  throw unreadable(file, `is ${whatDerIs(kind.der)}`, '')
}

function whatDerIs(der: Uint8Array): string {
  try {
    const outer = openDer(der).enter(tags.sequence, 'it')
    const first = outer.next('its first part')
    // TBSCertificate begins with [0] or the serial number inside a SEQUENCE; a key begins with a version.
    return first.tag === tags.sequence ? 'DER, but a certificate or a request and no key' : 'DER, but no private key'
  } catch {
    return 'neither PEM nor whole DER'
  }
}

/** Passphrases in the octets that they may have been typed in: UTF-8, or one octet a character as on old systems. */
function decrypted(
  file: BroughtFile,
  key: string | Buffer,
  format: 'pem' | 'der',
  encryption: string,
  { passphrase, budget }: Attempt,
): KeyObject {
  if (passphrase === null) throw locked(file, `a key that is encrypted with ${encryption}`, null)
  const rounds = boundedRounds(file, typeof key === 'string' ? pkcs8InPem(key) : key)
  const text = passphrase.reveal()
  let isUnsupported = false
  const [utf8, latin1] = [Buffer.from(text, 'utf8'), Buffer.from(text, 'latin1')]
  for (const octets of utf8.equals(latin1) ? [utf8] : [utf8, latin1]) {
    budget?.spend(rounds)
    try {
      return createPrivateKey({
        key,
        passphrase: octets,
        ...(format === 'der' ? { format, type: 'pkcs8' } : { format }),
      })
    } catch (error) {
      isUnsupported ||= isUnknownCipher(error)
    }
  }
  // One wrong passphrase in 256 leaves what looks decrypted and is no key: OpenSSL then says the same as of a cipher that it has not.
  if (!isUnsupported || isKnownCipher(encryption))
    throw locked(file, `a key that is encrypted with ${encryption}`, passphrase)
  throw unreadable(file, `holds a key that is encrypted with ${encryption}, which is not read`, asPem(file, 'pkey'))
}

/** @returns null for a block in the traditional form, whose encryption knows no rounds */
function pkcs8InPem(text: string): Uint8Array | null {
  if (!text.startsWith('-----BEGIN ENCRYPTED PRIVATE KEY-----')) return null
  return decodePem(text, 'credential-file-unreadable')[0]?.der ?? null
}

/** OpenSSL would do as many rounds as the file asks for. */
function boundedRounds(file: BroughtFile, der: Uint8Array | null): number {
  if (der === null) return 0
  try {
    return readEncryption(openSingle(der, tags.sequence, 'the key').take(tags.sequence, 'the encryption').bytes).rounds
  } catch (error) {
    if (error instanceof TooManyRounds) {
      throw unreadable(file, `holds a key that asks for too much work: ${error.message}`, asPem(file, 'pkey'))
    }
    if (!(error instanceof DerError)) throw error
    return 0
  }
}

/** Whether node:crypto decrypts keys under it, by its name. */
function isKnownCipher(encryption: string): boolean {
  const traditional = /^([A-Za-z0-9-]+) in the traditional way$/.exec(encryption)?.[1]
  if (traditional !== undefined) return getCiphers().includes(traditional.toLowerCase())
  return /^PBES2 with AES-|triple DES$/.test(encryption)
}

function isUnknownCipher(error: unknown): boolean {
  const { code = '', message } = error as NodeJS.ErrnoException
  return /UNSUPPORTED|UNKNOWN/.test(code) || /unsupported|unknown (cipher|pbe|digest)/i.test(message)
}

function hintForOther(file: BroughtFile, what: string): string {
  if (what.includes('Java'))
    return `convert it: keytool -importkeystore -srckeystore ${file.name} -destkeystore key.pfx -deststoretype PKCS12`
  if (what.includes('PuTTY')) return 'convert it: puttygen <file> -O private-openssh-new, then ssh-keygen -p -m PKCS8'
  return ''
}

function asPem({ name }: BroughtFile, program: 'pkey' | 'pkcs12'): string {
  const output = program === 'pkcs12' ? '-legacy -nodes' : '-provider legacy -provider default'
  return `convert it where it was made: openssl ${program} -in ${name} ${output} -out <new file>`
}

/** What a key is that TLS with certificates cannot use; null where it can. */
function whatKeepsFromSigning({ asymmetricKeyType: type, asymmetricKeyDetails: details }: KeyObject): string | null {
  const curves = new Set(['prime256v1', 'secp384r1', 'secp521r1'])
  if (type === 'ed25519') return null
  if (type === 'rsa')
    return (details?.modulusLength ?? 0) >= 2048
      ? null
      : `an RSA key of ${details?.modulusLength} bits, which is too short`
  if (type === 'rsa-pss') return 'an RSA key that is bound to PSS, which few servers take'
  if (type !== 'ec') return `a key of the kind ${type}, which does not sign in TLS`
  const curve = details?.namedCurve
  if (curve === undefined || curve === '') return 'an EC key on a curve without a name'
  return curves.has(curve) ? null : `an EC key on ${curve}, which few servers take`
}

function locked(file: BroughtFile, what: string, passphrase: Secret | null): HubError {
  const why = passphrase === null ? 'there is no passphrase' : 'the passphrase does not open it'
  return new HubError('credential-passphrase-wrong', `${quote(file.name)} holds ${what}, and ${why}`)
}

/** Puts the name of the file into what a reader of its parts has said. */
export function naming<T>(file: BroughtFile, work: () => T): T {
  try {
    return work()
  } catch (error) {
    if (!(error instanceof HubError) || error.message.startsWith(quote(file.name))) throw error
    throw unreadable(file, `cannot be read: ${error.message}`, '')
  }
}

/** @param hint empty for the cure in the catalogue */
export function unreadable(file: BroughtFile, what: string, hint: string): HubError {
  return new HubError('credential-file-unreadable', `${quote(file.name)} ${what}`, hint === '' ? {} : { hint })
}
