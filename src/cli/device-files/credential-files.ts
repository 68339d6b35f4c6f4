/** Key and certificates of a device in the files that a platform looks for. */
import type { KeyObject, X509Certificate } from 'node:crypto'
import { keyFile } from '../../core/key-file/key-file.ts'
import type { KeyPassphrase } from '../../core/key-file/passphrase.ts'
import type { RandomOctets } from '../../core/key-file/pbes2.ts'
import { pfx } from '../../core/key-file/pfx.ts'
import type { PlatformKit } from './platforms.ts'

/** A file of the folder. */
export interface KitFile {
  /** Path below the folder. */
  readonly name: string
  /** What it is, as people read it. */
  readonly what: string
  readonly data: string | Uint8Array
  readonly mode: 0o600 | 0o644
}

export interface CredentialContent {
  readonly id: string
  readonly key: KeyObject
  /** The device's certificate, then those that issued it. */
  readonly chain: readonly [X509Certificate, ...X509Certificate[]]
  /** What the hub is verified with, at least one. */
  readonly roots: readonly X509Certificate[]
  /** Null for a key that is not encrypted. */
  readonly passphrase: KeyPassphrase | null
}

/** The files, that of the key first. */
export function credentialFiles(
  kit: PlatformKit,
  content: CredentialContent,
  random: RandomOctets,
): readonly KitFile[] {
  const files = { pem: pemFiles, pfx: pfxFiles, header: headerFile }[kit.layout](kit, content, random)
  return files.map((file) => ({ ...file, name: `${kit.place}${file.name}` }))
}

const certificateText = 'its certificate, and those of the authorities that issued it'
const rootsText = 'what the hub is verified with'

function pemFiles(kit: PlatformKit, content: CredentialContent, random: RandomOctets): readonly KitFile[] {
  const { key, chain, roots, passphrase } = content
  return [
    {
      name: 'private_key.pem',
      what: `the key (${keyText(kit, content)})`,
      data: keyFile(key, kit.keyForm, passphrase, random).reveal(),
      mode: 0o600,
    },
    ...(passphrase === null ? [] : [passphraseFile('private_key_pass.txt', passphrase)]),
    { name: 'client_cert.pem', what: certificateText, data: chain.map(String).join(''), mode: 0o644 },
    { name: 'ca.pem', what: rootsText, data: roots.map(String).join(''), mode: 0o644 },
  ]
}

/** Without a line end, which some readers take for a part of it. */
function passphraseFile(name: string, passphrase: KeyPassphrase): KitFile {
  return { name, what: 'the passphrase of the key', data: passphrase.reveal(), mode: 0o600 }
}

function keyText({ keyForm }: PlatformKit, { key, passphrase }: CredentialContent): string {
  const isRsa = key.asymmetricKeyType === 'rsa'
  const form = keyForm === 'pkcs8' ? 'PKCS#8' : isRsa ? 'PKCS#1' : 'SEC1'
  const encryption = keyForm === 'pkcs8' ? 'AES-256' : 'AES-128 in the traditional way'
  const { modulusLength, namedCurve } = key.asymmetricKeyDetails ?? {}
  const kind = isRsa
    ? `RSA ${modulusLength}`
    : (namedCurve?.replace('prime256v1', 'P-256').replace('secp384r1', 'P-384') ?? 'Ed25519')
  return `${kind}, ${form}${passphrase === null ? '' : `, under ${encryption}`}`
}

function pfxFiles(_kit: PlatformKit, content: CredentialContent, random: RandomOctets): readonly KitFile[] {
  const { id, key, chain, roots, passphrase } = content
  if (passphrase === null) throw new TypeError('a PFX is under a passphrase')
  const [own, ...above] = chain
  const certificates = [own.raw, ...above.map(({ raw }) => raw)] as const
  const data = pfx({ key, certificates, friendlyName: id }, passphrase, 'compatible', random)
  return [
    {
      name: 'device.pfx',
      what: 'the key, its certificate and those of the authorities that issued it',
      data,
      mode: 0o600,
    },
    passphraseFile('device_pass.txt', passphrase),
    { name: 'ca.pem', what: rootsText, data: roots.map(String).join(''), mode: 0o644 },
  ]
}

/** A header, since a sketch has no files: PEM in raw strings of C++. */
function headerFile(kit: PlatformKit, content: CredentialContent, random: RandomOctets): readonly KitFile[] {
  const { id, key, chain, roots } = content
  const [own, issuer = roots.find((root) => own.checkIssued(root))] = chain
  const text = (name: string, pem: string): string => `static const char ${name}[] = R"pem(\n${pem})pem";\n`
  const data = [
    `// Key and certificates of ${id}. Whoever has this file can be this device: keep it out of version control.`,
    '#pragma once',
    `#define DEVICE_KEY_IS_RSA ${key.asymmetricKeyType === 'rsa' ? 1 : 0}`,
    `#define DEVICE_ISSUER_IS_RSA ${issuer?.publicKey.asymmetricKeyType === 'rsa' ? 1 : 0}`,
    '',
    text('ca_pem', roots.map(String).join('')),
    text('client_cert_pem', chain.map(String).join('')),
    text('private_key_pem', keyFile(key, kit.keyForm, null, random).reveal()),
  ].join('\n')
  const what = `the key (${keyText(kit, { ...content, passphrase: null })}), its certificates, and ${rootsText}`
  return [{ name: 'credentials.h', what, data, mode: 0o600 }]
}
