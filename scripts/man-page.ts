/** The manual page: man/handfast.1.in with its gaps filled from the definitions of commands, settings and failures. */
import {
  allCommands,
  type CommandNode,
  commandTree,
  type OptionNode,
  type ParameterNode,
} from '../src/cli/command-tree.ts'
import { buildWholeProgram } from '../src/cli/program.ts'
import { setting, settingNames } from '../src/config/settings.ts'
import { otherVariables } from '../src/config/sources.ts'
import { version } from '../src/version.ts'
import { exitStatuses } from './exit-status-meanings.ts'

/** With as many commands or more, an option is described once for all of them. */
const commonFrom = 4

/**
 * @param template text of man/handfast.1.in
 * @param before the page as it stands, or '': its date stays where nothing else changes
 * @param today for the date of a page that changes
 */
export async function manPage(template: string, before: string, today: Date): Promise<string> {
  const program = commandTree(await buildWholeProgram())
  const commands = allCommands(program).filter((each) => each !== program && each.words.at(-1) !== 'help')
  const common = commonOptions(commands)
  const gaps: Readonly<Record<string, string>> = {
    VERSION: version,
    SYNOPSIS: [...commands.filter(isLeaf).map(synopsis), ['.Nm', '.Fl \\-version'].join('\n')].join('\n'),
    OPTIONS: common.map(optionItem).join('\n'),
    COMMANDS: commands
      .filter(isLeaf)
      .map((each) => commandItem(each, common))
      .join('\n'),
    SETTINGS: settingItems(commands).join('\n'),
    VARIABLES: Object.entries(otherVariables)
      .map(([name, meaning]) => item(`Ev ${name}`, meaning))
      .join('\n'),
    STATUSES: exitStatuses.map(([status, meaning]) => item(String(status), meaning)).join('\n'),
  }
  const undated = template.replace(/@([A-Z]+)@/g, (gap, name: string) => {
    const text = name === 'DATE' ? gap : gaps[name]
    if (text === undefined) throw new Error(`man/handfast.1.in has a gap ${gap} that nothing fills`)
    return text
  })
  const date = /^\.Dd (.*)$/m.exec(before)?.[1]
  if (date !== undefined && before === undated.replace('@DATE@', date)) return before
  const words = today.toLocaleDateString('en-US', { year: 'numeric', month: 'long', day: 'numeric', timeZone: 'UTC' })
  return undated.replace('@DATE@', words)
}

function isLeaf({ subcommands }: CommandNode): boolean {
  return subcommands.length === 0
}

/** The options that many commands share, in words and meaning. */
function commonOptions(commands: readonly CommandNode[]): readonly OptionNode[] {
  const found = new Map<string, { readonly option: OptionNode; count: number }>()
  for (const option of commands.flatMap(({ options }) => options)) {
    const entry = found.get(likeness(option)) ?? { option, count: 0 }
    entry.count += 1
    found.set(likeness(option), entry)
  }
  return [...found.values()].filter(({ count }) => count >= commonFrom).map(({ option }) => option)
}

function likeness({ names, summary }: OptionNode): string {
  return [...names, summary].join(' ')
}

function synopsis(command: CommandNode): string {
  const required = command.options.filter(({ isRequired }) => isRequired)
  return [
    '.Nm',
    `.Cm ${literal(command.words.slice(1).join(' '))}`,
    ...command.parameters.map((each) => `.${parameter(each)}`),
    ...required.map((each) => `.${optionMacro(each)}`),
    '.Op Ar options',
  ].join('\n')
}

function commandItem(command: CommandNode, common: readonly OptionNode[]): string {
  const known = new Set(common.map(likeness))
  const [shared, own] = [true, false].map((is) => command.options.filter((each) => known.has(likeness(each)) === is))
  const head = ['Cm', literal(command.words.slice(1).join(' ')), ...command.parameters.map(parameter)].join(' ')
  const lines = [item(head, command.summary)]
  for (const { value, summary } of command.parameters) {
    if (summary !== '') lines.push('.Pp', `.Ar ${literal(value.name)} :`, sentence(summary, false))
  }
  if (own !== undefined && own.length > 0) {
    lines.push('.Bl -tag -width Ds', ...own.map(optionItem), '.El')
  }
  const also = (shared ?? []).filter(({ names }) => !names.includes('--help'))
  if (also.length > 0) lines.push('.Pp', 'Also:', ...list(also.map(({ names }) => `Fl ${flag(names.at(-1) ?? '')}`)))
  return lines.join('\n')
}

/** Macros in a row with commas between them and a full stop at the end. */
function list(macros: readonly string[]): readonly string[] {
  return macros.map((macro, index) => `.${macro} ${index === macros.length - 1 ? '.' : ','}`)
}

function settingItems(commands: readonly CommandNode[]): readonly string[] {
  const options = commands.find(({ words }) => words.at(-1) === 'up')?.options ?? []
  return settingNames.map((name) => {
    const { variable, wanted } = setting(name)
    const option = options.find(({ names }) => names.includes(`--${name}`))
    return item(`Ev ${variable}`, option?.summary ?? `the setting ${name}: ${wanted}`, option?.value?.words)
  })
}

function optionItem(option: OptionNode): string {
  return item(optionMacro(option), option.summary, option.value?.words)
}

/** `Fl h , Fl -help`, `Fl -dir Ar dir`. */
function optionMacro({ names, value }: OptionNode): string {
  const flags = names.map((name) => `Fl ${flag(name)}`).join(' , ')
  return value === null ? flags : `${flags} Ar ${literal(value.name)}`
}

function flag(name: string): string {
  return literal(name.slice(1))
}

function parameter({ value, isRequired, isVariadic }: ParameterNode): string {
  return `${isRequired ? '' : 'Op '}Ar ${literal(value.name)}${isVariadic ? ' ...' : ''}`
}

/** @param words that are typed: a sentence that begins with one leaves it as it is */
function item(head: string, text: string, words: readonly string[] = []): string {
  return `.It ${head}\n${sentence(text, !words.some((word) => text.startsWith(word)))}`
}

/** A name or a word that is typed: hyphens stay hyphens when it is copied, and nothing in it is a macro. */
function literal(text: string): string {
  return text
    .split(' ')
    .map((word) => (/^[A-Z%][a-z0-9][a-z]?$/.test(word) ? `\\&${word}` : word))
    .join(' ')
    .replaceAll('-', '\\-')
}

/** Columns of the source. */
const columnsMax = 78

/** Help's short texts as sentences: a capital first, a full stop last, each on lines of its own. */
function sentence(text: string, capital = true): string {
  const whole = /[.!?]$/.test(text) ? text : `${text}.`
  const started = capital ? whole.charAt(0).toUpperCase() + whole.slice(1) : whole
  return started
    .replaceAll('\\', '\\e')
    .replace(/[^\s]*--[^\s]*|HANDFAST_\w+/g, (word) => word.replaceAll('-', '\\-'))
    .replaceAll('`', '"')
    .split(/(?<=[.!?]) +(?=[A-Z])/)
    .flatMap(folded)
    .join('\n')
}

function folded(text: string): readonly string[] {
  const lines: string[] = []
  for (const word of text.split(' ')) {
    const last = lines.at(-1)
    if (last !== undefined && last.length + 1 + word.length <= columnsMax) lines[lines.length - 1] = `${last} ${word}`
    else lines.push(word)
  }
  // A line that began with one of these would be a request.
  return lines.map((line) => (/^[.']/.test(line) ? `\\&${line}` : line))
}
