/** `handfast convert`: keys and certificates from one form to another, and who reads which. */
import { type KeyObject, randomBytes, type X509Certificate } from 'node:crypto'
import { statSync } from 'node:fs'
import { basename, join } from 'node:path'
import type { Command } from 'commander'
import { HubError, quote } from '../../core/errors.ts'
import { readParts } from '../../core/key-file/brought-parts.ts'
import { type FoundForm, foundForm, type Platform, platforms, whyUnread } from '../../core/key-file/found-form.ts'
import { keyFile, privateKeyInfo } from '../../core/key-file/key-file.ts'
import type { KeyPassphrase } from '../../core/key-file/passphrase.ts'
import { pfx, pfxProtections } from '../../core/key-file/pfx.ts'
import { limits } from '../../core/limits.ts'
import type { Secret } from '../../core/secret.ts'
import { bundleFiles, bundleNames } from '../bundle/bundle.ts'
import { chosenPassphrase, type PassphraseOptions, secretIn } from '../bundle/passphrase.ts'
import { assertWritable, writeBundle } from '../bundle/write-bundle.ts'
import { note, printFields, printJson, printLine, warn } from '../output.ts'
import { oneOf } from '../values.ts'
import { readSmallBytes } from '../whole-file.ts'

/** Forms of one file, and what they hold. */
const forms = ['pkcs8', 'traditional', 'key-der', 'cert', 'cert-der', 'pfx'] as const
type Form = (typeof forms)[number]

interface ConvertOptions extends PassphraseOptions {
  readonly pass?: string
  readonly for?: Platform
  readonly to?: Form
  readonly protection?: (typeof pfxProtections)[number]
  readonly out?: string
  readonly force?: boolean
  readonly json?: boolean
}

export function define(command: Command): void {
  command
    .argument('<file...>', 'a key, a certificate or a PFX in any form; several to put together')
    .option('--pass <file>', 'file with the passphrase of what is read')
    .option('--for <platform>', `write a folder for ${platforms.join(', ')}`, oneOf('--for', platforms))
    .option('--to <form>', `write one file: ${forms.join(', ')}`, oneOf('--to', forms))
    .option('--out <path>', 'the folder or file that is written')
    .option('--passphrase-file <file>', 'encrypt what is written with what stands there; "-" for standard input')
    .option('--ask-passphrase', 'encrypt what is written with what is typed')
    .option(
      '--protection <kind>',
      `of a PFX: ${pfxProtections.join(', ')} (default compatible)`,
      oneOf('--protection', pfxProtections),
    )
    .option('--force', 'replace files that are there')
    .option('--json', 'print JSON')
    .addHelpText(
      'after',
      '\nWithout --for and --to it says what the files are and who reads them. Nothing is sent to anybody.',
    )
    .action(async (files: readonly string[], options: ConvertOptions) => {
      const isLook = options.for === undefined && options.to === undefined
      assertAgreeing(options)
      const read = await readAll(files, options.pass, isLook)
      if (isLook) return tell(read, options.json ?? false)
      const written = await write(read, options)
      if (options.json) printJson({ written })
      else for (const path of written) printLine(path)
    })
}

/** @throws HubError `usage` where an option has nothing to say */
function assertAgreeing({ for: platform, to, protection, out }: ConvertOptions): void {
  if (protection !== undefined && to !== 'pfx') {
    throw new HubError('usage', '--protection is that of a PFX', { hint: 'add --to pfx, or leave it out' })
  }
  if (to === undefined || platform !== undefined || out === undefined) return
  if (out.endsWith('/') || statSync(out, { throwIfNoEntry: false })?.isDirectory()) {
    throw new HubError('usage', `${quote(out)} is a folder, and --to ${to} writes one file`, {
      hint: `name the file in it: --out ${join(out, to === 'pfx' ? 'device.pfx' : `new.${to.endsWith('der') ? 'der' : 'pem'}`)}`,
    })
  }
}

interface Found {
  readonly name: string
  readonly form: FoundForm | null
  readonly key: KeyObject | null
  readonly certificates: readonly X509Certificate[]
}

