/** The chain of the audit log as it comes from the hub. What it says is computed again here, not believed. */
import type { Command } from 'commander'
import type { AuditChainView, AuditEntryView, AuditHeadView } from '../../../api-schema/views.ts'
import { type AuditHash, auditChainStart, auditText, type ChainedEntry, firstBreak } from '../../../core/audit/chain.ts'
import { HubError, quote } from '../../../core/errors.ts'
import { limits } from '../../../core/limits.ts'
import type { HubApi } from '../../api-client.ts'
import { addHubOptions, type HubOptions, hubOf } from '../../hub-options.ts'
import { printJson, printLine } from '../../output.ts'
import { amount } from '../../summary.ts'
import { wholeNumber } from '../../values.ts'

type Head = { readonly number: number; readonly hash: AuditHash }
type Entry = ChainedEntry & Head

interface VerifyOptions extends HubOptions {
  readonly head?: Head
}

interface ExportOptions extends HubOptions {
  readonly after?: number
}

export function defineVerify(command: Command, inherited: () => HubOptions): void {
  addHubOptions(command)
    .option('--head <number:hash>', 'a head that was kept elsewhere must be in it', parseHead)
    .action(async (own: VerifyOptions) => {
      const options = { ...inherited(), ...own }
      const reached = await verify(hubOf(options), options.head ?? null)
      if (options.json) return printJson({ entries: reached.number, head: reached, kept: options.head ?? null })
      printLine(`${amount(reached.number, 'act')}, each continues the chain`)
      if (options.head !== undefined) printLine(`the head that was kept is act ${options.head.number} of it`)
      printLine(`head ${reached.number}:${reached.hash}`)
    })
}

export function defineExport(command: Command, inherited: () => HubOptions): void {
  addHubOptions(command)
    .option('--after <n>', 'only acts numbered above n', wholeNumber('--after', 0, Number.MAX_SAFE_INTEGER))
    .action(async (own: ExportOptions) => {
      const options = { ...inherited(), ...own }
      for await (const { entries } of pages(hubOf(options), options.after ?? 0)) {
        // The text between "entry": and the last brace is what is hashed, to the byte.
        const lines = entries.map((entry) => `{"hash":"${entry.hash}","entry":${auditText(entry)}}\n`)
        process.stdout.write(lines.join(''))
      }
    })
}

export function defineHead(command: Command, inherited: () => HubOptions): void {
  addHubOptions(command).action(async (own: HubOptions) => {
    const options = { ...inherited(), ...own }
    const head = await hubOf(options).get<AuditHeadView>('/audit/head')
    if (options.json) return printJson(head)
    printLine(`${head.number}:${head.hash}`)
  })
}

/**
 * Walks the whole log.
 *
 * @returns the head that it leads to
 * @throws HubError `audit-broken`, `audit-head-unknown`
 */
async function verify(hub: HubApi, kept: Head | null): Promise<Head> {
  let reached: Head = { number: 0, hash: auditChainStart }
  for await (const { entries, head } of pages(hub, 0)) {
    const broken = firstBreak(reached, entries)
    if (broken !== null) throw new HubError('audit-broken', `act ${broken.number} does not continue the chain`)
    const same = entries.find(({ number }) => number === kept?.number)
    if (same !== undefined && same.hash !== kept?.hash) {
      throw new HubError('audit-broken', `act ${same.number} has another hash than the head that was kept`)
    }
    reached = entries.at(-1) ?? reached
    if (reached.number === head.number && reached.hash !== head.hash) {
      throw new HubError('audit-broken', `the hub names another head than the one that its acts lead to`)
    }
  }
  if (kept !== null && kept.number > reached.number) {
    throw new HubError(
      'audit-head-unknown',
      `the log ends with act ${reached.number}, and the head that was kept is act ${kept.number}`,
    )
  }
  return reached
}

/** Pages up to the head of the first one: what comes later is for another time. */
async function* pages(
  hub: HubApi,
  from: number,
): AsyncGenerator<{ readonly entries: readonly Entry[]; readonly head: Head }> {
  let since = from
  let end: number | null = null
  for (;;) {
    const { items, head } = await hub.get<AuditChainView>('/audit/chain', { since, limit: limits.pageRowsMax })
    end ??= head.number
    const last = items.at(-1)?.number
    yield { entries: items.map(entryOf), head }
    if (last === undefined || last >= end) return
    since = last
  }
}

function entryOf({ at, ...rest }: AuditEntryView): Entry {
  return { ...rest, atMs: Date.parse(at) }
}

/** @throws HubError `usage` */
function parseHead(text: string): Head {
  const match = /^([0-9]{1,15}):([0-9a-f]{64})$/.exec(text)
  if (match !== null) return { number: Number(match[1]), hash: match[2] ?? '' }
  throw new HubError('usage', `--head ${quote(text)} is not a head`, {
    hint: 'give what `handfast audit head` has printed',
  })
}
