import type { Selectable } from 'kysely'
import type { Clock } from '../../hub/ports/clock.ts'
import type { HubEvent, NewHubEvent } from '../../hub/ports/events.ts'
import type { EventReader, EventWriter } from '../../hub/ports/store.ts'
import { keptStatement } from '../kept-statement.ts'
import type { Access, EventTable } from '../schema.ts'
import type { LogEnds } from './log-ends.ts'
import { assertBulk, assertPage } from './page.ts'

export function eventReader(access: Access): EventReader {
  return {
    async after(number, limit) {
      assertPage(limit)
      const rows = await access()
        .selectFrom('events')
        .selectAll()
        .where('number', '>', number)
        .orderBy('number')
        .limit(limit)
        .execute()
      return rows.map((row): HubEvent => {
        const event: NewHubEvent = JSON.parse(row.event)
        return { ...event, number: row.number, atMs: row.at_ms }
      })
    },
    async last() {
      const row = await access()
        .selectFrom('events')
        .select((table) => table.fn.max('number').as('number'))
        .executeTakeFirst()
      return row?.number ?? 0
    },
  }
}

const inserting = keptStatement<Selectable<EventTable>>(
  (database, row) => database.insertInto('events').values(row),
  ({ number, at_ms: atMs, event }) => [number, atMs, event],
)

/**
 * Numbers are given here and not by the database: a sequence would keep the gap of a unit that failed. Writers follow each
 * other, so the numbers follow the order of commits.
 *
 * @param onAppend called before events are written, so that followers can be told after the commit
 */
export function eventWriter(
  access: Access,
  clock: Clock,
  ends: LogEnds,
  onAppend: () => void,
): EventWriter & Pick<EventReader, 'last'> {
  const reader = eventReader(access)
  const lastNumber = async (): Promise<number> => ends.event ?? reader.last()

  async function appendAll(events: readonly NewHubEvent[], above = 0): Promise<void> {
    if (events.length === 0) return
    assertBulk(events)
    onAppend()
    const last = Math.max(await lastNumber(), above)
    const rows = events.map((event, index) => ({
      number: last + index + 1,
      at_ms: clock.nowMs(),
      event: JSON.stringify(event),
    }))
    const [first, ...more] = rows
    if (first !== undefined && more.length === 0) await inserting.run(access(), first)
    else await access().insertInto('events').values(rows).execute()
    ends.event = last + events.length
  }
  return {
    append: (event) => appendAll([event]),
    appendAll: (events) => appendAll(events),
    last: lastNumber,
    appendAbove: (number, event) => appendAll([event], number),
  }
}
