/** The completion script for fish 3.1 and later. */
import { allCommands, type CommandNode, type OptionNode, type ValueNode } from '../command-tree.ts'
import { type PlaceOfValue, placesOfValues } from './places.ts'

export function fishCompletion(program: CommandNode): string {
  const commands = allCommands(program)
  const lines = commands.map(({ words }) => quoted(words.join(' ')))
  const valued = commands.flatMap((command) =>
    placesOfValues(command)
      .filter(({ place }) => place.startsWith('-'))
      .map(({ place }) => quoted([...command.words, place].join(' '))),
  )
  return `# Completion of handfast for fish, written by \`handfast completion fish\`.

# The command on the line before the cursor, and how many of its parameters stand there, as in: handfast enrol:1
function __handfast_line
    set -l command handfast
    set -l position 0
    set -l expects_value no
    for word in (commandline -opc)[2..-1]
        if test $expects_value = yes
            set expects_value no
        else if string match -q -- '-*' $word
            contains -- "$command $word" ${valued.join(' ')}
            and set expects_value yes
        else if contains -- "$command $word" ${lines.join(' ')}
            set command "$command $word"
        else
            set position (math $position + 1)
        end
    end
    echo "$command:$position"
end

# True where the line is of this command and, if more is given, at this position or (with +) at it or after.
# It is asked for each command there is, so the line is taken apart once for all of them.
function __handfast_at
    set -l typed (commandline -cp)
    if test "$typed" != "$__handfast_typed"
        set -g __handfast_typed $typed
        set -g __handfast_place (string split ':' (__handfast_line))
    end
    test "$__handfast_place[1]" = "$argv[1]"; or return 1
    switch (count $argv)
        case 1
            return 0
        case 2
            test $__handfast_place[2] -eq $argv[2]
        case 3
            test $__handfast_place[2] -ge $argv[2]
    end
end

set -g __handfast_typed
complete -c handfast -e
complete -c handfast -f
${commands.flatMap(completionsOf).join('\n')}
`
}

function completionsOf(command: CommandNode): readonly string[] {
  const ofParameters = placesOfValues(command).filter(({ place }) => !place.startsWith('-'))
  return [
    ...command.subcommands.map((each) => {
      const what = `-a ${quoted(each.words.at(-1) ?? '')} -d ${quoted(each.summary)}`
      return `${start(command, '0')} ${what}`
    }),
    ...command.options.map((option) => `${start(command)} ${optionPart(option)}`),
    ...ofParameters.flatMap((place) => parameterPart(command, place)),
  ]
}

function start({ words }: CommandNode, ...position: readonly string[]): string {
  return `complete -c handfast -n ${quoted(['__handfast_at', `"${words.join(' ')}"`, ...position].join(' '))}`
}

function optionPart({ names, summary, value }: OptionNode): string {
  const flags = names.map((name) => (name.startsWith('--') ? `-l ${name.slice(2)}` : `-s ${name.slice(1)}`))
  return [...flags, ...(value === null ? [] : [`-r ${offer(value)}`]), `-d ${quoted(summary)}`].join(' ')
}

function parameterPart(command: CommandNode, { place, value, isVariadic }: PlaceOfValue): readonly string[] {
  if (value.kind === 'text') return []
  return [`${start(command, place, ...(isVariadic ? ['+'] : []))} ${offer(value)}`]
}

function offer({ kind, words }: ValueNode): string {
  switch (kind) {
    case 'file':
      return '-F'
    case 'directory':
      return "-f -a '(__fish_complete_directories (commandline -ct))'"
    case 'word':
      return `-f -a ${quoted(words.join(' '))}`
    case 'text':
      return '-f'
  }
}

/** Within single quotes fish reads backslashes, other than bash and zsh. */
function quoted(text: string): string {
  return `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`
}
