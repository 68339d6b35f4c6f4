/** The completion script for bash 3.2 and later; it needs no other package. */
import { allCommands, type CommandNode, type ValueNode } from '../command-tree.ts'
import { placesOfValues } from './places.ts'

export function bashCompletion(program: CommandNode): string {
  const commands = allCommands(program)
  return `# Completion of handfast for bash, written by \`handfast completion bash\`.

# Sets the subcommands and options of a command.
_handfast_command() {
  subcommands='' options=''
  case $1 in
${commands.map(commandCase).join('\n')}
  esac
}

# Sets what follows an option or stands at a position: <file>, <directory>, words, or nothing to offer.
_handfast_value() {
  wants=''
  case $1 in
${valueCases(commands).join('\n')}
    *) return 1 ;;
  esac
}

_handfast_offer() {
  local line
  while IFS= read -r line; do COMPREPLY+=("$prefix$line"); done < <(
    case $1 in
      '<file>') compgen -f -- "$current" ;;
      '<directory>') compgen -d -- "$current" ;;
      *) compgen -W "$1" -- "$current" ;;
    esac
  )
  [[ $1 != '<'* ]] || compopt -o filenames 2>/dev/null
}

_handfast() {
  local command=handfast option='' position=0 prefix='' index word wants subcommands options
  local current=\${COMP_WORDS[COMP_CWORD]}
  COMPREPLY=()
  _handfast_command "$command"
  for ((index = 1; index < COMP_CWORD; index++)); do
    word=\${COMP_WORDS[index]}
    # Readline cuts --option=value into three words.
    if [[ $word == = ]]; then
      continue
    elif [[ -n $option ]]; then
      option=''
    elif [[ $word == -* ]]; then
      _handfast_value "$command $word" && option=$word
    elif [[ " $subcommands " == *" $word "* ]]; then
      command+=" $word"
      _handfast_command "$command"
    else
      position=$((position + 1))
    fi
  done
  [[ $current != = ]] || current=''
  if [[ -z $option && $current == --*=* ]]; then
    option=\${current%%=*} prefix=\${current%%=*}= current=\${current#*=}
  fi
  if [[ -n $option ]]; then
    _handfast_value "$command $option" && _handfast_offer "$wants"
  elif [[ $current == -* ]]; then
    _handfast_offer "$options"
  else
    _handfast_offer "$subcommands"
    _handfast_value "$command $position" && _handfast_offer "$wants"
  fi
}

complete -F _handfast handfast
`
}

function commandCase({ words, options, subcommands }: CommandNode): string {
  const names = subcommands.map((each) => each.words.at(-1)).join(' ')
  const flags = options.flatMap((each) => each.names).join(' ')
  return `    ${quoted(words.join(' '))}) subcommands=${quoted(names)} options=${quoted(flags)} ;;`
}

/** A case for each thing that is wanted somewhere, with all the places where it is. */
function valueCases(commands: readonly CommandNode[]): readonly string[] {
  const patterns = new Map<string, string[]>()
  for (const { words, ...command } of commands) {
    for (const { place, value, isVariadic } of placesOfValues(command)) {
      // A parameter with nothing to offer is no case; an option with nothing to offer takes the next word all the same.
      if (value.kind === 'text' && !place.startsWith('-')) continue
      const line = `${words.join(' ')} `
      const ofValue = patterns.get(wanted(value)) ?? []
      patterns.set(wanted(value), ofValue)
      ofValue.push(isVariadic ? `${quoted(line)}[${place}-9]*` : quoted(`${line}${place}`))
    }
  }
  return [...patterns].map(([want, places]) => `    ${places.join(' | \\\n      ')}) wants=${quoted(want)} ;;`)
}

function wanted({ kind, words }: ValueNode): string {
  switch (kind) {
    case 'word':
      return words.join(' ')
    case 'text':
      return ''
    default:
      return `<${kind}>`
  }
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`
}
