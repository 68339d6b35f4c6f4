/** How a command says that it failed: on standard error, with a code that is looked up and a status that is scripted. */
import { type Command, CommanderError } from 'commander'
import { HubError, quote } from '../core/errors.ts'
import { type FailureName, failure } from '../core/failure/catalogue.ts'
import { type ExitStatus, exitStatus, wireForms } from '../core/failure/wire-forms.ts'
import { nearest } from '../core/nearest.ts'
import { asTyped } from './how-called.ts'
import { printable } from './printable.ts'

export interface ReportOptions {
  /** As one line of JSON instead of text. */
  readonly json: boolean
  /** What was asked for, whose --help a usage error names; null before it is known. */
  readonly command: Command | null
  /** The command line, from which a mistyped option is told. */
  readonly args?: readonly string[]
  write(text: string): void
}

/** Reports whatever a command threw and answers the exit status (docs/failures.md). */
export function reportFailure(error: unknown, options: ReportOptions): ExitStatus {
  if (error instanceof CommanderError && error.exitCode === 0) return exitStatus.ok
  const said = describe(error, options.command, options.args ?? [])
  const { code } = said
  const [message, hint] = [asTyped(said.message), asTyped(said.hint)]
  const { id, kind } = failure(code)
  if (options.json) {
    options.write(`${JSON.stringify({ error: { code, failureId: id, message, hint } })}\n`)
  } else {
    options.write(`error: ${printable(message)}\n  code: ${id} ${code}\n  hint: ${printable(hint)}\n`)
  }
  if (process.env.HANDFAST_DEBUG && error instanceof Error) options.write(`${error.stack}\n`)
  return wireForms[kind].exit
}

interface Description {
  readonly code: FailureName
  readonly message: string
  readonly hint: string
}

function describe(error: unknown, command: Command | null, args: readonly string[]): Description {
  if (error instanceof HubError) {
    const isBare = error.code === 'usage' && error.hint === failure('usage').cure
    return isBare ? { code: error.code, message: error.message, hint: `see ${helpOf(command)}` } : error
  }
  if (error instanceof CommanderError) return describeUsage(error, command, args)
  return {
    code: 'internal',
    message: error instanceof Error ? error.message : String(error),
    hint: 'this is a mistake in Handfast; run it again with HANDFAST_DEBUG=1 and report what it prints',
  }
}

/** commander says "error: unknown command 'upp'\n(Did you mean up?)". */
function describeUsage(error: CommanderError, command: Command | null, args: readonly string[]): Description {
  const help = helpOf(command)
  if (error.message === '(outputHelp)') {
    const words = command?.commands.map((each) => each.name()).join(', ')
    return { code: 'usage', message: `${quote(command?.name())} needs a subcommand: ${words}`, hint: `see ${help}` }
  }
  // commander looks for what is missing before it looks at what it does not know, which is mostly the same option mistyped.
  const mistyped = error.code === 'commander.missingMandatoryOptionValue' ? unknownOption(command, args) : null
  if (mistyped !== null) {
    const [name, meant] = mistyped
    const hint = meant === null ? `see ${help}` : `did you mean ${meant}? See ${help}`
    return { code: 'usage', message: `unknown option ${quote(name)}`, hint }
  }
  const [first = '', second] = error.message.split('\n')
  const message = first.replace(/^error: /, '').replace(/'([^']*)'/g, '"$1"')
  if (/^unknown option "-(?:\d|0x)/.test(message) && command?.name() === 'doctor') {
    const hint = 'write "--" before a number that begins with "-": `handfast doctor -- -0x2700`'
    return { code: 'usage', message, hint }
  }
  const meant = /^\(Did you mean (.*)\?\)$/.exec(second ?? '')?.[1]
  return { code: 'usage', message, hint: meant === undefined ? `see ${help}` : `did you mean ${meant}? See ${help}` }
}

/** The first word of a command line that looks like an option and is none of the command's, and the nearest that is. */
function unknownOption(
  command: Command | null,
  args: readonly string[],
): readonly [name: string, meant: string | null] | null {
  const known: string[] = []
  for (let each = command; each !== null; each = each.parent)
    known.push(...each.options.flatMap(({ long }) => long ?? []))
  const end = args.indexOf('--')
  const given = (end < 0 ? args : args.slice(0, end)).flatMap(
    (word) => /^(--[a-z][a-z-]*)(?:=.*)?$/.exec(word)?.[1] ?? [],
  )
  const name = given.find((each) => !known.includes(each) && !['--help', '--version'].includes(each))
  return name === undefined ? null : [name, nearest(name, known)]
}

function helpOf(command: Command | null): string {
  const words: string[] = []
  for (let each = command; each !== null; each = each.parent) words.unshift(each.name())
  return words.length <= 1 ? '`handfast help`' : `\`${words.join(' ')} --help\``
}
