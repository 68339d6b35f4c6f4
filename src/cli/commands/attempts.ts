/** `handfast attempts`: who tried to connect, and why it failed; one by one, or what belongs together as one. */
import type { Command } from 'commander'
import type { CaseView } from '../../api-schema/cases.ts'
import type { AttemptView, DeviceDetailView } from '../../api-schema/views.ts'
import { HubError, quote } from '../../core/errors.ts'
import { type FailureName, failure, failureNames } from '../../core/failure/catalogue.ts'
import { limits } from '../../core/limits.ts'
import { nearest } from '../../core/nearest.ts'
import type { HubApi } from '../api-client.ts'
import { once, printAttempts, withoutRepeats } from '../attempts/attempt-rows.ts'
import { printCases } from '../attempts/case-rows.ts'
import { followAttempts } from '../attempts/follow-attempts.ts'
import { newest } from '../attempts/newest.ts'
import { addHubOptions, type HubOptions, hubOf, pathPart } from '../hub-options.ts'
import { note, printJson, printJsonLine } from '../output.ts'
import { pastTime, type WordReader, wholeNumber } from '../values.ts'

interface AttemptOptions extends HubOptions {
  readonly failed?: boolean
  readonly device?: string
  readonly cause?: FailureName
  readonly since?: string
  readonly cases?: boolean
  readonly listener?: string
  readonly limit?: number
  readonly follow?: boolean
}

const shownDefault = 20

export function define(command: Command): void {
  addHubOptions(command)
    .option('--failed', 'only those that were refused')
    .option('--device <id>', 'only those of this device')
    .option('--cause <code>', 'only those that ended so, as in HF-2108 or certificate-revoked', parseCause)
    .option(
      '--since <time>',
      'only those of the last while, as in 2h, or since 2026-11-25T08:00:00Z',
      pastTime('--since'),
    )
    .option('--cases', 'refusals of one device, or of one unknown, for one cause as one: how often, first and last')
    .option('--listener <name>', 'with --cases: only those of this listener')
    .option('--limit <n>', `the newest n (default ${shownDefault})`, wholeNumber('--limit', 1, limits.pageRowsMax))
    .option('--follow', 'go on as they happen, until interrupted; with --json one object a line')
    .action((options: AttemptOptions) => {
      assertTogether(options)
      return options.cases ? showCases(options) : showAttempts(options)
    })
}

/** A failure by its name or its number in the catalogue. */
function readCause(text: string): FailureName {
  const named = failureNames.find((name) => name === text || failure(name).id === text.toUpperCase())
  if (named !== undefined) return named
  const meant = nearest(text, failureNames) ?? nearest(text.toUpperCase(), failureIds, 1)
  throw new HubError('usage', `--cause ${quote(text)} is not a failure`, {
    hint: meant === null ? 'docs/failures.md lists them' : `did you mean ${meant}?`,
  })
}

const parseCause: WordReader<FailureName> = Object.assign(readCause, { words: failureNames })

const failureIds: readonly string[] = failureNames.map((name) => failure(name).id)

/** @throws HubError `usage` */
function assertTogether({ cases, follow, listener }: AttemptOptions): void {
  if (cases && follow) {
    throw new HubError('usage', '--follow shows attempts one by one, and --cases shows them together', {
      hint: 'leave one of them out',
    })
  }
  if (!cases && listener !== undefined) {
    throw new HubError('usage', '--listener goes with --cases', { hint: 'add --cases' })
  }
}

async function showAttempts(options: AttemptOptions): Promise<void> {
  const { failed, device, cause, since, json = false, follow } = options
  const hub = hubOf(options)
  const filters = { outcome: failed ? 'refused' : undefined, device, code: cause, from: since }
  const page = await newest<AttemptView>(hub, '/attempts', filters, options.limit ?? shownDefault)
  if (page.items.length === 0 && device !== undefined) await assertRegistered(hub, device)
  if (json && !follow) return printJson(page)
  const attempts = [...page.items].reverse()
  if (json) for (const attempt of attempts) printJsonLine(attempt)
  const widths = json ? [] : printAttempts(follow ? attempts.map(once) : withoutRepeats(attempts))
  if (follow) return followAttempts(hub, { filters, json, from: page.items[0]?.number ?? 0, widths })
  if (page.items.length === 0) note(failed ? 'No refused attempts.' : 'No attempts.')
}

async function showCases(options: AttemptOptions): Promise<void> {
  const { device, cause, since, listener, json } = options
  const hub = hubOf(options)
  const filters = { device, code: cause, listener, from: since }
  const page = await newest<CaseView>(hub, '/attempts/cases', filters, options.limit ?? shownDefault)
  if (page.items.length === 0 && device !== undefined) await assertRegistered(hub, device)
  if (json) return printJson(page)
  printCases([...page.items].reverse())
  if (page.items.length === 0) note('No refused attempts.')
}

/** @throws HubError `identity-not-found` */
async function assertRegistered(hub: HubApi, id: string): Promise<void> {
  await hub.get<DeviceDetailView>(`/devices/${pathPart(id)}`)
}
