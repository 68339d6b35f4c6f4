/** Reads PFX (PKCS#12, RFC 7292) as OpenSSL, Windows, Java and browsers write it: what is under a passphrase, not under a public key. */
import { createHmac, createPrivateKey, type KeyObject, timingSafeEqual } from 'node:crypto'
import { limits } from '../limits.ts'
import { DerError, type DerReader, oidText, openSingle, smallInteger } from '../x509/der-reader.ts'
import { contextConstructed, contextPrimitive, tags } from '../x509/der-tags.ts'
import { oids } from '../x509/oids.ts'
import { readEncryption, readIterations } from './pbe.ts'
import { type Pkcs12Hash, pkcs12Derive } from './pkcs12-kdf.ts'
import type { RoundBudget } from './work.ts'

export interface PfxParts {
  readonly keys: readonly KeyObject[]
  /** In DER, in the order of the file. */
  readonly certificates: readonly Uint8Array[]
}

/** The passphrase does not open it. */
export class PfxLocked extends Error {
  override readonly name = 'PfxLocked'
}

/** Whether bytes look like a PFX: a SEQUENCE that begins with the version 3 and a ContentInfo. */
export function isPfx(der: Uint8Array): boolean {
  try {
    const outer = openPfx(der)
    return smallInteger(outer.take(tags.integer, 'the version'), 'the version') === 3 && outer.nextTag === tags.sequence
  } catch {
    return false
  }
}

/**
 * @param passphrase empty where there is none
 * @param budget what all its parts together may cost; without it each is bounded by itself
 * @throws PfxLocked; DerError, with what cannot be read; OutOfRounds
 */
export function readPfx(der: Uint8Array, passphrase: string, budget?: RoundBudget): PfxParts {
  const outer = openPfx(der)
  outer.take(tags.integer, 'the version')
  const safes = readContentInfo(outer.enter(tags.sequence, 'the content'))
  if (safes.type !== oids.data) throw new DerError('it is protected with a public key, not with a passphrase')
  const content = safes.content.take(tags.octetString, 'the content').content
  const mac = outer.takeOptional(tags.sequence, 'the MAC')
  const attempt: Attempt = { passphrase, budget }
  if (mac !== null) checkMac(openSingle(mac.bytes, tags.sequence, 'the MAC', bytesMax), content, attempt)
  const keys: KeyObject[] = []
  const certificates: Uint8Array[] = []
  const list = openSingle(content, tags.sequence, 'the safes', bytesMax)
  while (!list.atEnd) {
    const bags = readSafe(readContentInfo(list.enter(tags.sequence, 'a safe')), attempt)
    readBags(bags, attempt, keys, certificates, 1)
  }
  return { keys, certificates }
}

interface Attempt {
  readonly passphrase: string
  readonly budget: RoundBudget | undefined
}

const bytesMax = limits.keyFileBytesMax

function openPfx(der: Uint8Array): DerReader {
  return openSingle(der, tags.sequence, 'the PFX', bytesMax)
}

function readContentInfo(reader: DerReader): { readonly type: string; readonly content: DerReader } {
  const type = oidText(reader.take(tags.oid, 'the type of a content'))
  return { type, content: reader.enter(contextConstructed(0), 'a content') }
}

const macHashes: ReadonlyMap<string, Pkcs12Hash> = new Map([
  [oids.sha1, 'sha1'],
  [oids.sha256, 'sha256'],
  [oids.sha384, 'sha384'],
  [oids.sha512, 'sha512'],
])

function hashLength(hash: Pkcs12Hash): number {
  return hash === 'sha1' ? 20 : Number(hash.slice(3)) / 8
}

