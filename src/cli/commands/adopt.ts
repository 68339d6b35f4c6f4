/** `handfast adopt`: after a restored backup, the devices and certificates that the journal gave back. */
import { createInterface } from 'node:readline/promises'
import type { Command } from 'commander'
import type { AdoptedView, AdoptionView, PageView } from '../../api-schema/views.ts'
import { HubError } from '../../core/errors.ts'
import type { HubApi } from '../api-client.ts'
import { handfast } from '../how-called.ts'
import { addHubOptions, type HubOptions, hubOf, pathPart } from '../hub-options.ts'
import { printJson, printLine, printTable, shellWord, shortTime } from '../output.ts'
import { amount } from '../summary.ts'

interface AdoptOptions extends HubOptions {
  readonly device?: string
  readonly dryRun?: boolean
  readonly yes?: boolean
}

/** Devices that are shown; the rest is counted. */
const shownMax = 50
const pageRows = 500
/** Devices that are adopted at one time. */
const atOnce = 16

export function define(command: Command): void {
  addHubOptions(command)
    .option('--device <id>', 'only this device')
    .option('--dry-run', 'only show what waits; this is all that is done where nobody can be asked')
    .option('--yes', 'adopt without asking')
    .action((options: AdoptOptions) => adopt(options))
}

async function adopt(options: AdoptOptions): Promise<void> {
  const hub = hubOf(options)
  const waiting = await allWaiting(hub, options.device)
  if (waiting.length === 0 && options.device !== undefined) {
    throw new HubError('nothing-to-adopt', `nothing of ${options.device} waits to be adopted`)
  }
  if (!options.json) show(waiting)
  const isMeant = waiting.length > 0 && !options.dryRun && (options.yes || (await isConfirmed(waiting, options)))
  const adopted = isMeant ? await adoptAll(hub, waiting) : 0
  if (options.json) return printJson({ waiting, adopted })
  if (isMeant) printLine(`${amount(adopted, 'device')} adopted: they connect with the certificates that they have`)
  else if (waiting.length > 0) {
    // Without --device it would adopt more than was shown.
    const only = options.device === undefined ? '' : ` --device ${shellWord(options.device)}`
    printLine(`Nothing was changed. To adopt all of this: ${handfast} adopt${only} --yes`)
  }
}

async function allWaiting(hub: HubApi, device: string | undefined): Promise<readonly AdoptionView[]> {
  const all: AdoptionView[] = []
  for (let after: string | undefined; ; ) {
    const page: PageView<AdoptionView> = await hub.get('/adoptions', { device, after, limit: pageRows })
    all.push(...page.items)
    if (page.next === null) return all
    after = page.next
  }
}

function show(waiting: readonly AdoptionView[]): void {
  if (waiting.length === 0) {
    printLine('Nothing waits to be adopted.')
    return
  }
  printTable(['DEVICE', 'STATE', 'CERTIFICATES', 'NEWEST ISSUED'], waiting.slice(0, shownMax).map(rowOf))
  if (waiting.length > shownMax) printLine(`… and ${amount(waiting.length - shownMax, 'more device')}; --json has all`)
  const certificates = waiting.reduce((sum, { credentials }) => sum + credentials.length, 0)
  printLine(`${amount(waiting.length, 'device')} with ${amount(certificates, 'certificate')} issued after the backup`)
}

function rowOf({ device, becomes, credentials }: AdoptionView): readonly string[] {
  const newest = credentials.at(-1)
  const state = becomes === null || becomes.state === device.state ? device.state : `${device.state} → ${becomes.state}`
  return [device.id, state, String(credentials.length), newest === undefined ? '-' : shortTime(newest.issuedAt)]
}

async function isConfirmed(waiting: readonly AdoptionView[], { json }: AdoptOptions): Promise<boolean> {
  if (json || !process.stdin.isTTY || !process.stdout.isTTY) return false
  const asking = createInterface({ input: process.stdin, output: process.stdout })
  try {
    const answer = await asking.question(`Adopt ${waiting.length === 1 ? 'it' : 'all of them'}? [y/N] `)
    return /^y(es)?$/i.test(answer.trim())
  } finally {
    asking.close()
  }
}

/** Some at one time. Whoever was adopted meanwhile by somebody else is not counted. */
async function adoptAll(hub: HubApi, waiting: readonly AdoptionView[]): Promise<number> {
  const rest = waiting.values()
  let adopted = 0
  const one = async (): Promise<void> => {
    for (const { device } of rest) {
      try {
        await hub.post<AdoptedView>(`/devices/${pathPart(device.id)}/adopt`, {})
        adopted += 1
      } catch (error) {
        if (!(error instanceof HubError && error.code === 'nothing-to-adopt')) throw error
      }
    }
  }
  await Promise.all(Array.from({ length: atOnce }, one))
  return adopted
}
