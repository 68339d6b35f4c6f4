/** `handfast device export`: the registry as a file that `device import` takes back. */
import { closeSync, fsyncSync, openSync, writeSync } from 'node:fs'
import type { Command } from 'commander'
import type { DeviceView } from '../../../api-schema/views.ts'
import { HubError, quote } from '../../../core/errors.ts'
import { profilesOfKind } from '../../../core/identity/identity.ts'
import { limits } from '../../../core/limits.ts'
import { unwritable } from '../../../core/unwritable.ts'
import { addHubOptions, type HubOptions, hubOf } from '../../hub-options.ts'
import { formatNamed, type ImportFormat, importFormats } from '../../import/import-input.ts'
import { note, warn } from '../../output.ts'
import { oneOf } from '../../values.ts'
import { addFilterOptions, devicePages, type FilterOptions } from './list.ts'

interface ExportOptions extends HubOptions, FilterOptions {
  readonly format?: ImportFormat
  readonly out?: string
}

export function defineExport(command: Command): void {
  addFilterOptions(addHubOptions(command))
    .option('--format <format>', `${importFormats.join(' or ')} (default csv)`, oneOf('--format', importFormats))
    .option('--out <file>', 'write to this file, which must not exist')
    .addHelpText(
      'after',
      '\nDevices go out in all their states, and come back in them; certificates and tokens do not.',
    )
    .action(exportDevices)
}

async function exportDevices(options: ExportOptions): Promise<void> {
  const format = options.format ?? (options.json ? 'ndjson' : formatNamed(options.out ?? '')) ?? 'csv'
  const hub = hubOf(options)
  const sink = options.out === undefined ? standardOutput : newFile(options.out)
  const pages = devicePages(hub, options, () => limits.pageRowsMax)
  let count = 0
  if (format === 'ndjson') {
    for await (const { items } of pages) {
      count += items.length
      sink.write(items.map((device) => `${JSON.stringify(rowOf(device))}\n`).join(''))
    }
  } else {
    // The header names every attribute that there is, so all devices are read before the first is written.
    const devices: DeviceView[] = []
    for await (const { items } of pages) devices.push(...items)
    count = devices.length
    writeCsv(sink, devices)
  }
  sink.end()
  const where = options.out === undefined ? '' : ` to ${options.out}`
  note(`${count.toLocaleString('en')} devices${where}.`)
}

/** What `device import` reads in a line of NDJSON. */
function rowOf(device: DeviceView): object {
  const { id, group, state, attributes, keyStorage } = device
  return {
    id,
    group,
    state,
    attributes,
    ...(keyStorage === null ? {} : { keyStorage }),
    ...Object.fromEntries(listsOf(device)),
  }
}

/** Profiles and names, where a device has others than every device has: whoever takes them back must be allowed to grant them. */
function listsOf(device: DeviceView): readonly (readonly [name: GrantList, value: readonly string[]])[] {
  const isUsual = device.profiles.join(' ') === usualProfiles
  return grantLists
    .map((name) => [name, device[name]] as const)
    .filter(([name, value]) => (name === 'profiles' ? !isUsual : value.length > 0))
}

const grantLists = ['profiles', 'dnsNames', 'ipAddresses', 'emails'] as const
type GrantList = (typeof grantLists)[number]
const usualProfiles = profilesOfKind.device.join(' ')

function writeCsv(sink: Sink, devices: readonly DeviceView[]): void {
  const names = [...new Set(devices.flatMap(({ attributes }) => Object.keys(attributes)))].sort()
  const lines = (rows: readonly (readonly string[])[]) => rows.map((row) => `${row.map(cell).join(',')}\n`).join('')
  const used = new Set(devices.flatMap((device) => listsOf(device).map(([name]) => name)))
  const lists = grantLists.filter((name) => used.has(name))
  const storage = devices.some(({ keyStorage }) => keyStorage !== null)
  sink.write(
    lines([
      ['id', 'group', 'state', ...(storage ? ['keyStorage'] : []), ...lists, ...names.map((name) => `attr.${name}`)],
    ]),
  )
  let empty = 0
  for (let start = 0; start < devices.length; start += limits.pageRowsMax) {
    const some = devices.slice(start, start + limits.pageRowsMax)
    for (const { attributes } of some) empty += Object.values(attributes).filter((value) => value === '').length
    sink.write(
      lines(
        some.map(({ id, group, state, attributes, keyStorage, ...rest }) => [
          id,
          group ?? '',
          state,
          ...(storage ? [keyStorage ?? ''] : []),
          ...lists.map((name) => rest[name].join(' ') || (name === 'profiles' ? '-' : '')),
          ...names.map((name) => attributes[name] ?? ''),
        ]),
      ),
    )
  }
  if (empty > 0) warn(`${empty} empty attributes cannot be told from none in CSV; --format ndjson keeps them`)
}

/** A cell as RFC 4180 has it; quoted only where it must be. */
function cell(value: string): string {
  return /[",\r\n;\t]|^\s|\s$/.test(value) ? `"${value.replaceAll('"', '""')}"` : value
}

interface Sink {
  write(text: string): void
  end(): void
}

const standardOutput: Sink = { write: (text) => void process.stdout.write(text), end: () => {} }

/** @throws HubError `usage` */
function newFile(path: string): Sink {
  try {
    const file = openSync(path, 'wx')
    return {
      write: (text) => void writeSync(file, text),
      end() {
        fsyncSync(file)
        closeSync(file)
      },
    }
  } catch (error) {
    throw new HubError('usage', `the file ${quote(path)} ${unwritable(error)}`, {
      hint: 'name another file with --out',
      cause: error,
    })
  }
}
