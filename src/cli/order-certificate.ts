/** A certificate from the operator's side: the key is made here and never leaves but into files. */
import { randomBytes } from 'node:crypto'
import type { Command } from 'commander'
import type { IssueCertificateRequest, IssuedCertificateView } from '../api-schema/certificates.ts'
import { HubError } from '../core/errors.ts'
import { keyFormFor } from '../core/key-file/key-file.ts'
import { type PfxProtection, pfxProtections } from '../core/key-file/pfx.ts'
import { encodePem } from '../core/x509/pem.ts'
import { certificateRequestWith, type NewKeyKind, newKeyKinds, newPrivateKey } from '../device/private-key.ts'
import type { HubApi } from './api-client.ts'
import { type BundleFile, type BundleKind, bundleFiles, bundleKinds, bundleNames, keyKindOf } from './bundle/bundle.ts'
import { type ChosenPassphrase, chosenPassphrase, newPassphrase, type PassphraseOptions } from './bundle/passphrase.ts'
import { assertWritable, writeBundle } from './bundle/write-bundle.ts'
import { handfast } from './how-called.ts'
import { shellWord, warn } from './output.ts'
import { oneOf, wholeNumber } from './values.ts'

/** The options that say what is ordered. */
export interface OrderOptions {
  readonly days?: number
  readonly chain?: string
}

/** The options that say into which files it goes. */
export interface FileOptions extends PassphraseOptions {
  readonly bundle?: BundleKind
  readonly out?: string
  readonly keyType?: NewKeyKind
  readonly protection?: PfxProtection
  readonly force?: boolean
}

export interface WrittenFile {
  readonly purpose: BundleFile['purpose']
  readonly path: string
}

export interface Ordered {
  readonly issued: IssuedCertificateView
  readonly files: readonly WrittenFile[]
  /** Null where there is none, or the operator knows it. */
  readonly newPassphrase: string | null
}

/** The longest life of any profile: ten years. */
const daysMax = 3_650

export function addOrderOptions(command: Command): Command {
  return command
    .option('--days <n>', 'how long it is good, where the profile lets you say', wholeNumber('--days', 1, daysMax))
    .option('--chain <name>', 'which chain of authorities signs it (default: that of the profile)')
}

/** @param usual what is written where --bundle is left out, in words */
export function addFileOptions(command: Command, usual: string): Command {
  return command
    .option('--out <dir>', 'folder for the files (default: one named after the id)')
    .option('--bundle <kind>', `${bundleKinds.join(', ')} (default ${usual})`, oneOf('--bundle', bundleKinds))
    .option('--key-type <type>', `${newKeyKinds.join(', ')} (default P-256)`, oneOf('--key-type', newKeyKinds))
    .option('--passphrase-file <file>', 'encrypt the key with what stands there; "-" for standard input')
    .option('--ask-passphrase', 'encrypt the key with a passphrase that is asked for')
    .option(
      '--protection <kind>',
      'of a PFX: compatible (3DES, read everywhere) or modern (AES-256) (default compatible)',
      oneOf('--protection', pfxProtections),
    )
    .option('--force', 'replace files that are there')
}

/** An order without the key. */
export type KeylessOrder = Omit<IssueCertificateRequest, 'certificateRequest' | 'lifetimeSec' | 'chain'>

/** The parts of an order that options say. */
export function orderedBy({ days, chain }: OrderOptions): Pick<IssueCertificateRequest, 'lifetimeSec' | 'chain'> {
  return {
    ...(days === undefined ? {} : { lifetimeSec: days * 86_400 }),
    ...(chain === undefined ? {} : { chain }),
  }
}

/** Where files would go, after a look whether they may. */
export interface PreparedFiles {
  readonly folder: string
  readonly bundle: BundleKind
  readonly chosen: ChosenPassphrase | null
  readonly options: FileOptions
}

/**
 * Looks at all that can go wrong on this side before anything is asked of the hub.
 *
 * @throws HubError `usage`, `key-passphrase-unusable`, `files-exist`, `files-unwritable`
 */
