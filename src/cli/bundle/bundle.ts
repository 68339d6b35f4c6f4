/** A key and its certificate as files: which ones, under which names, for the programs that will read them. */
import type { KeyObject } from 'node:crypto'
import { type KeyForm, keyFile } from '../../core/key-file/key-file.ts'
import type { KeyPassphrase } from '../../core/key-file/passphrase.ts'
import type { RandomOctets } from '../../core/key-file/pbes2.ts'
import { type PfxProtection, pfx } from '../../core/key-file/pfx.ts'
import { decodePem } from '../../core/x509/pem.ts'
import type { NewKeyKind } from '../../device/private-key.ts'

/**
 * `mosquitto`: ca.pem, server.pem, server.key. `client`: ca.pem, client_cert.pem, private_key.pem, as a device has them.
 * `meadow`: client_cert.pem, private_key.pem and, where the key is encrypted, private_key_pass.txt. `pfx`: one file.
 */
export const bundleKinds = ['mosquitto', 'client', 'meadow', 'pfx'] as const
export type BundleKind = (typeof bundleKinds)[number]

export interface BundleContent {
  /** Name of the identity: the name of a PFX and of the entry in it. */
  readonly id: string
  readonly key: KeyObject
  readonly keyForm: KeyForm
  /** Null for a key that is not encrypted; a PFX always is. */
  readonly passphrase: KeyPassphrase | null
  readonly protection: PfxProtection
  /** The certificate, then those between it and the root, in PEM. */
  readonly chain: string
  /** The roots to trust in PEM. */
  readonly root: string
}

export interface BundleFile {
  /** What it holds, as commands print it. */
  readonly purpose: 'key' | 'certificate' | 'CA' | 'passphrase' | 'PFX'
  readonly name: string
  readonly data: string | Uint8Array
  readonly mode: 0o600 | 0o644
}

/** Names of the files of a bundle, before there is anything to put into them. */
export function bundleNames(kind: BundleKind, id: string, isEncrypted: boolean): readonly string[] {
  const { ca, certificate, key, passphrase } = names[kind]
  if (kind === 'pfx') return [`${id}.pfx`]
  return [
    ...(ca === null ? [] : [ca]),
    ...[certificate, key],
    ...(passphrase === null || !isEncrypted ? [] : [passphrase]),
  ]
}

/** The files; the key is the first that is written. */
export function bundleFiles(kind: BundleKind, content: BundleContent, random: RandomOctets): readonly BundleFile[] {
  const { key, keyForm, passphrase, chain, root } = content
  if (kind === 'pfx') return [pfxFile(content, random)]
  const named = names[kind]
  const keyPem = keyFile(key, kind === 'meadow' ? 'traditional' : keyForm, passphrase, random)
  return [
    { purpose: 'key', name: named.key, data: keyPem.reveal(), mode: 0o600 },
    ...(named.passphrase === null || passphrase === null
      ? []
      : // Without a line end, which some readers take for a part of it.
        [{ purpose: 'passphrase', name: named.passphrase, data: passphrase.reveal(), mode: 0o600 } as const]),
    { purpose: 'certificate', name: named.certificate, data: chain, mode: 0o644 },
    ...(named.ca === null ? [] : [{ purpose: 'CA', name: named.ca, data: root, mode: 0o644 } as const]),
  ]
}

/** The kind of key that the readers of a bundle are sure to know; null where all do. */
export function keyKindOf(kind: BundleKind): NewKeyKind | null {
  return kind === 'meadow' ? 'RSA-2048' : null
}

interface Names {
  readonly ca: string | null
  readonly certificate: string
  readonly key: string
  readonly passphrase: string | null
}

const names: Readonly<Record<BundleKind, Names>> = {
  mosquitto: { ca: 'ca.pem', certificate: 'server.pem', key: 'server.key', passphrase: null },
  client: { ca: 'ca.pem', certificate: 'client_cert.pem', key: 'private_key.pem', passphrase: null },
  meadow: { ca: null, certificate: 'client_cert.pem', key: 'private_key.pem', passphrase: 'private_key_pass.txt' },
  pfx: { ca: null, certificate: '', key: '', passphrase: null },
}

function pfxFile(content: BundleContent, random: RandomOctets): BundleFile {
  const { id, key, passphrase, protection } = content
  const [own, ...above] = decodePem(content.chain + content.root).map(({ der }) => der)
  if (own === undefined || passphrase === null) throw new TypeError('a PFX holds a certificate, under a passphrase')
  const data = pfx({ key, certificates: [own, ...above], friendlyName: id }, passphrase, protection, random)
  return { purpose: 'PFX', name: `${id}.pfx`, data, mode: 0o600 }
}
