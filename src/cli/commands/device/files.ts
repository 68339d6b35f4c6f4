/** `handfast device files`: a ready folder for a device that runs no Handfast, with an example for its platform. */
import { randomBytes } from 'node:crypto'
import type { Command } from 'commander'
import type { BootstrapView } from '../../../api-schema/views.ts'
import { HubError, quote } from '../../../core/errors.ts'
import { type Bootstrap, parseBootstrap } from '../../../core/identity/bootstrap.ts'
import { type IdentityId, parseIdentityId } from '../../../core/identity/id.ts'
import type { KeyPassphrase } from '../../../core/key-file/passphrase.ts'
import { Secret } from '../../../core/secret.ts'
import { certificateFingerprint } from '../../../core/x509/certificate.ts'
import type { EnrolProgress } from '../../../device/enrol.ts'
import { type NewKeyKind, newKeyKinds } from '../../../device/private-key.ts'
import { chosenPassphrase, newPassphrase, type PassphraseOptions, secretIn } from '../../bundle/passphrase.ts'
import type { DeviceCredential } from '../../device-files/credentials.ts'
import { assertPlain, type Server } from '../../device-files/examples.ts'
import { deviceKit, readmeTitle } from '../../device-files/kit.ts'
import {
  assertAsked,
  assertReads,
  type DevicePlatform,
  devicePlatforms,
  type PlatformKit,
  platformKits,
} from '../../device-files/platforms.ts'
import { assertFolder, removeUnfinished, writeFolder } from '../../device-files/write-folder.ts'
import { asTyped } from '../../how-called.ts'
import { addHubOptions, type HubOptions, hubOf, pathPart } from '../../hub-options.ts'
import { note, printFields, printJson, printLine, shortTime, warn } from '../../output.ts'
import { parseServer } from '../../server-option.ts'
import { oneOf } from '../../values.ts'

interface FilesOptions extends HubOptions, PassphraseOptions {
  readonly for: DevicePlatform
  readonly out: string
  readonly dir?: string
  readonly cert?: string
  readonly key?: string
  readonly pass?: string
  readonly ca?: string
  readonly to?: Server
  readonly bootstrapFile?: string
  readonly profile?: string
  readonly keyType?: NewKeyKind
  readonly force?: boolean
}

export function defineFiles(command: Command): void {
  command
    .requiredOption('--for <platform>', devicePlatforms.join(', '), oneOf('--for', devicePlatforms))
    .requiredOption('--out <dir>', 'folder that is made')
    .option('--dir <dir>', 'take key and certificate from this credential store')
    .option('--cert <file>', 'take the certificate from this file, or a PFX with its key')
    .option('--key <file>', 'take the key from this file')
    .option('--pass <file>', 'file with the passphrase of that key or PFX')
    .option('--ca <file>', 'roots that the server is verified with, where none are known')
    .option('--to <server>', 'host:port that the example connects to (default: the MQTT port of the hub)', parseServer)
    .option('--bootstrap-file <file>', 'enrol with the bootstrap string in this file; "-" for standard input')
    .option('--profile <name>', 'enrol with this profile, one that the device is granted (default device)')
    .option(
      '--key-type <type>',
      `kind of the key that is made: ${newKeyKinds.join(', ')} (default P-256; RSA-2048 for meadow)`,
      oneOf('--key-type', newKeyKinds),
    )
    .option(
      '--passphrase-file <file>',
      'encrypt the key that is written with what stands there; "-" for standard input',
    )
    .option('--ask-passphrase', 'encrypt the key that is written with what is typed')
    .option('--force', 'put another credential into a folder that this command has made')
  addHubOptions(command).addHelpText('after', help).action(run)
}

const help = `
With --dir or --cert the key is copied from where it is, and no hub is asked.
Without them it is made on this machine and enrolled with a one-time token: the one
in --bootstrap-file, or one that the hub is asked for, in which case earlier tokens
of the device end. The hub never has the key. If it is interrupted, run the same
command again.

The folder is for this user alone. --force replaces key, certificates and README;
examples that are there stay.`

async function run(idText: string, options: FilesOptions): Promise<void> {
  const id = parseIdentityId(idText)
  const kit = platformKits[options.for]
  const { out, force = false } = options
  assertAgreeing(options)
  const withPassphrase = options.passphraseFile !== undefined || options.askPassphrase === true
  assertAsked(kit, { keyKind: options.keyType ?? null, withPassphrase })
  assertFolder(out, readmeTitle(options.for, id), force)
  const passphrase = await passphraseFor(kit, options)

  const credential = await credentialFor(id, kit, options)
  const content = { ...credential, ...placeOf(credential, options), id, passphrase }
  const paths = writeFolder(out, deviceKit(options.for, content, out, randomBytes))
  removeUnfinished(out)
  if (options.json) printJson(asJson(id, options.for, content, paths, out))
  else print(id, kit, content, paths, out)
}