function checkMac(mac: DerReader, content: Uint8Array, { passphrase, budget }: Attempt): void {
  const info = mac.enter(tags.sequence, 'the digest')
  const oid = oidText(info.enter(tags.sequence, 'the hash').take(tags.oid, 'the hash'))
  const expected = info.take(tags.octetString, 'the digest').content
  const salt = mac.take(tags.octetString, 'the salt').content
  const iterations = mac.atEnd ? 1 : readIterations(mac)
  const hash = macHashes.get(oid)
  if (hash === undefined) throw new DerError(`its MAC is made with ${oid}, which is not read`)
  // A digest that claims to be longer than the hash takes more runs over all rounds.
  budget?.spend(iterations * Math.ceil(expected.length / hashLength(hash)))
  const key = pkcs12Derive(hash, 'mac', passphrase, salt, iterations, expected.length)
  const digest = createHmac(hash, key).update(content).digest()
  if (digest.length !== expected.length || !timingSafeEqual(digest, expected)) throw new PfxLocked('the MAC differs')
}

/** The bags of a safe, decrypted. */
function readSafe({ type, content }: { type: string; content: DerReader }, attempt: Attempt): DerReader {
  if (type === oids.data) {
    return openSingle(content.take(tags.octetString, 'a safe').content, tags.sequence, 'the bags', bytesMax)
  }
  if (type !== oids.encryptedData) throw new DerError(`a safe of the type ${type} is not read`)
  const data = content.enter(tags.sequence, 'an encrypted safe')
  data.take(tags.integer, 'the version of an encrypted safe')
  const inner = data.enter(tags.sequence, 'an encrypted safe')
  inner.take(tags.oid, 'the type of an encrypted safe')
  const algorithm = inner.take(tags.sequence, 'the encryption of a safe').bytes
  const ciphertext = inner.take(contextPrimitive(0), 'the ciphertext of a safe').content
  return openSingle(opened(algorithm, ciphertext, attempt), tags.sequence, 'the bags', bytesMax)
}

function readBags(
  bags: DerReader,
  attempt: Attempt,
  keys: KeyObject[],
  certificates: Uint8Array[],
  depth: number,
): void {
  while (!bags.atEnd) {
    const bag = bags.enter(tags.sequence, 'a bag')
    const type = oidText(bag.take(tags.oid, 'the type of a bag'))
    const value = bag.enter(contextConstructed(0), 'a bag')
    if (type === oids.certBag) {
      certificates.push(...readCertificateBag(value))
    } else if (type === oids.keyBag) {
      keys.push(readKey(value.take(tags.sequence, 'a key').bytes))
    } else if (type === oids.pkcs8ShroudedKeyBag) {
      const info = value.enter(tags.sequence, 'an encrypted key')
      const algorithm = info.take(tags.sequence, 'the encryption of a key').bytes
      keys.push(readKey(opened(algorithm, info.take(tags.octetString, 'an encrypted key').content, attempt)))
    } else if (type === oids.safeContentsBag && depth < 4) {
      readBags(value.enter(tags.sequence, 'bags in a bag'), attempt, keys, certificates, depth + 1)
    }
    // CRLs and other secrets are none of what is looked for.
  }
}

function readCertificateBag(value: DerReader): readonly Uint8Array[] {
  const bag = value.enter(tags.sequence, 'a certificate bag')
  if (oidText(bag.take(tags.oid, 'the type of a certificate')) !== oids.x509Certificate) return []
  return [bag.enter(contextConstructed(0), 'a certificate').take(tags.octetString, 'a certificate').content]
}

function opened(algorithm: Uint8Array, ciphertext: Uint8Array, { passphrase, budget }: Attempt): Uint8Array {
  const { name, rounds, open } = readEncryption(algorithm)
  if (open === null) throw new DerError(`a part of it is encrypted with ${name}, which is not read`)
  budget?.spend(rounds)
  const plain = open(passphrase, ciphertext)
  if (plain === null) throw new PfxLocked('the padding is wrong')
  return plain
}

function readKey(info: Uint8Array): KeyObject {
  try {
    return createPrivateKey({ key: Buffer.from(info), format: 'der', type: 'pkcs8' })
  } catch {
    throw new DerError('its key is of a kind that is not known')
  }
}
