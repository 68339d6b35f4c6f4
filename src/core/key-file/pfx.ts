/**
 * PFX (PKCS#12, RFC 7292): a key, its certificate and those above it in one file under one passphrase, as phones, browsers and
 * Windows take it. Written by our own DER writer, since libraries on WebCrypto have no triple DES, and phones of a few
 * years ago are reported to read nothing else.
 */
import { createCipheriv, createHmac, type KeyObject } from 'node:crypto'
import { limits } from '../limits.ts'
import { certificateFingerprint } from '../x509/certificate.ts'
import { contextConstructed, contextPrimitive, tags } from '../x509/der-tags.ts'
import { derElement, derInteger, derNull, derOctetString, derOid, derSequence, derSet } from '../x509/der-writer.ts'
import { oids } from '../x509/oids.ts'
import { privateKeyInfo } from './key-file.ts'
import type { KeyPassphrase } from './passphrase.ts'
import { type Encrypted, encryptPbes2, type RandomOctets } from './pbes2.ts'
import { pkcs12Derive } from './pkcs12-kdf.ts'

/**
 * `modern`: AES-256 (PBES2) and HMAC-SHA-256, for what was made since about 2020. `compatible`: triple DES and HMAC-SHA-1 for
 * everything; under a passphrase of 100 bits, as the hub makes them, it is as safe.
 */
export const pfxProtections = ['compatible', 'modern'] as const
export type PfxProtection = (typeof pfxProtections)[number]

export interface PfxContent {
  readonly key: KeyObject
  /** In DER: the certificate of the key first, then those above it in any order. */
  readonly certificates: readonly [Uint8Array, ...Uint8Array[]]
  /** What the reader shows as the name of the entry: printable ASCII. */
  readonly friendlyName: string
}

/** The PFX in DER. */
export function pfx(
  { key, certificates, friendlyName }: PfxContent,
  passphrase: KeyPassphrase,
  protection: PfxProtection,
  random: RandomOctets,
): Uint8Array {
  const [own, ...above] = certificates
  const attributes = bagAttributes(friendlyName, own)
  const secret = passphrase.reveal()
  const encrypt = (plain: Uint8Array): Encrypted =>
    protection === 'modern'
      ? encryptPbes2(plain, secret, limits.keyFileIterations, random)
      : encryptTripleDes(plain, secret, random)
  const shrouded = encrypt(privateKeyInfo(key))
  const safes = derSequence(
    encryptedSafe(encrypt(derSequence(certificateBag(own, attributes), ...above.map((each) => certificateBag(each))))),
    contentInfo(
      oids.data,
      derOctetString(
        derSequence(
          bag(
            oids.pkcs8ShroudedKeyBag,
            derSequence(shrouded.algorithm, derOctetString(shrouded.ciphertext)),
            attributes,
          ),
        ),
      ),
    ),
  )
  return derSequence(
    derInteger(3),
    contentInfo(oids.data, derOctetString(safes)),
    macData(safes, secret, protection, random),
  )
}

/** pbeWithSHAAnd3-KeyTripleDES-CBC (RFC 7292 appendix C). */
function encryptTripleDes(plain: Uint8Array, passphrase: string, random: RandomOctets): Encrypted {
  const salt = random(8)
  const iterations = limits.compatiblePfxIterations
  const derive = (purpose: 'key' | 'iv', bytes: number): Uint8Array =>
    pkcs12Derive('sha1', purpose, passphrase, salt, iterations, bytes)
  const cipher = createCipheriv('des-ede3-cbc', derive('key', 24), derive('iv', 8))
  return {
    algorithm: derSequence(
      derOid(oids.pbeWithSha1AndTripleDes),
      derSequence(derOctetString(salt), derInteger(iterations)),
    ),
    ciphertext: Buffer.concat([cipher.update(plain), cipher.final()]),
  }
}

function macData(safes: Uint8Array, passphrase: string, protection: PfxProtection, random: RandomOctets): Uint8Array {
  const { hash, oid, bytes, iterations } = macs[protection]
  const salt = random(16)
  const key = pkcs12Derive(hash, 'mac', passphrase, salt, iterations, bytes)
  const digest = createHmac(hash, key).update(safes).digest()
  return derSequence(
    derSequence(derSequence(derOid(oid), derNull()), derOctetString(digest)),
    derOctetString(salt),
    derInteger(iterations),
  )
}

const macs = {
  modern: { hash: 'sha256', oid: oids.sha256, bytes: 32, iterations: limits.keyFileIterations },
  compatible: { hash: 'sha1', oid: oids.sha1, bytes: 20, iterations: limits.compatiblePfxIterations },
} as const

/** EncryptedData (RFC 5652 §8) of a run of bags. */
function encryptedSafe({ algorithm, ciphertext }: Encrypted): Uint8Array {
  const content = derSequence(derOid(oids.data), algorithm, derElement(contextPrimitive(0), ciphertext))
  return contentInfo(oids.encryptedData, derSequence(derInteger(0), content))
}

function contentInfo(type: string, content: Uint8Array): Uint8Array {
  return derSequence(derOid(type), derElement(contextConstructed(0), content))
}

function certificateBag(certificate: Uint8Array, attributes?: Uint8Array): Uint8Array {
  const value = derSequence(
    derOid(oids.x509Certificate),
    derElement(contextConstructed(0), derOctetString(certificate)),
  )
  return bag(oids.certBag, value, attributes)
}

function bag(type: string, value: Uint8Array, attributes?: Uint8Array): Uint8Array {
  const content = derElement(contextConstructed(0), value)
  return attributes === undefined ? derSequence(derOid(type), content) : derSequence(derOid(type), content, attributes)
}

/** What says that key and certificate belong together, and what they are called (RFC 2985 §5.5). */
function bagAttributes(friendlyName: string, certificate: Uint8Array): Uint8Array {
  const name = derElement(tags.bmpString, Buffer.from(friendlyName, 'utf16le').swap16())
  const localKeyId = derOctetString(Buffer.from(certificateFingerprint(certificate), 'hex').subarray(0, 20))
  // A SET OF is in the order of its encodings (X.690 §11.6).
  const attributes = [
    derSequence(derOid(oids.friendlyName), derSet(name)),
    derSequence(derOid(oids.localKeyId), derSet(localKeyId)),
  ].sort(Buffer.compare)
  return derSet(...attributes)
}