/** @param isLook where a key that does not open is to be told of all the same */
async function readAll(paths: readonly string[], pass: string | undefined, isLook: boolean): Promise<readonly Found[]> {
  const passphrase: Secret | null = pass === undefined ? null : await secretIn(pass)
  return paths.map((name) => {
    const file = { name, bytes: readSmallBytes(name, limits.keyFileBytesMax) }
    const form = foundForm(file)
    try {
      return { name, form, ...readParts(file, passphrase) }
    } catch (error) {
      const isLocked = error instanceof HubError && error.code === 'credential-passphrase-wrong'
      if (!isLocked || !isLook || passphrase !== null) throw error
      return { name, form, key: null, certificates: [] }
    }
  })
}

/** What one file is, and which platforms do not read its key. */
function described({ name, form, key, certificates }: Found) {
  const details = key?.asymmetricKeyDetails
  const unread = form === null ? [] : platforms.map((platform) => [platform, whyUnread(platform, form, key)] as const)
  return {
    file: name,
    key: key === null ? null : `${key.asymmetricKeyType} ${details?.namedCurve ?? details?.modulusLength ?? ''}`.trim(),
    form: form === null ? null : `${form.form} in ${form.container}`,
    encryption: form?.encryption ?? null,
    readBy: unread.filter(([, why]) => why === null).map(([platform]) => platform),
    unreadBy: unread.flatMap(([platform, why]) => (why === null ? [] : [{ platform, why }])),
    certificates: certificates.map(({ subject, validTo }) => ({
      subject: subject.split('\n').join(', '),
      until: validTo,
    })),
  }
}

function tell(found: readonly Found[], json: boolean): void {
  const all = found.map(described)
  const strangers = mismatches(found)
  for (const each of strangers) warn(each)
  if (json) {
    printJson(all)
    return
  }
  for (const { file, key, form, encryption, readBy, unreadBy, certificates } of all) {
    printLine(file)
    printFields([
      ...(form === null
        ? []
        : [['key', `${key ?? 'not opened'}, ${form}`] as const, ['encrypted', encryption ?? 'no'] as const]),
      ...(readBy.length === 0 ? [] : [['read by', readBy.join(', ')] as const]),
      ...unreadBy.map(({ platform, why }) => [platform, why] as const),
      ...certificates.map(({ subject, until }) => ['certificate', `${subject}, until ${until}`] as const),
    ])
  }
  if (all.some(({ unreadBy }) => unreadBy.length > 0)) note('write it for a platform with --for <platform> --out <dir>')
}

/** Keys that are for none of the certificates, in words. */
function mismatches(found: readonly Found[]): readonly string[] {
  const certificates = found.flatMap((each) => each.certificates)
  if (certificates.length === 0) return []
  return found.flatMap(({ name, key }) =>
    key === null || certificates.some((each) => each.checkPrivateKey(key))
      ? []
      : [`the key in ${quote(name)} is for none of the certificates in these files`],
  )
}

/** @returns the paths that were written */
async function write(found: readonly Found[], options: ConvertOptions): Promise<readonly string[]> {
  const { out, force = false } = options
  if (out === undefined)
    throw new HubError('usage', 'the place for what is written is missing', { hint: 'give it with --out' })
  if (options.for !== undefined && options.to !== undefined) {
    throw new HubError('usage', 'a platform and a form are named at once', { hint: 'give either --for or --to' })
  }
  const keys = found.flatMap(({ key }) => key ?? [])
  if (keys.length > 1) throw new HubError('usage', `the files hold ${keys.length} keys`, { hint: 'give one of them' })
  const key = keys[0] ?? null
  const certificates = ordered(
    key,
    found.flatMap((each) => each.certificates),
  )
  const chosen = await chosenPassphrase(options)
  const passphrase = chosen?.passphrase ?? null
  if (options.for !== undefined) return writeFolder(options.for, { key, certificates, passphrase, out, force })
  const data = oneFile(options.to ?? 'pkcs8', {
    key,
    certificates,
    passphrase,
    protection: options.protection ?? 'compatible',
  })
  const folder = out.includes('/') ? out.slice(0, out.lastIndexOf('/')) || '/' : '.'
  const isSecret = options.to !== 'cert' && options.to !== 'cert-der'
  const file = {
    purpose: 'key' as const,
    name: basename(out),
    data,
    mode: isSecret ? (0o600 as const) : (0o644 as const),
  }
  assertWritable(folder, [file.name], force)
  return writeBundle(folder, [file], force)
}

