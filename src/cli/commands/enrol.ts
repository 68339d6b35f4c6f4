/** `handfast enrol`: on a device, from a bootstrap string to a key and a certificate. */
import { X509Certificate } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import type { Command } from 'commander'
import { refuseMistypedVariables } from '../../config/resolve.ts'
import { HubError, quote } from '../../core/errors.ts'
import { parseBootstrap } from '../../core/identity/bootstrap.ts'
import { Secret } from '../../core/secret.ts'
import { unreadable } from '../../core/unreadable.ts'
import { type EnrolProgress, type EnrolResult, enrol } from '../../device/enrol.ts'
import { enrolAtServer } from '../../device/enrol-at.ts'
import { deviceLimits } from '../../device/limits.ts'
import { openCredentialStore } from '../../device/store/open.ts'
import { addEstServerOptions, type EstServerFlags, estServer } from '../est-server-options.ts'
import { asTyped, handfast } from '../how-called.ts'
import { addKeyOptions, enrolmentKey, type KeyFlags } from '../key-options.ts'
import { note, printFields, printJson, printLine, shellWord, shortTime, warn } from '../output.ts'

interface EnrolOptions extends KeyFlags, EstServerFlags {
  readonly dir: string
  readonly file?: string
  readonly force?: boolean
  readonly keyPassphraseFile?: string
  readonly json?: boolean
  /** Commander sets it to false for --no-wait. */
  readonly wait: boolean
}

export function define(command: Command): void {
  command
    .argument(
      '[bootstrap]',
      'the string that `handfast device add` printed, in quotes; "-" reads it from standard input',
    )
    .requiredOption('--dir <dir>', 'folder for key and certificates; it is made if it is not there')
    .option('--file <file>', 'read the bootstrap string from a file')
  addKeyOptions(command)
  addEstServerOptions(command)
    .option('--force', 'replace the credential that the folder holds')
    .option('--key-passphrase-file <file>', 'encrypt the keys in the folder with the passphrase in this file')
    .option('--no-wait', 'end at once where an operator must approve the key first')
    .option('--json', 'print JSON')
    .addHelpText('after', secrecyHelp)
    .action(async (argument: string | undefined, options: EnrolOptions) => {
      refuseMistypedVariables(process.env)
      const server = estServer(options)
      if (server !== null) {
        if ((argument ?? options.file) !== undefined) {
          throw new HubError('usage', 'a bootstrap string and --est-url are given at once', { hint: 'give one' })
        }
        return await enrolElsewhere(server, options)
      }
      const bootstrap = parseBootstrap(await bootstrapText(argument, options.file))
      const result = await enrol({
        bootstrap,
        directory: options.dir,
        force: options.force ?? false,
        key: enrolmentKey(options, resolve(options.dir)),
        ...(options.keyPassphraseFile === undefined ? {} : { passphraseFile: options.keyPassphraseFile }),
        onNotice: warn,
        ...(options.wait ? { wait: (ms: number) => delay(ms) } : {}),
        onProgress: ({ kind, text }) => tell(kind, text, options.wait),
      }).catch((error: unknown) => {
        throw error instanceof HubError ? withHintFor(error, bootstrap.id) : error
      })
      if (options.json) printJson(result)
      else print(result, options.dir)
    })
}

async function enrolElsewhere(server: NonNullable<ReturnType<typeof estServer>>, options: EnrolOptions): Promise<void> {
  const { dir, force = false, keyPassphraseFile: passphraseFile, json = false } = options
  const store = openCredentialStore(dir, {
    onNotice: warn,
    ...(passphraseFile === undefined ? {} : { passphraseFile }),
  })
  const key = enrolmentKey(options, resolve(dir))
  const told = { onStep: json ? () => {} : note, onWarning: warn }
  const certificate = await enrolAtServer({ ...server, store, key, force, nowMs: Date.now, ...told })
  const { files } = store
  const [id, host] = [server.id, server.address.host]
  const notAfter = certificate.validToDate.toISOString()
  if (json) return printJson({ outcome: 'enrolled', id, host, files, serialNumber: certificate.serialNumber, notAfter })
  printLine(`${id} is enrolled at ${host}, until ${shortTime(notAfter)}`)
  printFields([
    ['certificate', files.certificate],
    ['CA', files.ca],
    ['serial', certificate.serialNumber],
  ])
}