export async function prepareFiles(id: string, options: FileOptions, usual: BundleKind): Promise<PreparedFiles> {
  const bundle = options.bundle ?? usual
  if (bundle !== 'pfx' && options.protection !== undefined) {
    throw new HubError('usage', '--protection is that of a PFX', { hint: 'add --bundle pfx, or leave it out' })
  }
  if (bundle === 'meadow' && options.keyType === 'Ed25519') {
    throw new HubError('usage', 'Meadow does not read Ed25519 keys', { hint: 'leave out --key-type' })
  }
  const own = await chosenPassphrase(options)
  if (bundle === 'pfx' && own !== null && options.protection !== 'modern' && own.passphrase.length < shortBelow) {
    warn('triple DES does not slow down who tries passphrases: take a longer one, or --protection modern')
  }
  const chosen = own ?? (bundle === 'pfx' ? newPassphrase() : null)
  const folder = options.out ?? id
  assertWritable(folder, bundleNames(bundle, id, chosen !== null), options.force ?? false)
  return { folder, bundle, chosen, options }
}

/** Passphrases that people think of and that are shorter are found by trying, where nothing slows that down. */
const shortBelow = 16

/**
 * Makes a key, orders a certificate for it and writes both.
 *
 * @throws HubError whatever the hub refuses; `files-exist`, `files-unwritable`
 */
export async function orderWithNewKey(
  hub: HubApi,
  order: KeylessOrder,
  ordered: OrderOptions,
  { folder, bundle, chosen, options }: PreparedFiles,
): Promise<Ordered> {
  const { id } = order
  const key = await newPrivateKey(
    options.keyType ?? keyKindOf(bundle) ?? (ordered.chain === 'rsa' ? 'RSA-2048' : 'P-256'),
  )
  const certificateRequest = encodePem('CERTIFICATE REQUEST', certificateRequestWith(id, key))
  const request: IssueCertificateRequest = { ...order, ...orderedBy(ordered), certificateRequest }
  const issued = await hub.post<IssuedCertificateView>('/credentials', request)
  const content = {
    ...{ id, key, keyForm: keyFormFor(issued.compatibility), passphrase: chosen?.passphrase ?? null },
    protection: options.protection ?? 'compatible',
    chain: issued.certificate + issued.chain,
    // A broker reads there whom to trust as a client; a device may not know the algorithms of other chains.
    root: bundle === 'mosquitto' ? issued.roots : issued.root,
  }
  const files = bundleFiles(bundle, content, randomBytes)
  try {
    const paths = writeBundle(folder, files, options.force ?? false)
    return {
      issued,
      files: files.map(({ purpose }, index) => ({ purpose, path: paths[index] ?? '' })),
      newPassphrase: chosen?.isNew ? chosen.passphrase.reveal() : null,
    }
  } catch (error) {
    throw error instanceof HubError ? withoutFiles(error, issued.credential.serialNumber) : error
  }
}

/** What was issued and could not be kept is nobody's. */
function withoutFiles({ code, message, cause }: HubError, serialNumber: string): HubError {
  return new HubError(code, message, {
    hint: `the certificate was issued; revoke it with \`${handfast} cert revoke ${serialNumber} --reason superseded\`, and order again`,
    cause,
  })
}

/**
 * The same for an identity that was registered a moment ago: what fails now can be done again without registering it.
 *
 * @param words what it is, with its article
 */
export async function orderForNew(
  words: string,
  hub: HubApi,
  order: KeylessOrder,
  ordered: OrderOptions,
  files: PreparedFiles,
): Promise<Ordered> {
  try {
    return await orderWithNewKey(hub, order, ordered, files)
  } catch (error) {
    // Where the files failed the certificate is there, and the hint says so.
    if (!(error instanceof HubError) || error.code.startsWith('files-')) throw error
    const { id, profile } = order
    throw new HubError(error.code, `${id} is registered as ${words} and has no certificate: ${error.message}`, {
      hint: `${error.hint}; then \`${handfast} cert issue --profile ${shellWord(profile)} --id ${shellWord(id)}\``,
      cause: error,
    })
  }
}

/** As JSON: the certificate as the hub answered it, and where things are. */
export function orderedJson({ issued, files, newPassphrase: passphrase }: Ordered): object {
  return {
    ...issued,
    files: Object.fromEntries(files.map(({ purpose, path }) => [purpose, path])),
    ...(passphrase === null ? {} : { passphrase }),
  }
}
