/** Attempts as they happen. */
import { setTimeout as pause } from 'node:timers/promises'
import type { AttemptView, PageView } from '../../api-schema/views.ts'
import type { HubApi } from '../api-client.ts'
import { printJsonLine } from '../output.ts'
import { once, printAttempts } from './attempt-rows.ts'

/** Milliseconds between two questions for news. */
const everyMs = 500

export interface Following {
  readonly filters: Readonly<Record<string, string | undefined>>
  /** One object a line. */
  readonly json: boolean
  /** Number of the newest attempt that is shown already. */
  readonly from: number
  /** Of the columns that stand above. */
  readonly widths: readonly number[]
}

/** Prints what comes after, for ever. */
export async function followAttempts(hub: HubApi, following: Following): Promise<never> {
  let last = following.from
  // Behind what was looked at and is nothing that is asked for.
  let after: string | undefined
  let widths = following.widths
  for (;;) {
    const query = { ...following.filters, order: 'oldest', since: last, after }
    const page = await hub.get<PageView<AttemptView>>('/attempts', query)
    for (const attempt of page.items) {
      if (following.json) printJsonLine(attempt)
      else widths = printAttempts([once(attempt)], widths)
      last = attempt.number
    }
    if (page.next === null) await pause(everyMs)
    else after = page.next
  }
}
