/** What all lists share: one row more than asked for tells whether there is a next page. */
import { assert, HubError, quote } from '../../core/errors.ts'
import { limits } from '../../core/limits.ts'
import type { Page, PageQuery } from '../../hub/ports/store.ts'

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

/**
 * The whole numbers of a cursor, which are joined by dots.
 *
 * @throws HubError `request-invalid` when it is not `count` such numbers
 */
export function parseCursor(cursor: string, count: number): readonly number[] {
  const parts = cursor.split('.')
  if (parts.length === count && parts.every((part) => /^[0-9]{1,15}$/.test(part))) return parts.map(Number)
  throw new HubError('request-invalid', `${quote(cursor)} is not a cursor of this list`, {
    hint: 'give the "next" of the page before, unchanged',
  })
}
