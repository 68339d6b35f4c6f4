/**
 * Rows of CSV (RFC 4180) as spreadsheets write it. One line is one row: no value of a device has a line end in it, and so a
 * quote that is not closed spoils its own row and no other.
 */
import { parse } from 'csv-parse/sync'
import { type Fault, HubError, quote } from '../../../core/errors.ts'
import { parseAttributes } from '../../../core/identity/identity.ts'

/** What the cells of a row say, to be judged like a row of NDJSON; or why it is none. */
export type CellsRead = { readonly value: Readonly<Record<string, unknown>> } | { readonly refusal: HubError }

type Column =
  | { readonly kind: (typeof plainColumns)[number] }
  | { readonly kind: 'list'; readonly name: string }
  | { readonly kind: 'attribute'; readonly name: string }

const plainColumns = ['id', 'group', 'state', 'keyStorage'] as const

const delimiters = [',', ';', '\t'] as const

/** The reader of the lines below a header. */
export class CsvReader {
  readonly #delimiter: string
  readonly #columns: readonly Column[]

  /**
   * @param header the first line
   * @throws HubError `request-invalid` for a header that has no `id`, or a column that is unknown or there twice
   */
  constructor(header: string) {
    // The names that a header may have hold none of these, so the first that stands in it is the delimiter.
    this.#delimiter = delimiters.find((each) => header.includes(each)) ?? ','
    const cells = this.#cellsOf(header)
    if (cells === null) throw headerRefusal('cannot be read: a quote is not closed')
    const names = cells.map((cell) => cell.trim())
    const repeated = names.find((name, index) => names.indexOf(name) !== index)
    if (repeated !== undefined) throw headerRefusal(`has the column ${quote(repeated)} twice`)
    this.#columns = names.map(columnOf)
    if (!names.includes('id')) throw headerRefusal('has no column "id"')
  }

  /** The rows of some lines, in order. */
  read(lines: readonly string[]): readonly CellsRead[] {
    return (this.#together(lines) ?? lines.map((line) => this.#cellsOf(line))).map((cells) => this.#rowOf(cells))
  }

  /** Many lines at once, which is quicker; null where they are not a row each, to be read one by one. */
  #together(lines: readonly string[]): readonly (readonly string[])[] | null {
    const rows = this.#parsed(lines.join('\n'))
    return rows?.length === lines.length ? rows : null
  }

  #cellsOf(line: string): readonly string[] | null {
    const [cells, ...more] = this.#parsed(line) ?? []
    return cells === undefined || more.length > 0 ? null : cells
  }

  #parsed(text: string): readonly (readonly string[])[] | null {
    try {
      return parse(text, { delimiter: this.#delimiter, record_delimiter: '\n', relax_column_count: true })
    } catch {
      return null
    }
  }

  #rowOf(cells: readonly string[] | null): CellsRead {
    if (cells === null) return { refusal: rowRefusal('its quotes are not closed, or stand in the midst of a cell') }
    if (cells.length !== this.#columns.length) {
      return { refusal: rowRefusal(`it has ${cells.length} cells, and the header has ${this.#columns.length} columns`) }
    }
    const value: Record<string, unknown> = {}
    const attributes: [name: string, value: string][] = []
    for (const [index, cell] of cells.entries()) {
      const column = this.#columns[index]
      if (cell === '' || column === undefined) continue
      if (column.kind === 'attribute') attributes.push([column.name, cell])
      else if (column.kind === 'list') value[column.name] = wordsOf(cell)
      else value[column.kind] = cell
    }
    return { value: { ...value, attributes: Object.fromEntries(attributes) } }
  }
}

const attributePrefix = 'attr.'
/** Lists with spaces between what they hold, by the names that they have in NDJSON. */
const listColumns: readonly string[] = ['profiles', 'dnsNames', 'ipAddresses', 'emails']

/** A list in a cell: none of what stands in it has a space. A hyphen is an empty one, since an empty cell says nothing. */
function wordsOf(cell: string): readonly string[] {
  return cell.trim() === '-' ? [] : cell.split(' ').filter((word) => word !== '')
}

function columnOf(name: string): Column {
  const plain = plainColumns.find((each) => each === name)
  if (plain !== undefined) return { kind: plain }
  if (listColumns.includes(name)) return { kind: 'list', name }
  if (!name.startsWith(attributePrefix)) throw headerRefusal(`has a column ${quote(name)}, which is none of a device`)
  const attribute = name.slice(attributePrefix.length)
  try {
    parseAttributes({ [attribute]: '' })
  } catch {
    throw headerRefusal(`has a column ${quote(name)}, which names no attribute that a device can have`)
  }
  return { kind: 'attribute', name: attribute }
}

function headerRefusal(what: string): HubError {
  const fault: Fault = { in: 'body', pointer: '', message: `the header ${what}` }
  return new HubError('request-invalid', `the header of the CSV ${what}`, {
    hint: 'the first line names the columns: id, group, state, keyStorage and attr.<name>, as in "id,group,attr.site"',
    faults: [fault],
  })
}

function rowRefusal(what: string): HubError {
  return new HubError('request-invalid', `the row cannot be read: ${what}`)
}
