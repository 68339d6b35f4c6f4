import { assert } from '../../core/errors.ts'
import { limits } from '../../core/limits.ts'
import type { Clock } from '../../hub/ports/clock.ts'
import type { HubEvent, NewHubEvent } from '../../hub/ports/events.ts'
import type { EventReader, EventWriter } from '../../hub/ports/store.ts'
import type { Access } from '../schema.ts'

export function eventReader(access: Access): EventReader {
  return {
    async after(number, limit) {
      assert(
        Number.isInteger(limit) && limit >= 1 && limit <= limits.pageRowsMax,
        `${limit} events cannot be read at once`,
      )
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

/**
 * @param onAppend called for each event before it is written, so that followers can be told after the commit
 */
export function eventWriter(access: Access, clock: Clock, onAppend: () => void): EventWriter {
  return {
    async append(event) {
      onAppend()
      await access()
        .insertInto('events')
        .values({ at_ms: clock.nowMs(), event: JSON.stringify(event) })
        .execute()
    },
  }
}
