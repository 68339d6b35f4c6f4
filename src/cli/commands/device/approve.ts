/** `handfast device waiting`, `device approve`, `device refuse`: keys that wait for an operator. */
import type { Command } from 'commander'
import type { EnrolmentDecisionView, EnrolmentRequestView, PageView } from '../../../api-schema/views.ts'
import { handfast } from '../../how-called.ts'
import { addHubOptions, type HubOptions, hubOf, pathPart } from '../../hub-options.ts'
import { note, printJson, printLine, printTable, shellWord, shortTime } from '../../output.ts'

interface WordsOptions extends HubOptions {
  readonly words?: string
}

/** Rows that are asked for at one time. */
const pageRows = 500

export function defineWaiting(command: Command): void {
  addHubOptions(command).action(async (options: HubOptions) => {
    const waiting = await allWaiting(options)
    if (options.json) return printJson({ items: waiting })
    if (waiting.length === 0) return printLine('No key waits for approval.')
    printTable(
      ['DEVICE', 'PROFILE', 'ASKED', 'WORDS OF THE KEY'],
      waiting.map(({ device, profile, requestedAt, words }) => [device, profile, shortTime(requestedAt), words]),
    )
    const [first] = waiting
    if (first === undefined) return
    note(
      `Compare the words with those that the device shows, then:\n  ${handfast} device approve ${shellWord(first.device)} --words ${shellWord(first.words)}`,
    )
  })
}

export function defineApprove(command: Command): void {
  addWords(command, 'the words that the device shows; they are compared').action(
    async (id: string, options: WordsOptions) => {
      const [approved] = await decide(id, 'approve', options)
      if (approved === undefined) return
      printLine(`${approved.device} is approved: its key reads "${approved.words}"`)
      note('The device gets its certificate when it asks again, within two minutes.')
    },
  )
}

export function defineRefuse(command: Command): void {
  addWords(command, 'only the key with these words; all that wait where it is left out').action(
    async (id: string, options: WordsOptions) => {
      const refused = await decide(id, 'refuse', options)
      for (const { device, words } of refused) printLine(`${device}: the key "${words}" is refused`)
      if (refused.length > 0) {
        note(`Its token still works. To end it: ${handfast} device token ${shellWord(id)} makes another one`)
      }
    },
  )
}

function addWords(command: Command, help: string): Command {
  return addHubOptions(command).option('--words <words>', help)
}

/** What was decided; empty where it has been printed as JSON. */
async function decide(
  id: string,
  act: 'approve' | 'refuse',
  options: WordsOptions,
): Promise<readonly EnrolmentRequestView[]> {
  const body = options.words === undefined ? {} : { words: options.words }
  const view = await hubOf(options).post<EnrolmentDecisionView>(`/devices/${pathPart(id)}/${act}`, body)
  if (!options.json) return view.requests
  printJson(view)
  return []
}

async function allWaiting(options: HubOptions): Promise<readonly EnrolmentRequestView[]> {
  const hub = hubOf(options)
  const all: EnrolmentRequestView[] = []
  for (let after: string | undefined; ; ) {
    const page: PageView<EnrolmentRequestView> = await hub.get('/enrolment-requests', { after, limit: pageRows })
    all.push(...page.items)
    if (page.next === null) return all
    after = page.next
  }
}
