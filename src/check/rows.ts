/** Rows of a snapshot as objects, and all that stands under one id together. */
import { assert } from '../core/errors.ts'
import type { RegistrySnapshot } from '../hub/ports/snapshot.ts'
import type { AdoptionRow, CredentialRow, IdentityGroup, IdentityRow, PasswordRow, TokenRow } from './rule.ts'

/** The rows of a table by the names of their columns, ordered as `RegistrySnapshot.rows` says. */
export async function* rowsAs<T>(snapshot: RegistrySnapshot, table: string, by?: readonly string[]): AsyncGenerator<T> {
  const shape = snapshot.tables.find(({ name }) => name === table)
  assert(shape !== undefined, `a snapshot has the table ${table}`)
  const names = shape.columns.map(({ name }) => name)
  for await (const rows of snapshot.rows(table, by)) {
    for (const row of rows) yield Object.fromEntries(names.map((name, index) => [name, row[index]])) as T
  }
}

/**
 * Every id that there is, ascending, with what stands under it. Five tables are read side by side, so that a fleet of any
 * size takes the memory of one device.
 */
export async function* identityGroups(snapshot: RegistrySnapshot): AsyncGenerator<IdentityGroup> {
  const identities = new Side(rowsAs<IdentityRow>(snapshot, 'identities'), (row) => row.id)
  const credentials = new Side(
    rowsAs<CredentialRow>(snapshot, 'credentials', ['identity_id', 'issued_at_ms', 'number']),
    (row) => row.identity_id,
  )
  const tokens = new Side(
    rowsAs<TokenRow>(snapshot, 'tokens', ['identity_id', 'state', 'number']),
    (row) => row.identity_id,
  )
  const passwords = new Side(
    rowsAs<PasswordRow>(snapshot, 'passwords', ['identity_id', 'state', 'number']),
    (row) => row.identity_id,
  )
  const adoptions = new Side(rowsAs<AdoptionRow>(snapshot, 'adoptions'), (row) => row.identity_id)
  const sides = [identities, credentials, tokens, passwords, adoptions]
  for (;;) {
    await Promise.all(sides.map((side) => side.fill()))
    const id = sides.flatMap((side) => side.nextKey ?? []).sort(byCodeUnit)[0]
    if (id === undefined) return
    yield {
      id,
      identity: (await identities.takeAll(id))[0] ?? null,
      credentials: await credentials.takeAll(id),
      tokens: await tokens.takeAll(id),
      passwords: await passwords.takeAll(id),
      adoption: (await adoptions.takeAll(id))[0] ?? null,
    }
  }
}

function byCodeUnit(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}

/** One of several sorted tables: knows its next row, and gives rows while they have the key. */
class Side<T> {
  readonly #rows: AsyncIterator<T>
  readonly #keyOf: (row: T) => string
  #next: T | null = null
  #isOver = false

  constructor(rows: AsyncGenerator<T>, keyOf: (row: T) => string) {
    this.#rows = rows
    this.#keyOf = keyOf
  }

  get nextKey(): string | null {
    return this.#next === null ? null : this.#keyOf(this.#next)
  }

  async fill(): Promise<void> {
    if (this.#next !== null || this.#isOver) return
    const { done, value } = await this.#rows.next()
    if (done) this.#isOver = true
    else this.#next = value
  }

  async takeAll(key: string): Promise<readonly T[]> {
    const taken: T[] = []
    while (this.#next !== null && this.#keyOf(this.#next) === key) {
      taken.push(this.#next)
      this.#next = null
      await this.fill()
    }
    return taken
  }
}
