/** Hands each thing to the examiner of its kind. What an examiner needs is loaded when there is something for it. */
import { HubError, quote } from '../../core/errors.ts'
import type { Platform } from '../../core/key-file/found-form.ts'
import type { Examination } from '../../doctor/finding.ts'
import { type AddressOptions, addressOptionIn } from './address-options.ts'
import { examineLogFile } from './log-file.ts'
import { isBrokerConfiguration, type Thing, thingOf } from './thing.ts'

/** Options that examiners take from the command line. */
export interface DoctorOptions extends AddressOptions {
  readonly json?: boolean
  /** The platform that is to read the files. */
  readonly for?: Platform
  /** The file with the passphrase of the key. */
  readonly keyPassFile?: string
  /** Whether to show what can be mended in the files, */
  readonly fix?: boolean
  /** and to do it. */
  readonly yes?: boolean
}

/**
 * @param words as they stand on the command line; files are looked at together, since a key and its certificate belong together
 * @throws HubError `usage` for a file that is not there
 */
export async function examineAll(words: readonly string[], options: DoctorOptions): Promise<readonly Examination[]> {
  const things = words.map((word) => thingOf(word))
  const paths = things.flatMap((thing) => (thing.kind === 'path' ? existing(thing) : []))
  const examinations: Examination[] = []
  if (paths.length > 0) examinations.push(...(await examinePaths(paths, options)))
  for (const thing of things) {
    if (thing.kind === 'address') examinations.push(await examineAddress(thing.address, options, paths))
    if (thing.kind === 'log') examinations.push(...(await examineLog(thing.text, options)))
  }
  return examinations
}

/**
 * Files among these words that can be mended.
 *
 * @throws HubError `usage` where there are none
 */
export function mendablePaths(words: readonly string[]): readonly string[] {
  const paths = words
    .map((word) => thingOf(word))
    .flatMap((thing) => (thing.kind === 'path' ? existing(thing) : []))
    .filter((path) => !isBrokerConfiguration(path))
  if (paths.length > 0) return paths
  throw new HubError('usage', 'there is no file to mend among these', {
    hint: 'name a folder or files, or leave --fix out',
  })
}

/** @throws HubError `usage` for an option about an address where no word is one */
export function assertAddressFor(options: DoctorOptions, words: readonly string[]): void {
  const option = addressOptionIn(options)
  if (option === undefined || words.some((word) => thingOf(word).kind === 'address')) return
  throw new HubError('usage', `${option} goes with the address of a broker, and none is given`, {
    hint: 'name one as in host:port, mqtts://host or wss://host/mqtt',
  })
}

function existing({ path, isThere }: Thing & { readonly kind: 'path' }): string {
  if (isThere) return path
  throw new HubError('usage', `there is no file or folder ${quote(path)}`, {
    hint: 'name one that is there; an address is written as host:port, and a line of a log in quotes',
  })
}

async function examinePaths(paths: readonly string[], options: DoctorOptions): Promise<readonly Examination[]> {
  const configurations = paths.filter(isBrokerConfiguration)
  const logs = new Map<string, readonly Examination[]>()
  const others: string[] = []
  for (const path of paths.filter((each) => !configurations.includes(each))) {
    const found = await examineLogFile(path)
    if (found === null) others.push(path)
    else logs.set(path, found)
  }
  return [
    ...(configurations.length > 0 ? await examineConfigurations(configurations) : []),
    ...(others.length > 0 ? await examineFiles(others, options) : []),
    ...[...logs.values()].flat(),
  ]
}

async function examineConfigurations(paths: readonly string[]): Promise<readonly Examination[]> {
  const { examineConfiguration } = await import('../../doctor/mosquitto/examine-configuration.ts')
  const { localMachine } = await import('../../doctor/mosquitto/local-machine.ts')
  const machine = localMachine(Math.floor(Date.now() / 1000))
  return paths.map((path) => examineConfiguration(path, machine))
}

async function examineFiles(paths: readonly string[], options: DoctorOptions): Promise<readonly Examination[]> {
  const { examineFilePaths } = await import('./files.ts')
  return examineFilePaths(paths, options)
}

/** @param paths files that were named beside it: those of the device that is to get in there */
async function examineAddress(address: string, options: DoctorOptions, paths: readonly string[]): Promise<Examination> {
  const { readAddressOptions } = await import('./probe-options.ts')
  const { ownPairIn, withOwnPair } = await import('./own-pair.ts')
  const { probe } = await import('../../doctor/probe/probe.ts')
  const read = await readAddressOptions(options)
  if ('findings' in read) return read
  const own = ownPairIn(paths, options)
  const examination = await probe(address, withOwnPair(read, own, options))
  if (own === null || options.cert !== undefined) return examination
  return { ...examination, facts: [{ name: 'shown to it', value: own.told }, ...examination.facts] }
}

/** Lines of a log, or one number or message. */
export async function examineLog(text: string, _options: DoctorOptions): Promise<readonly Examination[]> {
  const { examineLogText } = await import('../../doctor/log/examine-log.ts')
  return examineLogText(text)
}
