/** `handfast attempts`: who tried to connect, and why it failed. */
import { setTimeout as pause } from 'node:timers/promises'
import type { Command } from 'commander'
import type { AttemptView, DeviceDetailView, PageView } from '../../api-schema/views.ts'
import { HubError, quote } from '../../core/errors.ts'
import { type FailureName, failure, failureNames } from '../../core/failure/catalogue.ts'
import { limits } from '../../core/limits.ts'
import { nearest } from '../../core/nearest.ts'
import type { HubApi } from '../api-client.ts'
import { asTyped } from '../how-called.ts'
import { addHubOptions, type HubOptions, hubOf, pathPart } from '../hub-options.ts'
import { columnsOf, note, printJson, printJsonLine, printLine, printRow, shortTime } from '../output.ts'
import { type WordReader, wholeNumber } from '../values.ts'

interface AttemptOptions extends HubOptions {
  readonly failed?: boolean
  readonly device?: string
  readonly code?: FailureName
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
    .option('--code <code>', 'only those that ended so, as in HF-2108 or certificate-revoked', parseCode)
    .option('--limit <n>', `the newest n (default ${shownDefault})`, wholeNumber('--limit', 1, limits.pageRowsMax))
    .option('--follow', 'go on as they happen, until interrupted; with --json one object a line')
    .action(async (options: AttemptOptions) => {
      const hub = hubOf(options)
      const page = await hub.get<PageView<AttemptView>>('/attempts', {
        ...filters(options),
        limit: options.limit ?? shownDefault,
      })
      if (page.items.length === 0 && options.device !== undefined) await assertRegistered(hub, options.device)
      if (options.json && !options.follow) return printJson(page)
      const attempts = [...page.items].reverse()
      const rows = (options.follow ? attempts.map(once) : withoutRepeats(attempts)).map(rowOf)
      const widths = columnsOf(rows.map(({ cells }) => cells))
      if (options.json) for (const attempt of attempts) printJsonLine(attempt)
      else for (const row of rows) print(row, widths)
      if (options.follow) return follow(hub, options, page.items[0]?.number ?? 0, widths)
      if (page.items.length === 0) note(options.failed ? 'No refused attempts.' : 'No attempts yet.')
    })
}

/** A failure by its name or its number in the catalogue. */
function readCode(text: string): FailureName {
  const named = failureNames.find((name) => name === text || failure(name).id === text.toUpperCase())
  if (named !== undefined) return named
  const meant = nearest(text, failureNames) ?? nearest(text.toUpperCase(), failureIds, 1)
  throw new HubError('usage', `--code ${quote(text)} is not a failure`, {
    hint: meant === null ? 'docs/failures.md lists them' : `did you mean ${meant}?`,
  })
}

const parseCode: WordReader<FailureName> = Object.assign(readCode, { words: failureNames })

const failureIds: readonly string[] = failureNames.map((name) => failure(name).id)

/** @throws HubError `identity-not-found` */
async function assertRegistered(hub: HubApi, id: string): Promise<void> {
  await hub.get<DeviceDetailView>(`/devices/${pathPart(id)}`)
}

function filters({ failed, device, code }: AttemptOptions): Readonly<Record<string, string | undefined>> {
  return { outcome: failed ? 'refused' : undefined, device, code }
}

/** Prints what comes after the attempt of that number, for ever. */
async function follow(
  hub: HubApi,
  options: AttemptOptions,
  from: number,
  startWidths: readonly number[],
): Promise<void> {
  let last = from
  // Behind what was looked at and is nothing that is asked for.
  let after: string | undefined
  let widths = startWidths
  for (;;) {
    const page = await hub.get<PageView<AttemptView>>('/attempts', {
      ...filters(options),
      order: 'oldest',
      since: last,
      after,
    })
    for (const attempt of page.items) {
      const row = rowOf(once(attempt))
      widths = columnsOf([row.cells], widths)
      if (options.json) printJsonLine(attempt)
      else print(row, widths)
      last = attempt.number
    }
    if (page.next === null) await pause(followMs)
    else after = page.next
  }
}

/** An attempt, and how often it came in a row. */
interface Repeated {
  readonly attempt: AttemptView
  readonly times: number
}

function once(attempt: AttemptView): Repeated {
  return { attempt, times: 1 }
}

/** Of attempts that follow each other and differ in time and port alone, the last. */
function withoutRepeats(attempts: readonly AttemptView[]): readonly Repeated[] {
  const kept: Repeated[] = []
  for (const attempt of attempts) {
    const before = kept.at(-1)
    if (before !== undefined && likenessOf(before.attempt) === likenessOf(attempt)) {
      kept[kept.length - 1] = { attempt, times: before.times + 1 }
    } else {
      kept.push(once(attempt))
    }
  }
  return kept
}

function likenessOf(attempt: AttemptView): string {
  const { listener, address, code, sentence, clientId } = attempt
  return JSON.stringify([listener, address.replace(/:[0-9]+$/, ''), whoOf(attempt), clientId, code, sentence])
}

function whoOf({ deviceId, certificate }: AttemptView): string {
  return deviceId ?? certificate?.subject ?? '-'
}

interface Row {
  readonly cells: readonly string[]
  /** Sentence and cure below it. */
  readonly lines: readonly string[]
}

function rowOf({ attempt, times }: Repeated): Row {
  const { code, sentence, cure, deviceId } = attempt
  const what = `${outcomeOf(attempt)}${times === 1 ? '' : ` (×${times})`}`
  return {
    cells: [shortTime(attempt.at), whoOf(attempt), attempt.clientId ?? '-', attempt.address, what],
    lines: code === null ? [] : [sentence, ...(cure === null ? [] : [`→ ${asTyped(cure, deviceId)}`])],
  }
}

/** Failures of the session that keep it from beginning; the others end one. */
const refusalsOfSessions: ReadonlySet<string> = new Set(['too-many-sessions', 'upstream-refused'])
/** Failures that end nothing: a packet was not let through. */
const denials: ReadonlySet<string> = new Set(['publish-denied', 'subscribe-denied'])

function outcomeOf({ code, failureId, stage }: AttemptView): string {
  if (code === null) return 'admitted'
  const name = `${failureId} ${code}`
  if (denials.has(code)) return `denied: ${name}`
  if (stage === 'session' && !refusalsOfSessions.has(code)) return `closed: ${name}`
  return `refused at ${stage}: ${name}`
}

function print({ cells, lines }: Row, widths: readonly number[]): void {
  printRow(cells, widths)
  for (const line of lines) printLine(`    ${line}`)
}