/** @throws HubError `usage` where options exclude each other */
function assertAgreeing({
  dir,
  cert,
  key,
  pass,
  ca,
  bootstrapFile,
  profile,
  keyType,
  passphraseFile,
}: FilesOptions): void {
  const ways = [
    ...(dir === undefined ? [] : ['--dir']),
    ...((cert ?? key) === undefined ? [] : ['--cert and --key']),
    ...(bootstrapFile === undefined ? [] : ['--bootstrap-file']),
  ]
  if (ways.length > 1) throw new HubError('usage', `${ways.join(' and ')} name different keys`, { hint: 'give one' })
  if (pass !== undefined && (cert ?? key) === undefined) throw new HubError('usage', '--pass needs --cert beside it')
  const isMade = ways.length === 0 || bootstrapFile !== undefined
  if (!isMade && (profile ?? keyType) !== undefined) {
    throw new HubError(
      'usage',
      `${profile === undefined ? '--key-type' : '--profile'} is for a key that is made here`,
      {
        hint: `leave it out, or ${ways[0]}`,
      },
    )
  }
  if (bootstrapFile !== undefined && profile !== undefined) {
    throw new HubError('usage', 'the profile is that of the bootstrap string', { hint: 'leave out --profile' })
  }
  if (isMade && ca !== undefined) {
    throw new HubError('usage', 'the roots come with the certificate that is asked for', { hint: 'leave out --ca' })
  }
  if (bootstrapFile === '-' && passphraseFile === '-') {
    throw new HubError('usage', 'standard input is named twice', { hint: 'give one of the two in a file' })
  }
}

async function passphraseFor(kit: PlatformKit, options: FilesOptions): Promise<KeyPassphrase | null> {
  const chosen = await chosenPassphrase(options)
  return (chosen ?? (kit.passphrase === 'always' ? newPassphrase() : null))?.passphrase ?? null
}

async function credentialFor(id: IdentityId, kit: PlatformKit, options: FilesOptions): Promise<DeviceCredential> {
  const { assertOf, enrolHere, fromFiles, fromStore } = await import('../../device-files/credentials.ts')
  const { dir, cert = null, key = null, pass = null, out } = options
  const credential =
    dir !== undefined
      ? fromStore(dir, warn)
      : (cert ?? key) !== null
        ? fromFiles({ certificate: cert, key, passphrase: pass })
        : await enrolHere({
            bootstrap: await bootstrapFor(id, options),
            keyKind: options.keyType ?? kit.newKeyKind,
            out,
            onProgress: tell,
            onNotice: warn,
          })
  assertOf(id, credential, Date.now())
  assertReads(kit, credential.key)
  return await withRoots(credential, options)
}

async function withRoots(credential: DeviceCredential, { ca }: FilesOptions): Promise<DeviceCredential> {
  const { rootsIn } = await import('../../device-files/credentials.ts')
  if (ca !== undefined) return { ...credential, roots: rootsIn(ca) }
  if (credential.roots.length > 0) return credential
  throw new HubError('usage', 'nothing says what the server is to be verified with', {
    hint: 'give its root certificates with --ca',
  })
}

/** Where the device connects to. @throws HubError `usage` */
function placeOf({ server: known }: DeviceCredential, { to }: FilesOptions): { readonly server: Server } {
  const server = to ?? known
  if (server === null) {
    throw new HubError('usage', 'nothing says which server the device connects to', {
      hint: 'name it with --to <host:port>',
    })
  }
  assertPlain(server)
  return { server }
}

/** The bootstrap string that was brought, or a new one of the hub. @throws HubError `enrolment-bootstrap-invalid`, `device-files-of-another` */
async function bootstrapFor(id: IdentityId, options: FilesOptions): Promise<Bootstrap> {
  const { bootstrapFile, profile } = options
  if (bootstrapFile !== undefined) {
    const bootstrap = parseBootstrap(await secretIn(bootstrapFile, 'bootstrap'))
    if (bootstrap.id === id) return bootstrap
    throw new HubError(
      'device-files-of-another',
      `the bootstrap string is for ${quote(bootstrap.id)}, not for ${quote(id)}`,
    )
  }
  note('asking the hub for a one-time token')
  const view = await hubOf(options).post<BootstrapView>(
    `/devices/${pathPart(id)}/tokens`,
    profile === undefined ? {} : { tokenProfile: profile },
  )
  return parseBootstrap(new Secret(view.bootstrap))
}

function tell({ kind, text }: EnrolProgress): void {
  if (kind === 'warning') warn(text)
  else if (kind === 'step') note(text)
  else process.stderr.write(`The key waits for approval (\`handfast device approve\`). It reads:\n\n  ${text}\n\n`)
}

interface Written extends DeviceCredential {
  readonly server: Server
}

function asJson(
  id: string,
  platform: DevicePlatform,
  { chain: [own], server, origin }: Written,
  files: readonly string[],
  folder: string,
): object {
  return {
    ...{ id, platform, folder, files },
    key: origin.kind === 'made' ? 'made' : 'copied',
    ...{ host: server.host, mqttPort: server.port },
    serialNumber: own.serialNumber,
    fingerprint: certificateFingerprint(own.raw),
    notAfter: own.validToDate.toISOString(),
  }
}

function print(
  id: string,
  { title }: PlatformKit,
  { chain: [own], origin }: Written,
  files: readonly string[],
  folder: string,
): void {
  printLine(`files of ${id} for ${title}, until ${shortTime(own.validToDate.toISOString())}`)
  printFields(files.map((path, index) => [index === 0 ? 'written' : '', path] as const))
  printLine()
  printLine(
    origin.kind === 'made'
      ? 'The key was made on this machine and is in these files alone; the hub has never had it.'
      : 'The key is a copy; the one that it was made from is where it was.',
  )
  printLine(`Whoever can read them can be ${id}: move them to the device, and remove them here.`)
  printLine(asTyped(`Next: ${folder}/README.md`))
}
