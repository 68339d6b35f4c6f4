/** `handfast restore`: what a backup would bring back, and putting it in place. */
import { resolve } from 'node:path'
import type { Command } from 'commander'
import { HubError } from '../../core/errors.ts'
import { printFindings, problemsIn, reportOf } from '../check-report.ts'
import { handfast } from '../how-called.ts'
import { printFields, printJson, printLine, shortTime, warn } from '../output.ts'
import {
  addOpeningOptions,
  addPlaceOptions,
  type OpeningOptions,
  type PlaceOptions,
  placeOf,
} from '../place-options.ts'
import { amount, rowsOf } from '../summary.ts'

interface RestoreOptions extends PlaceOptions, OpeningOptions {
  readonly check?: boolean
  readonly apply?: boolean
  readonly replace?: boolean
  readonly acceptUnknown?: boolean
}

type Plan = Awaited<ReturnType<typeof import('../../compose/restore.ts')['planRestore']>>

export function define(command: Command): void {
  addOpeningOptions(addPlaceOptions(command.argument('<file>', 'backup'), true))
    .option('--check', 'say what it would mean; nothing is changed')
    .option('--apply', 'put it in place; the hub must not run')
    .option('--replace', 'with --apply: a registry that is there may be replaced; its files are kept aside')
    .option('--accept-unknown', 'with --apply: restore although nobody knows what was revoked after the backup')
    .action((file: string, options: RestoreOptions) => restore(resolve(file), options))
}

async function restore(file: string, options: RestoreOptions): Promise<void> {
  if (options.check === options.apply) {
    throw new HubError('usage', 'say either --check or --apply', {
      hint: 'begin with `handfast restore --check <file>`',
    })
  }
  const config = placeOf(options)
  const [{ planRestore, applyRestore }, { keyringFrom }] = await Promise.all([
    import('../../compose/restore.ts'),
    import('../../compose/backup.ts'),
  ])
  const keyring = await keyringFrom(options.identity ?? [], options.decryptPassphraseFile ?? null)
  if (options.check) {
    const plan = await planRestore(config, file, keyring)
    return options.json ? printJson(planAsJson(plan)) : printPlan(plan, Date.now())
  }
  const { makeLog } = await import('../log.ts')
  const choice = { replace: options.replace === true, acceptUnknown: options.acceptUnknown === true }
  const result = await applyRestore(config, { file, keyring, choice }, makeLog('warn'))
  if (options.json) {
    const check = result.report === null ? null : reportOf(result.report)
    return printJson({ ...planAsJson(result), check, aside: result.aside })
  }
  printLine(`restored: ${rowsOf(result.rows)}, as of ${shortTime(result.manifest.createdAt)}`)
  if (result.aside !== null) printLine(`what was there before lies in ${result.aside}`)
  if (result.report !== null) {
    printFindings(result.report)
    if (problemsIn(result.report) > 0) warn('the registry was like that when the backup was made')
  }
  if (result.report === null) printLine(`Whether it is consistent: ${handfast} check`)
  printLine(`Next: start the hub, then see what waits: ${handfast} adopt`)
}

type About = Pick<Plan, 'manifest' | 'rows' | 'journal'>

function planAsJson({ manifest, rows, journal }: About): Readonly<Record<string, unknown>> {
  const since = journal.kind === 'missing' ? null : countsOf(journal.facts)
  return { ...manifest, rows: Object.fromEntries(rows), journal: { kind: journal.kind, folder: journal.folder, since } }
}

type Facts = Extract<Plan['journal'], { readonly kind: 'covers' }>['facts']

function countsOf(facts: Facts): Readonly<Record<string, number>> {
  const closed = [...facts.states.values()].filter(({ state }) => state === 'disabled' || state === 'retired')
  return {
    events: facts.entries,
    certificatesRevoked: facts.revoked.size,
    devicesDisabledOrRetired: closed.length,
    tokensUsedOrEnded: facts.tokens.size,
    apiKeysRemoved: facts.apiKeys.size,
    rolesWithdrawn: facts.roleGrants.length,
    certificatesIssued: facts.issued,
    devicesRegistered: facts.registered,
  }
}

function printPlan(plan: Plan, nowMs: number): void {
  const { manifest, rows, target, journal } = plan
  printFields([
    ['backup', `of ${manifest.publicName}, realm ${manifest.realm}, by Handfast ${manifest.createdBy}`],
    ['made', `${shortTime(manifest.createdAt)}, ${age(nowMs - Date.parse(manifest.createdAt))} ago`],
    ['holds', rowsOf(rows)],
    ['root', `sha256 ${manifest.root}`],
    [
      'passphrase',
      manifest.holdsPassphrase ? 'the generated one is in it' : 'not in it: give it with --passphrase-file',
    ],
    ['goes to', `${target.place}${target.isTaken ? ', which holds a registry: --replace keeps that aside' : ''}`],
  ])
  printLine()
  printJournal(journal)
}

function printJournal(journal: Plan['journal']): void {
  if (journal.kind === 'missing') {
    warn(`${journal.why}: nobody knows what was revoked after this backup. --apply refuses it`)
    return
  }
  if (journal.kind === 'short') {
    warn(
      `the journal begins with event ${journal.firstEvent}, after this backup: what was revoked before that is unknown`,
    )
  }
  const since = countsOf(journal.facts)
  printLine(`Since this backup, by the journal in ${journal.folder} (${amount(journal.facts.entries, 'event')}):`)
  printFields([
    [
      '  taken away again',
      [
        amount(since.certificatesRevoked ?? 0, 'certificate'),
        amount(since.devicesDisabledOrRetired ?? 0, 'device'),
        amount(since.tokensUsedOrEnded ?? 0, 'token'),
        amount(since.apiKeysRemoved ?? 0, 'API key'),
        amount(since.rolesWithdrawn ?? 0, 'role'),
      ].join(', '),
    ],
    [
      '  to be adopted',
      [amount(since.certificatesIssued ?? 0, 'certificate'), amount(since.devicesRegistered ?? 0, 'new device')].join(
        ', ',
      ),
    ],
    ['  lost', 'tokens, API keys and roles that were given since, attempts and audit entries'],
  ])
}

function age(ms: number): string {
  const minutes = Math.max(0, Math.round(ms / 60_000))
  if (minutes < 120) return amount(minutes, 'minute')
  return minutes < 2_880 ? amount(Math.round(minutes / 60), 'hour') : amount(Math.round(minutes / 1_440), 'day')
}