function tell(kind: EnrolProgress['kind'], text: string, waits: boolean): void {
  if (kind === 'warning') warn(text)
  else if (kind === 'step') note(text)
  else showWords(text, waits)
}

/** Whoever stands here must see them, also where standard error is no terminal. */
function showWords(words: string, waits: boolean): void {
  const then = waits ? 'Waiting; Ctrl-C ends it.' : ''
  process.stderr.write(
    `The key of this device waits for approval. It reads:\n\n  ${words}\n\nThe operator of the hub sees the same words with \`handfast device waiting\`. ${then}\n`,
  )
}

const secrecyHelp = `
The string holds a secret that works once. On the command line other users of
this machine can see it while the command runs, and the shell may keep it. Where
that matters, use --file, "-" or the variable HANDFAST_BOOTSTRAP.

If it is interrupted, run the same command again: it goes on with the same key.
So it does where an operator must approve the key: the words of the key are
shown, and the command waits until the operator has compared and approved them.`

function withHintFor({ code, message, hint, cause }: HubError, id: string): HubError {
  return new HubError(code, message, { hint: asTyped(hint, id), cause })
}

async function bootstrapText(argument: string | undefined, file: string | undefined): Promise<Secret> {
  if (argument !== undefined && file !== undefined) {
    throw new HubError('usage', 'the bootstrap string is given twice', { hint: 'give either the argument or --file' })
  }
  if (argument === '-') return new Secret(await readStandardInput())
  if (argument !== undefined) return new Secret(argument)
  if (file !== undefined) return new Secret(readSmall(file, quote(file)))
  const { HANDFAST_BOOTSTRAP: variable } = process.env
  if (variable) return new Secret(variable)
  throw new HubError('usage', 'the bootstrap string is missing', {
    hint: 'give it as the argument in quotes, with --file, on standard input with "-", or in HANDFAST_BOOTSTRAP',
  })
}

/** Reads as a stream: a pipe whose writer is slower than this program has nothing to read at first. */
async function readStandardInput(): Promise<string> {
  let text = ''
  for await (const chunk of process.stdin.setEncoding('utf8')) text = bounded(text + String(chunk), 'standard input')
  return text
}

function readSmall(file: string, name: string): string {
  try {
    return bounded(readFileSync(file, 'utf8'), name)
  } catch (error) {
    if (error instanceof HubError) throw error
    const { words, hint } = unreadable(error)
    throw new HubError('usage', `${name} ${words}`, { hint, cause: error })
  }
}

function bounded(text: string, name: string): string {
  if (text.length <= deviceLimits.bootstrapCharsMax) return text
  throw new HubError('enrolment-bootstrap-invalid', `${name} is too long for a bootstrap string`)
}

function print(result: EnrolResult, directory: string): void {
  const until = shortTime(result.notAfter)
  if (result.outcome === 'kept') printLine(`${result.id} is enrolled already with this string, until ${until}`)
  else printLine(`${result.id} is enrolled, until ${until}`)
  printFields([
    ['key', result.keyPlace ?? result.files.key],
    ['certificate', result.files.certificate],
    ['CA', result.files.ca],
    ['serial', result.serialNumber],
  ])
  if (result.outcome === 'kept') {
    printLine()
    printLine(
      `The hub was not asked. If the device was revoked since, make another string: ${handfast} device token ${shellWord(result.id)}`,
    )
    return
  }
  // mosquitto_pub reads its key from a file, and a service sends no readings.
  if (result.keyPlace !== null || isService(result)) return
  printLine()
  printLine('Next, send a reading:')
  printLine(`  ${publishLine(result, directory)}`)
}

function isService({ files }: EnrolResult): boolean {
  const names = new X509Certificate(readFileSync(files.certificate)).subjectAltName ?? ''
  return /\bURI:spiffe:\/\/[^,]+\/service\//.test(names)
}

/** A command that works as it is when it is pasted. */
function publishLine({ id, host, mqttPort }: EnrolResult, directory: string): string {
  const file = (name: string): string => shellWord(join(directory, name))
  return [
    'mosquitto_pub',
    `--cafile ${file('ca.pem')} --cert ${file('client_cert.pem')} --key ${file('private_key.pem')}`,
    `-h ${host} -p ${mqttPort} -i ${id} -q 1 -t devices/${id}/messages/events/`,
    `-m '{"temperature":21}'`,
  ].join(' ')
}
