/** Options of `enrol` that say which key is to be used where none is to be made. */
import type { Command } from 'commander'
import { HubError, quote } from '../core/errors.ts'
import { readPrivateKey } from '../core/key-file/key-reader.ts'
import { limits } from '../core/limits.ts'
import { decodePem } from '../core/x509/pem.ts'
import type { EnrolmentKey } from '../device/enrolment-key.ts'
import { passphraseIn, readBrought } from '../device/import/brought-files.ts'
import { checkPlace, type OpensslPlace } from '../device/key-elsewhere/reference.ts'
import { type NewKeyKind, newKeyKinds } from '../device/private-key.ts'
import { oneOf } from './values.ts'
import { readSmallBytes } from './whole-file.ts'

export interface KeyFlags {
  readonly keyType?: NewKeyKind
  readonly key?: string
  readonly keyPass?: string
  readonly csr?: string
  readonly keyUri?: string
  readonly opensslEngine?: string
  readonly opensslProvider?: string
  readonly pkcs11Module?: string
  readonly signer?: string
}

export function addKeyOptions(command: Command): Command {
  return command
    .option(
      '--key-type <type>',
      `kind of the key that is made: ${newKeyKinds.join(', ')} (default P-256)`,
      oneOf('--key-type', newKeyKinds),
    )
    .option('--key <file>', 'use the key in this file, in place of a new one')
    .option('--key-pass <file>', 'file with the passphrase of that key')
    .option('--key-uri <uri>', 'use a key that stays where it is, such as pkcs11:token=…;object=…')
    .option('--openssl-engine <name>', 'engine of OpenSSL that reaches it (default pkcs11 for pkcs11: URIs)')
    .option('--openssl-provider <name>', 'provider of OpenSSL that reaches it, such as tpm2')
    .option('--pkcs11-module <file>', 'PKCS#11 library of the token')
    .option('--signer <program>', 'program that signs with a key which it alone reaches')
    .option('--csr <file>', 'send this certificate request, and keep the certificate alone')
}

/** @throws HubError `usage` where options contradict each other; `key-reference-invalid`; `credential-file-unreadable`; `csr-unreadable` */
export function enrolmentKey(flags: KeyFlags, directory: string): EnrolmentKey {
  assertAgreeing(flags)
  const { keyType, key, keyPass, csr, keyUri, signer = null } = flags
  if (csr !== undefined) return { kind: 'requested', request: requestIn(csr) }
  if (key !== undefined) {
    const passphrase = keyPass === undefined ? null : passphraseIn(readBrought(keyPass, directory))
    return { kind: 'brought', key: readPrivateKey(readBrought(key, directory), passphrase) }
  }
  if (keyUri !== undefined || signer !== null) {
    const openssl = keyUri === undefined ? null : opensslPlace(keyUri, flags)
    return { kind: 'elsewhere', place: checkPlace({ openssl, signer }) }
  }
  return { kind: 'new', ...(keyType === undefined ? {} : { keyKind: keyType }) }
}

function assertAgreeing({ keyType, key, keyPass, csr, keyUri, signer, ...ways }: KeyFlags): void {
  const given = Object.entries({
    '--key-type': keyType,
    '--key': key,
    '--csr': csr,
    '--key-uri or --signer': keyUri ?? signer,
  }).flatMap(([name, value]) => (value === undefined ? [] : [name]))
  if (given.length > 1) throw new HubError('usage', `${given.join(' and ')} name different keys`, { hint: 'give one' })
  if (keyPass !== undefined && key === undefined) throw new HubError('usage', '--key-pass needs --key beside it')
  const { opensslEngine, opensslProvider, pkcs11Module } = ways
  if (opensslEngine !== undefined && opensslProvider !== undefined) {
    throw new HubError('usage', '--openssl-engine and --openssl-provider exclude each other', { hint: 'give one' })
  }
  if (keyUri === undefined && (opensslEngine ?? opensslProvider ?? pkcs11Module) !== undefined) {
    throw new HubError('usage', 'options of OpenSSL are given without a key', { hint: 'give --key-uri beside them' })
  }
}

function opensslPlace(uri: string, { opensslEngine, opensslProvider, pkcs11Module }: KeyFlags): OpensslPlace {
  const module = pkcs11Module ?? null
  if (opensslProvider !== undefined) return { uri, through: 'provider', name: opensslProvider, module }
  const name = opensslEngine ?? (/^pkcs11:/i.test(uri) ? 'pkcs11' : null)
  if (name !== null) return { uri, through: 'engine', name, module }
  throw new HubError('usage', `nothing says how OpenSSL reaches ${quote(uri)}`, {
    hint: 'give --openssl-provider (tpm2 for a TPM) or --openssl-engine',
  })
}

/** The request in DER. */
function requestIn(file: string): Uint8Array {
  const bytes = readSmallBytes(file, limits.estBodyBytesMax)
  if (bytes[0] === 0x30) return bytes
  const block = decodePem(bytes.toString('utf8'), 'csr-unreadable').find(({ label }) =>
    label.endsWith('CERTIFICATE REQUEST'),
  )
  if (block !== undefined) return block.der
  throw new HubError('csr-unreadable', `there is no certificate request in ${quote(file)}`, {
    hint: 'name a file with a PKCS#10 in PEM or DER, as `openssl req -new` makes it',
  })
}
