/** `handfast policy add`, `list`, `show`, `shadow`, `activate` and `rollback`: the policy in its versions. */
import type { Command } from 'commander'
import type {
  ActivePolicyView,
  ActiveVersionView,
  AddedPolicyView,
  AddPolicyRequest,
  PolicyListView,
  PolicyVersionView,
  PolicyView,
  ShadowDifferencesView,
} from '../../../api-schema/policies.ts'
import { HubError, quote } from '../../../core/errors.ts'
import type { HubApi } from '../../api-client.ts'
import { handfast } from '../../how-called.ts'
import { addHubOptions, type HubOptions, hubOf } from '../../hub-options.ts'
import { note, printJson, printLine, printTable, shortTime } from '../../output.ts'
import { readPolicyFile, warningLine } from './read-file.ts'

export function defineAdd(command: Command): void {
  addHubOptions(command)
    .option('--note <text>', 'what has changed, for those who read the list')
    .option('--activate', 'make it active at once')
    .action(async (file: string, options: HubOptions & { readonly note?: string; readonly activate?: boolean }) => {
      const request: AddPolicyRequest = {
        source: await readPolicyFile(file),
        ...(options.note === undefined ? {} : { note: options.note }),
      }
      const hub = hubOf(options)
      const draft = await hub.post<AddedPolicyView>('/policies', request)
      const { warnings } = draft
      const view = options.activate
        ? { ...(await hub.post<PolicyVersionView>(`/policies/${draft.number}/activate`, {})), warnings }
        : draft
      if (options.json) return printJson(view)
      for (const warning of warnings) printLine(warningLine(file, warning))
      if (options.activate) return printLine(`version ${view.number} of the policy is active`)
      printLine(`version ${view.number} of the policy is written down, and decides nothing yet`)
      note(`Next: \`${handfast} policy shadow ${view.number}\`, or \`${handfast} policy activate ${view.number}\``)
    })
}

export function defineList(command: Command): void {
  addHubOptions(command).action(async (options: HubOptions) => {
    const { items } = await hubOf(options).get<PolicyListView>('/policies')
    if (options.json) return printJson(items)
    if (items.length === 0)
      return printLine('no policy is written down: every identity has what lies below devices/<id>/')
    printTable(
      ['VERSION', 'STATE', 'WRITTEN', 'BY', 'ACTIVE SINCE', 'NOTE'],
      items.map(({ number, state, createdAt, createdBy, activatedAt, note: text }) => [
        ...[String(number), state, shortTime(createdAt), createdBy],
        ...[activatedAt === null ? '-' : shortTime(activatedAt), text],
      ]),
    )
  })
}

export function defineShow(command: Command): void {
  addHubOptions(command).action(async (version: string | undefined, options: HubOptions) => {
    const hub = hubOf(options)
    const view =
      version === undefined
        ? (await hub.get<ActivePolicyView>('/active-policy')).active
        : await hub.get<PolicyView>(`/policies/${versionOf(version)}`)
    if (options.json) return printJson(view)
    if (view === null) return printLine('no policy is active: every identity has what lies below devices/<id>/')
    process.stdout.write(view.source.endsWith('\n') ? view.source : `${view.source}\n`)
  })
}

export function defineShadow(command: Command): void {
  addHubOptions(command)
    .option('--end', 'end the shadow that there is')
    .option('--differences', 'show what it would have decided otherwise since the hub began')
    .addHelpText('after', '\nWhat it would decide otherwise is logged by the hub as well, each difference once.')
    .action(async (version: string | undefined, options: ShadowOptions) => {
      const hub = hubOf(options)
      if (options.differences) return showDifferences(hub, version, options)
      if (options.end) {
        const ended = await hub.post<ActiveVersionView>('/shadow-policy/end', {})
        return options.json ? printJson(ended) : printLine('no version is tried in the shadow now')
      }
      if (version === undefined) {
        throw new HubError('usage', 'no version is named', { hint: 'name one, or give --end' })
      }
      const view = await hub.post<PolicyVersionView>(`/policies/${versionOf(version)}/shadow`, {})
      if (options.json) return printJson(view)
      printLine(`version ${view.number} is tried beside the active one`)
    })
}

interface ShadowOptions extends HubOptions {
  readonly end?: boolean
  readonly differences?: boolean
}

/** @param version as it was typed; without one the version that is in the shadow now */
async function showDifferences(hub: HubApi, version: string | undefined, { json }: ShadowOptions): Promise<void> {
  const number = version === undefined ? await shadowOf(hub) : versionOf(version)
  const { items, more } = await hub.get<ShadowDifferencesView>(`/policies/${number}/differences`)
  if (json) return printJson({ version: Number(number), items, more })
  if (items.length === 0) return printLine(`nothing was heard that version ${number} would decide otherwise`)
  printTable(
    ['FIRST', 'IDENTITY', 'ACTION', 'TOPIC', 'DECIDED', 'WOULD', 'BECAUSE'],
    items.map(({ first, identity, action, topic, decided, would, wouldBecause }) => [
      ...[shortTime(first), identity, action, topic === '' ? '-' : topic, decided, would, wouldBecause],
    ]),
  )
  if (more > 0) note(`${more} more were heard and are not kept`)
}

async function shadowOf(hub: HubApi): Promise<string> {
  const { items } = await hub.get<PolicyListView>('/policies')
  const shadow = items.find(({ state }) => state === 'shadow')
  if (shadow !== undefined) return String(shadow.number)
  throw new HubError('usage', 'no version is in the shadow now', {
    hint: `name one that was: \`${handfast} policy shadow <version> --differences\``,
  })
}

export function defineActivate(command: Command): void {
  addHubOptions(command).action(async (version: string, options: HubOptions) => {
    const view = await hubOf(options).post<PolicyVersionView>(`/policies/${versionOf(version)}/activate`, {})
    if (options.json) return printJson(view)
    printLine(`version ${view.number} of the policy is active`)
    note(`Back again: \`${handfast} policy rollback\``)
  })
}

export function defineRollback(command: Command): void {
  addHubOptions(command).action(async (options: HubOptions) => {
    const view = await hubOf(options).post<ActiveVersionView>('/active-policy/rollback', {})
    if (options.json) return printJson(view)
    const { active } = view
    printLine(active === null ? 'the default policy decides again' : `version ${active.number} decides again`)
  })
}

function versionOf(text: string): string {
  if (/^[1-9][0-9]{0,9}$/.test(text)) return text
  throw new HubError('usage', `${quote(text)} is no version of a policy`, { hint: `see \`${handfast} policy list\`` })
}
