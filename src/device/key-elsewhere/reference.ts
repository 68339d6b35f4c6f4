/**
 * A key that is not in the folder of its device: in a token, a TPM, or with somebody who has signed a request. What is kept in its
 * place says which key it is and how it is reached. Nothing of it is secret.
 */
import { HubError, quote } from '../../core/errors.ts'
import { Secret } from '../../core/secret.ts'
import { readPublicKey } from '../../core/x509/public-key.ts'
import { deviceLimits } from '../limits.ts'

export interface KeyReference {
  /** SubjectPublicKeyInfo in DER. */
  readonly publicKey: Uint8Array
  readonly place: KeyPlace
}

/** How a key is reached; where both are null it is not, and only its certificate is of use here. */
export interface KeyPlace {
  /** A key that the `openssl` program of the machine can use: it signs, and shows a certificate to servers. */
  readonly openssl: OpensslPlace | null
  /** Path of a program that signs; see docs/keys-elsewhere.md. */
  readonly signer: string | null
}

export interface OpensslPlace {
  /** What the engine or provider calls it: a PKCS#11 URI, `handle:0x81000001`. It holds no PIN. */
  readonly uri: string
  readonly through: 'engine' | 'provider'
  /** Name of the engine or provider. */
  readonly name: string
  /** The PKCS#11 module for the engine; null for what is configured on the machine. */
  readonly module: string | null
}

/** The key of a device: in PEM, or where it is. */
export type DeviceKey = Secret | KeyReference

/** A certificate and the key to it, wherever that is. */
export interface DeviceIdentity {
  readonly key: DeviceKey
  /** Its certificate and those behind it, in PEM. */
  readonly chain: string
}

/** Whether connections that show the certificate can be made with it. */
export function isWithinReach(key: DeviceKey): boolean {
  return key instanceof Secret || key.place.openssl !== null
}

/** Where a key is, in words. */
export function placeText({ openssl, signer }: KeyPlace): string {
  if (openssl !== null) return openssl.uri
  return signer === null ? 'not reached from here' : `reached with ${signer}`
}

/**
 * @throws HubError `key-reference-invalid` where a PIN stands in it, which everybody on the machine could read as an argument, or
 *   it is none at all
 */
export function checkPlace(place: KeyPlace): KeyPlace {
  const { openssl, signer } = place
  if (signer !== null && !signer.startsWith('/')) {
    throw invalid(`the signer ${quote(signer)} is no absolute path`, 'give the whole path of the program')
  }
  if (openssl === null) return place
  const { uri, name, module } = openssl
  if (/pin-value/i.test(uri)) {
    throw invalid(
      'the URI of the key holds a PIN',
      'put the PIN into a file (mode 0600) and write pin-source=file:<path> in place of it',
    )
  }
  if (!/^[A-Za-z][A-Za-z0-9+.-]*:[\x21-\x7e]+$/.test(uri) || uri.length > deviceLimits.keyPlaceCharsMax) {
    throw invalid(
      `${quote(uri)} does not say where a key is`,
      'write it as pkcs11:token=…;object=… or handle:0x81000001',
    )
  }
  if (!/^[A-Za-z0-9_]{1,64}$/.test(name)) throw invalid(`${quote(name)} is no name of an engine or a provider`)
  if (module !== null && !module.startsWith('/')) {
    throw invalid(`the PKCS#11 module ${quote(module)} is no absolute path`, 'give the whole path of the library')
  }
  return place
}

/** What stands in `key_reference.json`. */
export function keyReferenceText({ publicKey, place }: KeyReference): string {
  return `${JSON.stringify({ publicKey: Buffer.from(publicKey).toString('base64'), ...place }, null, 2)}\n`
}

/** The reference in a text, or null where it is none. @throws HubError `key-reference-invalid` as {@link checkPlace} */
export function readKeyReference(text: string): KeyReference | null {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    return null
  }
  const publicKey = Buffer.from(field(value, 'publicKey') ?? '', 'base64')
  if (publicKey.length === 0) return null
  try {
    readPublicKey(publicKey, 'certificate-unreadable')
  } catch {
    return null
  }
  const openssl: unknown = typeof value === 'object' && value !== null ? Reflect.get(value, 'openssl') : null
  const [uri, through, name] = ['uri', 'through', 'name'].map((each) => field(openssl, each))
  const isWhole = uri && name && (through === 'engine' || through === 'provider')
  return {
    publicKey,
    place: checkPlace({
      openssl: isWhole ? { uri, through, name, module: field(openssl, 'module') } : null,
      signer: field(value, 'signer'),
    }),
  }
}

function field(value: unknown, name: string): string | null {
  const found: unknown = typeof value === 'object' && value !== null ? Reflect.get(value, name) : null
  return typeof found === 'string' ? found : null
}

function invalid(message: string, hint?: string): HubError {
  return new HubError('key-reference-invalid', message, hint === undefined ? {} : { hint })
}
