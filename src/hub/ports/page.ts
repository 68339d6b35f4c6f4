/** Lists that are read page by page. */

/**
 * One page of a list. `next` is the cursor of the page after it, null on the last one. A cursor is opaque and belongs to its
 * list: any other is refused with `cursor-invalid`.
 */
export interface Page<T> {
  readonly items: readonly T[]
  readonly next: string | null
}

/** Which page of a list. */
export interface PageQuery {
  /** The `next` of the page before, or null for the first. */
  readonly after: string | null
  /** Rows on a page, 1 to `limits.pageRowsMax`. */
  readonly limit: number
}