/** The certificate of the key first. @throws HubError `key-certificate-mismatch` */
function ordered(key: KeyObject | null, certificates: readonly X509Certificate[]): readonly X509Certificate[] {
  if (key === null || certificates.length === 0) return certificates
  const own = certificates.find((each) => each.checkPrivateKey(key))
  if (own === undefined)
    throw new HubError('key-certificate-mismatch', 'none of the certificates is for the key beside them')
  return [own, ...certificates.filter((each) => each !== own)]
}

interface Content {
  readonly key: KeyObject | null
  readonly certificates: readonly X509Certificate[]
  readonly passphrase: KeyPassphrase | null
}

function writeFolder(
  platform: Platform,
  { key, certificates, passphrase, out, force }: Content & { readonly out: string; readonly force: boolean },
): readonly string[] {
  if (key === null || certificates.length === 0) {
    throw new HubError('import-incomplete', `for ${platform} both a key and its certificate are needed`)
  }
  const type = key.asymmetricKeyType
  if (platform !== 'modern' && type !== 'rsa' && type !== 'ec') {
    throw new HubError('key-unfit-for-platform', `${platform} reads no key of the kind ${type}`)
  }
  const isRoot = (each: X509Certificate): boolean => each.ca && each.checkIssued(each)
  const chain = certificates
    .filter((each, place) => place === 0 || !isRoot(each))
    .map(String)
    .join('')
  const kind = platform === 'meadow' ? 'meadow' : 'client'
  const root = certificates.slice(1).filter(isRoot).map(String).join('')
  assertWritable(out, bundleNames(kind, '', passphrase !== null), force)
  const files = bundleFiles(
    kind,
    {
      id: '',
      key,
      keyForm: platform === 'modern' ? 'pkcs8' : 'traditional',
      passphrase,
      protection: 'compatible',
      chain,
      root,
    },
    randomBytes,
  )
  return writeBundle(
    out,
    files.filter(({ data }) => data.length > 0),
    force,
  )
}

function oneFile(
  form: Form,
  content: Content & { readonly protection: (typeof pfxProtections)[number] },
): string | Uint8Array {
  const { key, certificates, passphrase } = content
  const [own, ...above] = certificates
  if (form === 'cert' || form === 'cert-der') {
    if (own === undefined) throw new HubError('import-incomplete', 'the files hold no certificate')
    return form === 'cert-der' ? own.raw : certificates.map(String).join('')
  }
  if (key === null) throw new HubError('import-incomplete', 'the files hold no key')
  if (form === 'key-der') {
    if (passphrase === null) return privateKeyInfo(key)
    throw new HubError('usage', 'a key in DER is written without a passphrase', { hint: 'take --to pkcs8 or --to pfx' })
  }
  if (form === 'pfx') {
    if (own === undefined) throw new HubError('import-incomplete', 'a PFX needs the certificate as well')
    if (passphrase === null)
      throw new HubError('usage', 'a PFX needs a passphrase', { hint: 'give --passphrase-file or --ask-passphrase' })
    const friendlyName = /^CN=([ -~]*)$/m.exec(own.subject)?.[1] ?? 'device'
    const chain = [own.raw, ...above.map(({ raw }) => raw)] as const
    return pfx({ key, certificates: chain, friendlyName }, passphrase, content.protection, randomBytes)
  }
  const type = key.asymmetricKeyType
  if (form === 'traditional' && type !== 'rsa' && type !== 'ec') {
    throw new HubError('usage', `a key of the kind ${quote(type)} has no form but PKCS#8`, { hint: 'take --to pkcs8' })
  }
  return keyFile(key, form, passphrase, randomBytes).reveal()
}
