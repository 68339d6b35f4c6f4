/** Asks for the public half of a key that is elsewhere, and for signatures with the other. */
import { createPublicKey } from 'node:crypto'
import { HubError, quote } from '../../core/errors.ts'
import { isSignedBy, type SigningAlgorithm } from '../../core/x509/algorithms.ts'
import { type PublicKey, readPublicKey } from '../../core/x509/public-key.ts'
import { type KeyProgramCall, runKeyProgram } from './key-program.ts'
import { checkPlace, type KeyPlace, type KeyReference, type OpensslPlace } from './reference.ts'

/** The `openssl` program of the machine: its engines and providers are those that the operator has installed. */
export const opensslProgram = 'openssl'

/**
 * Finds a key at its place.
 *
 * @throws HubError `key-program-failed`; `key-reference-invalid`, also for a kind of key that no certificate is asked for with
 */
export async function referTo(place: KeyPlace): Promise<KeyReference> {
  checkPlace(place)
  const call = publicKeyCall(place)
  const printed = await runKeyProgram(call)
  const publicKey = publicKeyIn(printed)
  if (publicKey === null) throw new HubError('key-program-failed', `${quote(call.program)} printed no public key`)
  assertUsable(publicKey)
  if (place.signer !== null || readPublicKey(publicKey).kind !== 'ed25519') return { publicKey, place }
  throw unusable('an Ed25519 key, which the openssl program does not sign with')
}

/**
 * Whether a request can be signed with a key.
 *
 * @param publicKey SubjectPublicKeyInfo in DER
 * @throws HubError `key-reference-invalid`
 */
export function assertUsable(publicKey: Uint8Array): void {
  const key = readKey(publicKey)
  if (key.kind === 'ed25519') return
  if (key.kind === 'ec' && (key.curve === 'P-256' || key.curve === 'P-384')) return
  if (key.kind === 'rsa' && key.modulusBits >= 2048) return
  const what =
    key.kind === 'ec' ? `on the curve ${key.curve}` : key.kind === 'rsa' ? `RSA of ${key.modulusBits} bits` : key.kind
  throw unusable(`a key of another kind (${what})`)
}

/** A curve that no request is taken with, such as P-521, is refused by the reader already. */
function readKey(publicKey: Uint8Array): PublicKey {
  try {
    return readPublicKey(publicKey, 'key-reference-invalid')
  } catch (error) {
    if (!(error instanceof HubError)) throw error
    throw new HubError(error.code, error.message, { hint: usableKeys, cause: error })
  }
}

const usableKeys = 'use ECDSA on P-256 or P-384, or RSA of 2048 bits or more'

function unusable(what: string): HubError {
  return new HubError('key-reference-invalid', `this is ${what}`, { hint: usableKeys })
}

/**
 * Has bytes signed.
 *
 * @param algorithm one that goes with the public key
 * @returns a DER SEQUENCE of r and s for ECDSA, the bare octets for RSA (PKCS#1 v1.5) and Ed25519
 * @throws HubError `key-elsewhere` where there is no way to the key; `key-program-failed`, also for a signature that does not verify
 */
export async function signElsewhere(
  { publicKey, place }: KeyReference,
  algorithm: SigningAlgorithm,
  bytes: Uint8Array,
): Promise<Uint8Array> {
  const call = signCall(place, algorithm, bytes)
  const signature = await runKeyProgram(call)
  const { oid, parameters } = algorithm
  if (isSignedBy(publicKey, { oid, parameters }, bytes, signature)) return signature
  throw new HubError(
    'key-program-failed',
    `what ${quote(call.program)} printed is no signature with the key of this device`,
    { hint: 'is another key at the place of this one? For ECDSA the signature is a DER SEQUENCE of r and s' },
  )
}

/** How the openssl program is told of a key: arguments that name it, and variables. */
export function opensslKey({ uri, through, name, module }: OpensslPlace): {
  readonly loading: readonly string[]
  readonly form: readonly string[]
  readonly uri: string
  readonly env: Readonly<Record<string, string>>
} {
  const isEngine = through === 'engine'
  return {
    // In this order: the default one would take the key for one of its own, and find no private half.
    loading: isEngine ? ['-engine', name] : ['-provider', name, '-provider', 'default'],
    form: isEngine ? ['engine'] : [],
    uri,
    env: { LC_ALL: 'C', ...(module === null ? {} : { PKCS11_MODULE_PATH: module }) },
  }
}

function publicKeyCall({ signer, openssl }: KeyPlace): KeyProgramCall {
  if (signer !== null) return { program: signer, args: ['public-key'] }
  if (openssl === null) throw noWay()
  const { loading, form, uri, env } = opensslKey(openssl)
  const inform = form.flatMap((each) => ['-inform', each])
  return { program: opensslProgram, args: ['pkey', ...loading, ...inform, '-in', uri, '-pubout'], env }
}

function signCall({ signer, openssl }: KeyPlace, { hash }: SigningAlgorithm, bytes: Uint8Array): KeyProgramCall {
  if (signer !== null) return { program: signer, args: ['sign', hash ?? 'none'], input: bytes }
  if (openssl === null || hash === null) throw noWay()
  const { loading, form, uri, env } = opensslKey(openssl)
  const keyform = form.flatMap((each) => ['-keyform', each])
  return {
    program: opensslProgram,
    // Not `dgst`, which hands keys of some providers to code that has no private half of them.
    args: ['pkeyutl', '-sign', '-rawin', '-digest', hash, ...loading, ...keyform, '-inkey', uri],
    env,
    input: bytes,
  }
}

function noWay(): HubError {
  return new HubError('key-elsewhere', 'the key of this device is elsewhere, and there is no way to it from here')
}

function publicKeyIn(printed: Buffer): Uint8Array | null {
  const isPem = printed.includes('-----BEGIN PUBLIC KEY-----')
  try {
    const key = isPem ? createPublicKey(printed) : createPublicKey({ key: printed, format: 'der', type: 'spki' })
    return key.export({ type: 'spki', format: 'der' })
  } catch {
    return null
  }
}
