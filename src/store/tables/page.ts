/** What all lists share: one row more than asked for tells whether there is a next page. */
import { assert, HubError, quote } from '../../core/errors.ts'
import { type IdentityId, isIdentityId } from '../../core/identity/id.ts'
import { limits } from '../../core/limits.ts'
import type { Page, PageQuery } from '../../hub/ports/page.ts'

/** Rows to ask the database for: those of the page and one that tells whether there are more. */
export function rowsToRead(query: PageQuery): number {
  assert(
    Number.isInteger(query.limit) && query.limit >= 1 && query.limit <= limits.pageRowsMax,
    `a page has 1 to ${limits.pageRowsMax} rows, not ${query.limit}`,
  )
  return query.limit + 1
}

/** A caller's mistake, not a request's: those are bounded where they are parsed. */
export function assertPage(limit: number): void {
  assert(Number.isInteger(limit) && limit >= 1 && limit <= limits.pageRowsMax, `${limit} rows cannot be read at once`)
}

/** How many rows one statement may write or name. */
export function assertBulk(rows: readonly unknown[]): void {
  assert(rows.length <= limits.bulkRowsMax, `${rows.length} rows are too many for one statement`)
}

/** The page made from at most `limit + 1` rows. */
export function pageOf<Row, T>(
  rows: readonly Row[],
  query: PageQuery,
  read: (row: Row) => T,
  cursor: (row: Row) => string,
): Page<T> {
  const shown = rows.slice(0, query.limit)
  const last = shown.at(-1)
  return { items: shown.map(read), next: rows.length > query.limit && last !== undefined ? cursor(last) : null }
}

/** What a page needs of which not every row is looked at. */
export interface Bound<Place> {
  cursor(place: Place): string
  /** The place of the last row that was looked at, if there were as many as may be. */
  lastCandidate(): Promise<Place | undefined>
}

/**
 * The page made from at most `limit + 1` of the first `limits.pageRowsReadMax` rows. Where those hold fewer than a page and
 * there may be more, the next page goes on behind them.
 */
export async function boundedPage<Place, Row extends Place, T>(
  rows: readonly Row[],
  query: PageQuery,
  read: (row: Row) => T,
  { cursor, lastCandidate }: Bound<Place>,
): Promise<Page<T>> {
  const page = pageOf(rows, query, read, cursor)
  if (page.next !== null) return page
  const last = await lastCandidate()
  return last === undefined ? page : { ...page, next: cursor(last) }
}

/** The lists that have cursors. A cursor of one is none of another. */
type ListName =
  | 'identities'
  | 'adoptions'
  | 'credentials'
  | 'certificates'
  | 'attempts-newest'
  | 'attempts-oldest'
  | 'cases'
  | 'incidents'
  | 'audit'
  | 'api-keys'
  | 'enrolment-requests'
  | 'role-grants'

/** The place behind a row, as text that nobody takes for more than that. */
export function writeCursor(list: ListName, place: string): string {
  return Buffer.from(`${list} ${place}`).toString('base64url')
}

/**
 * The place in a cursor.
 *
 * @throws HubError `cursor-invalid` when it is not one of this list
 */
function readCursor(list: ListName, cursor: string): string {
  const text = Buffer.from(cursor, 'base64url').toString('utf8')
  // What was decoded is written again, so that there is one cursor for each place.
  if (text.startsWith(`${list} `) && writeCursor(list, text.slice(list.length + 1)) === cursor) {
    return text.slice(list.length + 1)
  }
  throw wrongCursor(cursor)
}

/**
 * The id in a cursor.
 *
 * @throws HubError `cursor-invalid` when it is none
 */
export function readIdCursor(list: ListName, cursor: string): IdentityId {
  const id = readCursor(list, cursor)
  if (isIdentityId(id)) return id
  throw wrongCursor(cursor)
}

/**
 * The whole numbers in a cursor, which are joined by dots.
 *
 * @throws HubError `cursor-invalid` when it is not `count` such numbers
 */
export function readNumberCursor(list: ListName, cursor: string, count: number): readonly number[] {
  const parts = readCursor(list, cursor).split('.')
  if (parts.length === count && parts.every((part) => /^[0-9]{1,15}$/.test(part))) return parts.map(Number)
  throw wrongCursor(cursor)
}

function wrongCursor(cursor: string): HubError {
  return new HubError('cursor-invalid', `${quote(cursor)} is not a cursor of this list`)
}
