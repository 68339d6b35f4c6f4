/** `handfast ca rotate …`: one authority takes the place of another; it can be watched, paused and undone until the cut. */
import type { Command } from 'commander'
import type { RollOverListView, RollOverView } from '../../../api-schema/authority-views.ts'
import { HubError, quote } from '../../../core/errors.ts'
import { type AuthorityKeyType, authorityKeyTypes } from '../../../core/x509/authority-key.ts'
import { handfast } from '../../how-called.ts'
import { addHubOptions, type HubOptions, hubOf, pathPart } from '../../hub-options.ts'
import { note, printFields, printJson, printLine, shortTime } from '../../output.ts'
import { oneOf } from '../../values.ts'

interface ChainOptions extends HubOptions {
  readonly chain: string
}

export function defineRotate(command: Command): void {
  command.configureOutput({ writeErr: () => {} })
  defineBegin(command, 'issuing', 'change the issuing authority; devices are asked nothing')
  defineBegin(command, 'root', 'make a new root, certified by the old one, and publish it')
  chained(command.command('status').description('how far it has come'))
    .option('--all', 'also those that have ended')
    .action((options: ChainOptions & { readonly all?: boolean }) => status(options))
  defineStep(command, 'pause', 'stop where it is')
  defineStep(command, 'resume', 'go on')
  defineStep(command, 'undo', 'take everything back: the old authority signs again')
  chained(
    command.command('cut').description('take the old root away, once enough devices are known to trust the new one'),
  )
    .option('--share <fraction>', 'of the active devices, as in 0.98 (the default)', share)
    .option('--force', 'now, whoever is known: devices that know only the old root do not trust the hub any more')
    .action((options: ChainOptions & { readonly share?: number; readonly force?: boolean }) => cut(options))
}

function chained(command: Command): Command {
  return addHubOptions(command).option('--chain <name>', 'the chain', 'main')
}

function defineBegin(parent: Command, role: 'issuing' | 'root', summary: string): void {
  chained(parent.command(role).description(summary))
    .option(
      '--key-type <type>',
      `of the new keys: ${authorityKeyTypes.join(', ')}`,
      oneOf('--key-type', authorityKeyTypes),
    )
    .option('--paused', 'make everything, and show nothing until it is resumed')
    .action(async (options: ChainOptions & { readonly keyType?: AuthorityKeyType; readonly paused?: boolean }) => {
      const { chain, keyType = null, paused } = options
      const request = { role, chain, keyType, isPaused: paused === true }
      show(await hubOf(options).post<RollOverView>('/roll-overs', request), options)
    })
}

function defineStep(parent: Command, word: 'pause' | 'resume' | 'undo', summary: string): void {
  chained(parent.command(word).description(summary)).action(async (options: ChainOptions) => {
    show(await hubOf(options).post<RollOverView>(`/roll-overs/${pathPart(options.chain)}/${word}`, {}), options)
  })
}

async function cut(options: ChainOptions & { readonly share?: number; readonly force?: boolean }): Promise<void> {
  const request = {
    ...(options.share === undefined ? {} : { sharePercent: options.share }),
    isForced: options.force === true,
  }
  show(await hubOf(options).post<RollOverView>(`/roll-overs/${pathPart(options.chain)}/cut`, request), options)
}

async function status(options: ChainOptions & { readonly all?: boolean }): Promise<void> {
  const { items } = await hubOf(options).get<RollOverListView>('/roll-overs')
  const shown = items.filter((each) => options.all === true || (each.chain === options.chain && !isOver(each)))
  if (options.json) return printJson({ items: shown })
  if (shown.length === 0) return printLine(`No roll-over of the chain ${quote(options.chain)} is under way.`)
  for (const [index, each] of shown.entries()) {
    if (index > 0) printLine()
    printRollOver(each)
  }
}

function show(view: RollOverView, options: ChainOptions): void {
  if (options.json) {
    printJson(view)
    return
  }
  printRollOver(view)
  const chain = options.chain === 'main' ? '' : ` --chain ${options.chain}`
  if (view.isPaused) note(`It waits; go on with:\n  ${handfast} ca rotate resume${chain}`)
  else if (view.role === 'root' && view.state === 'switched') {
    note(`When enough devices trust the new root, take the old one away with:\n  ${handfast} ca rotate cut${chain}`)
  }
}

function isOver({ state }: RollOverView): boolean {
  return state === 'done' || state === 'undone'
}

function printRollOver(view: RollOverView): void {
  const asked = view.role === 'root' && !isOver(view)
  printFields([
    ['change', `${view.from} → ${view.to}`],
    ['chain', view.chain],
    ['state', view.isPaused ? `${stateText(view)}; paused` : stateText(view)],
    ...(asked ? ([['known to trust it', knownText(view)]] as const) : []),
    ...(asked && view.unknown.length > 0 ? ([['not known of', unknownText(view)]] as const) : []),
    ['begun', shortTime(view.startedAt)],
    ['last step', shortTime(view.changedAt)],
  ])
}

function stateText({ state, role, sharePercent }: RollOverView): string {
  switch (state) {
    case 'prepared':
      return 'prepared: made, and seen by nobody'
    case 'published':
      return 'published: everybody may fetch it'
    case 'switched':
      return role === 'root'
        ? 'switched: the new one signs, the old one is trusted until the cut'
        : 'switched: the new one signs, the old one its CRLs until its last certificate has ended'
    case 'cutting':
      return `waits until ${sharePercent} of 100 devices are known to trust the new root`
    case 'done':
      return 'done'
    case 'undone':
      return 'undone: back as it was'
  }
}

function knownText({ devices, acknowledged }: RollOverView): string {
  return `${acknowledged} of ${devices} active devices`
}

/** As many as fit on a few lines. */
const namedMax = 10

function unknownText({ unknown, devices, acknowledged }: RollOverView): string {
  const named = unknown.slice(0, namedMax)
  const rest = devices - acknowledged - named.length
  return rest > 0 ? `${named.join(', ')} and ${rest} more` : named.join(', ')
}

/** A fraction of one, in hundredths. */
function share(text: string): number {
  const value = /^(0\.[0-9]{1,2}|1(\.0{1,2})?)$/.test(text) ? Math.round(Number(text) * 100) : 0
  if (value >= 1) return value
  throw new HubError('usage', `--share: ${quote(text)} is not a fraction`, { hint: 'write it as in 0.98, up to 1' })
}
