/** `handfast audit`: who changed what; and its chain, to be verified, exported and kept elsewhere. */
import type { Command } from 'commander'
import type { AuditEntryView, PageView } from '../../api-schema/views.ts'
import { limits } from '../../core/limits.ts'
import { addHubOptions, type HubOptions, hubOf } from '../hub-options.ts'
import { note, printJson, printTable, shortTime } from '../output.ts'
import { wholeNumber } from '../values.ts'
import { defineExport, defineHead, defineVerify } from './audit/chain.ts'

interface AuditOptions extends HubOptions {
  readonly limit?: number
  readonly after?: string
}

const shownDefault = 50

export function define(command: Command): void {
  addHubOptions(command)
    .option('--limit <n>', `the newest n (default ${shownDefault})`, wholeNumber('--limit', 1, limits.pageRowsMax))
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
  const inherited = (): HubOptions => command.opts()
  defineVerify(command.command('verify').description('whether the whole log continues its chain'), inherited)
  defineExport(command.command('export').description('print the log with its hashes, a line for each act'), inherited)
  defineHead(command.command('head').description('print number and hash of the newest act'), inherited)
}

/** What became different, in short; --json has all of it. What an act does not speak of has not changed. */
function changeText({ before, after }: AuditEntryView): string {
  const [old, now] = [fieldsOf(before), fieldsOf(after)]
  return Object.entries(now)
    .map(([name, value]) => [name, valueText(old[name]), valueText(value)] as const)
    .filter(([, was, is]) => was !== is)
    .map(([name, was, is]) => `${Array.isArray(after) ? '' : `${name}: `}${was === nothing ? is : `${was} → ${is}`}`)
    .join(', ')
}

function fieldsOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {}
}

const nothing = '-'

/** Times to the second, and of a fingerprint as much as tells it from others. */
function shortText(text: string): string {
  if (/^[0-9a-f]{64}$/.test(text)) return `${text.slice(0, 16)}…`
  return /^[0-9-]{10}T[0-9:.]+Z$/.test(text) ? shortTime(text) : text
}

function valueText(value: unknown): string {
  if (typeof value === 'string') return shortText(value)
  if (typeof value !== 'object') return JSON.stringify(value) ?? nothing
  const pairs = Object.entries(value ?? {}).map(([name, each]) => `${name}=${valueText(each)}`)
  return pairs.length === 0 ? nothing : pairs.join(' ')
}
