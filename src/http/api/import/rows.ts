/** The rows of an import from its body, CSV or NDJSON, a batch at a time. */
import { importRow } from '../../../api-schema/bulk.ts'
import { HubError, quote } from '../../../core/errors.ts'
import { parseIdentityId } from '../../../core/identity/id.ts'
import { noNames, profilesOfKind } from '../../../core/identity/identity.ts'
import { limits } from '../../../core/limits.ts'
import { grantsWith, saysNothing } from '../../../hub/grants.ts'
import type { ImportedDevice, ImportedRow } from '../../../hub/import-devices.ts'
import { parseValue } from '../parse-request.ts'
import { CsvReader } from './csv-rows.ts'
import { type Line, readLines, tooLong } from './lines.ts'

export type ImportFormat = 'csv' | 'ndjson'

/** Longest id that is repeated in an answer, of rows whose id is none. */
const idShownCharsMax = 256

/** The value in a line, or why there is none. */
type ValueRead = { readonly value: unknown } | { readonly refusal: HubError }

export interface ImportBody {
  /** Rows in order, in batches of `limits.importBatchRows`; each is read when it is asked for. */
  readonly batches: Iterable<readonly ImportedRow[]>
  /** SHA-256 of the whole body, hexadecimal. */
  readonly bodyHash: string
}

/**
 * Reads what concerns the body as a whole.
 *
 * @throws HubError `request-invalid`, `import-too-long`
 */
export async function readImport(body: Buffer, format: ImportFormat): Promise<ImportBody> {
  const lines = await readLines(body)
  const rows = lines.count - (format === 'csv' && lines.count > 0 ? 1 : 0)
  if (rows > limits.importRowsMax) throw tooLong(`${rows.toLocaleString('en')} rows`)
  const iterator = lines[Symbol.iterator]()
  return { batches: batches(iterator, format === 'csv' ? csvValues(iterator) : jsonValues), bodyHash: lines.bodyHash }
}

/** @throws HubError `request-invalid` for a header that is none */
function csvValues(lines: Iterator<Line>): (texts: readonly string[]) => readonly ValueRead[] {
  const header = lines.next()
  if (header.done === true) {
    throw new HubError('request-invalid', 'the body is empty', {
      hint: 'send CSV with a header, as in "id,group,attr.site"',
      faults: [{ in: 'body', pointer: '', message: 'is empty' }],
    })
  }
  if (header.value.isTooLong) {
    const message = `the header is longer than ${limits.importRowBytesMax.toLocaleString('en')} bytes`
    throw new HubError('request-invalid', message, {
      hint: `name the columns that devices have: a device has at most ${limits.attributesMax} attributes`,
      faults: [{ in: 'body', pointer: '', message }],
    })
  }
  const reader = new CsvReader(header.value.text)
  return (texts) => reader.read(texts)
}

function jsonValues(texts: readonly string[]): readonly ValueRead[] {
  return texts.map((text) => {
    try {
      return { value: JSON.parse(text) }
    } catch {
      return { refusal: new HubError('request-invalid', 'the line is not JSON') }
    }
  })
}

function* batches(
  lines: Iterator<Line>,
  valuesOf: (texts: readonly string[]) => readonly ValueRead[],
): Generator<readonly ImportedRow[]> {
  const rowOfId = new Map<string, number>()
  let row = 0
  for (;;) {
    const batch: Line[] = []
    for (let next = lines.next(); next.done !== true; next = lines.next()) {
      batch.push(next.value)
      if (batch.length === limits.importBatchRows) break
    }
    if (batch.length === 0) return
    const short = batch.filter(({ isTooLong }) => !isTooLong)
    const values = valuesOf(short.map(({ text }) => text)).values()
    yield batch.map(({ isTooLong }) => {
      row += 1
      const read = isTooLong ? { refusal: lineTooLong() } : (values.next().value ?? { refusal: lineTooLong() })
      return rowFrom(row, read, rowOfId)
    })
  }
}

function lineTooLong(): HubError {
  return new HubError(
    'request-invalid',
    `the row is longer than ${limits.importRowBytesMax.toLocaleString('en')} bytes`,
  )
}

function rowFrom(row: number, read: ValueRead, rowOfId: Map<string, number>): ImportedRow {
  if ('refusal' in read) return { row, id: null, refusal: read.refusal }
  const id = idIn(read.value)
  try {
    const device = deviceFrom(read.value)
    const earlier = rowOfId.get(device.id)
    if (earlier !== undefined) {
      throw new HubError('import-row-repeated', `row ${earlier} has the id ${quote(device.id)} already`)
    }
    rowOfId.set(device.id, row)
    return { row, id, device }
  } catch (error) {
    if (error instanceof HubError) return { row, id, refusal: error }
    throw error
  }
}

/** @throws HubError `request-invalid`, `identity-id-invalid`, `name-invalid` */
function deviceFrom(value: unknown): ImportedDevice {
  const { id, group, attributes, keyStorage, state = null, ...given } = parseValue(importRow, value)
  const grants = saysNothing(given) ? null : grantsWith({ profiles: profilesOfKind.device, names: noNames }, given)
  return { id: parseIdentityId(id), group, attributes, keyStorage, state, grants }
}

function idIn(value: unknown): string | null {
  const id: unknown = typeof value === 'object' && value !== null ? Reflect.get(value, 'id') : null
  return typeof id === 'string' ? id.slice(0, idShownCharsMax) : null
}
