/** `handfast audit`: who changed what. */
import type { Command } from 'commander'
import type { AuditEntryView, PageView } from '../../api-schema/views.ts'
import { limits } from '../../core/limits.ts'
import { addHubOptions, type HubOptions, hubOf } from '../hub-options.ts'
import { note, printJson, printTable, shortTime } from '../output.ts'
import { wholeNumber } from '../values.ts'

interface AuditOptions extends HubOptions {
  readonly limit?: number
  readonly after?: string
}

const shownDefault = 50

export function define(command: Command): void {
  addHubOptions(command)
    .option('--limit <n>', `the newest n (default ${shownDefault})`, wholeNumber(1, limits.pageRowsMax))
    .option('--after <next>', 'the page that follows, by the "next" of the one before')
    .action(async (options: AuditOptions) => {
      const page = await hubOf(options).get<PageView<AuditEntryView>>('/audit', {
        limit: options.limit ?? shownDefault,
        after: options.after,
      })
      if (options.json) return printJson(page)
      const rows = [...page.items]
        .reverse()
        .map((each) => [shortTime(each.at), each.actor, each.act, each.subject, changeText(each)])
      printTable(['TIME', 'ACTOR', 'ACT', 'SUBJECT', 'CHANGE'], rows)
      if (page.next !== null) note(`There are older ones; see them with --limit, or --after ${page.next}.`)
    })
}

/** What differs between before and after, in short; --json has all of it. */
function changeText({ before, after }: AuditEntryView): string {
  const [old, now] = [fieldsOf(before), fieldsOf(after)]
  const names = Object.keys({ ...old, ...now }).filter(
    (name) => JSON.stringify(old[name]) !== JSON.stringify(now[name]),
  )
  return names
    .map((name) =>
      name in old ? `${name}: ${valueText(old[name])} → ${valueText(now[name])}` : `${name}: ${valueText(now[name])}`,
    )
    .join(', ')
}

function fieldsOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {}
}

function valueText(value: unknown): string {
  return typeof value === 'string' ? value : (JSON.stringify(value) ?? '-')
}
