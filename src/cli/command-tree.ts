/** All commands as data, read off their definitions: what completions and the manual page are made from. */
import type { Argument, Command, Option } from 'commander'
import { isSettingName, settingWords } from '../config/settings.ts'

export interface CommandNode {
  /** From the name of the program on, as in `handfast`, `device`, `add`. */
  readonly words: readonly string[]
  readonly summary: string
  readonly parameters: readonly ParameterNode[]
  readonly options: readonly OptionNode[]
  readonly subcommands: readonly CommandNode[]
}

export interface ParameterNode {
  readonly summary: string
  readonly value: ValueNode
  readonly isRequired: boolean
  /** It takes all that follow, too. */
  readonly isVariadic: boolean
}

export interface OptionNode {
  /** As they are typed, the short one first: `-h`, `--help`. */
  readonly names: readonly string[]
  readonly summary: string
  /** Null for an option that stands alone. */
  readonly value: ValueNode | null
  readonly isRequired: boolean
  readonly isRepeatable: boolean
}

/** What is typed for a parameter or after an option. */
export interface ValueNode {
  /** How help calls it, without brackets. */
  readonly name: string
  readonly kind: 'file' | 'directory' | 'word' | 'text'
  /** All that is taken, where the kind is `word`. */
  readonly words: readonly string[]
}

/** @param command with all its subcommands defined */
export function commandTree(command: Command, parents: readonly string[] = []): CommandNode {
  const words = [...parents, command.name()]
  const help = command.createHelp()
  const subcommands = help.visibleCommands(command)
  const siblings = subcommands.map((each) => each.name()).filter((name) => name !== 'help')
  return {
    words,
    summary: command.description(),
    parameters: command.registeredArguments.map(parameterNode),
    options: help.visibleOptions(command).map(optionNode),
    subcommands: subcommands.map((each) =>
      each.name() === 'help' ? helpNode(each, words, siblings) : commandTree(each, words),
    ),
  }
}

/** A tree as a list, each command before its subcommands. */
export function allCommands(node: CommandNode): readonly CommandNode[] {
  return [node, ...node.subcommands.flatMap(allCommands)]
}

/** `help` is commander's own, and takes the names of its siblings. */
function helpNode(command: Command, parents: readonly string[], siblings: readonly string[]): CommandNode {
  const summary = command.description()
  const value: ValueNode = { name: 'command', kind: 'word', words: siblings }
  return {
    words: [...parents, command.name()],
    summary,
    parameters: [{ summary: '', value, isRequired: false, isVariadic: false }],
    options: [],
    subcommands: [],
  }
}

function parameterNode(argument: Argument): ParameterNode {
  return {
    summary: argument.description,
    value: valueNode(argument.name(), argument.argChoices ?? wordsOf(argument.parseArg)),
    isRequired: argument.required,
    isVariadic: argument.variadic,
  }
}

function optionNode(option: Option): OptionNode {
  const placeholder = /[<[]([^\]>]+?)(?:\.{3})?[\]>]/.exec(option.flags)?.[1]
  const name = option.long?.replace(/^--/, '') ?? ''
  const words = option.argChoices ?? wordsOf(option.parseArg) ?? (isSettingName(name) ? settingWords(name) : null)
  return {
    names: [option.short, option.long].filter((each) => each !== undefined),
    summary: option.description,
    value: placeholder === undefined ? null : valueNode(placeholder, words),
    isRequired: option.mandatory,
    // A reader that is handed what was read before it adds to that.
    isRepeatable: option.variadic || (option.parseArg?.length ?? 0) > 1,
  }
}

/** The words of a reader made by `oneOf`. */
function wordsOf(reader: unknown): readonly string[] | null {
  return typeof reader === 'function' && 'words' in reader ? (reader.words as readonly string[]) : null
}

/** A value is a file or a folder by the word that help has for it. */
const kinds: Readonly<Record<string, ValueNode['kind']>> = {
  file: 'file',
  path: 'file',
  dir: 'directory',
  directory: 'directory',
  folder: 'directory',
}

function valueNode(name: string, words: readonly string[] | null | undefined): ValueNode {
  if (words !== null && words !== undefined) return { name, kind: 'word', words }
  return { name, kind: kinds[name] ?? 'text', words: [] }
}
