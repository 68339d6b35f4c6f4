/** `handfast attempts`: who tried to connect, and why it failed. */
import { setTimeout as pause } from 'node:timers/promises'
import type { Command } from 'commander'
import type { AttemptView, PageView } from '../../api-schema/views.ts'
import { limits } from '../../core/limits.ts'
import type { HubApi } from '../api-client.ts'
import { addHubOptions, type HubOptions, hubOf } from '../hub-options.ts'
import { note, printJson, printJsonLine, printLine, shortTime } from '../output.ts'
import { wholeNumber } from '../values.ts'

interface AttemptOptions extends HubOptions {
  readonly failed?: boolean
  readonly device?: string
  readonly code?: string
  readonly limit?: number
  readonly follow?: boolean
}

const shownDefault = 20
/** Milliseconds between two questions for news. */
const followMs = 500

export function define(command: Command): void {
  addHubOptions(command)
    .option('--failed', 'only those that were refused')
    .option('--device <id>', 'only those of this device')
    .option('--code <name>', 'only those that ended with this failure, as in certificate-revoked')
    .option('--limit <n>', `the newest n (default ${shownDefault})`, wholeNumber(1, limits.pageRowsMax))
    .option('--follow', 'go on as they happen, until interrupted; with --json one object a line')
    .action(async (options: AttemptOptions) => {
      const hub = hubOf(options)
      const page = await hub.get<PageView<AttemptView>>('/attempts', {
        ...filters(options),
        limit: options.limit ?? shownDefault,
      })
      if (options.json && !options.follow) return printJson(page)
      for (const attempt of [...page.items].reverse()) print(attempt, options)
      if (options.follow) return follow(hub, options, page.items[0]?.number ?? 0)
      if (page.items.length === 0) note(options.failed ? 'No refused attempts.' : 'No attempts yet.')
    })
}

function filters({ failed, device, code }: AttemptOptions): Readonly<Record<string, string | undefined>> {
  return { outcome: failed ? 'refused' : undefined, device, code }
}

/** Prints what comes after the attempt of that number, for ever. */
async function follow(hub: HubApi, options: AttemptOptions, from: number): Promise<void> {
  let last = from
  for (;;) {
    const page = await hub.get<PageView<AttemptView>>('/attempts', {
      ...filters(options),
      order: 'oldest',
      after: String(last),
    })
    for (const attempt of page.items) {
      print(attempt, options)
      last = attempt.number
    }
    if (page.next === null) await pause(followMs)
  }
}

function print(attempt: AttemptView, { json }: AttemptOptions): void {
  if (json) {
    printJsonLine(attempt)
    return
  }
  const who = attempt.deviceId ?? attempt.certificate?.subject ?? '-'
  const what = attempt.code === null ? 'admitted' : `refused at ${attempt.stage}: ${attempt.failureId} ${attempt.code}`
  printLine(`${shortTime(attempt.at)}  ${who}  ${attempt.address}  ${what}`)
  if (attempt.code === null) return
  printLine(`    ${attempt.sentence}`)
  if (attempt.cure !== null) printLine(`    → ${attempt.cure}`)
}
