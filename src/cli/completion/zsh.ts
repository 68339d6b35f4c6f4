/** The completion script for zsh, on its own `_arguments`. */
import { allCommands, type CommandNode, type OptionNode, type ParameterNode, type ValueNode } from '../command-tree.ts'

export function zshCompletion(program: CommandNode): string {
  return `#compdef handfast
# Completion of handfast for zsh, written by \`handfast completion zsh\`.

${allCommands(program)
  .toReversed()
  .map((command) => (command.subcommands.length > 0 ? branch(command) : leaf(command)))
  .join('\n\n')}

# As a file on fpath this is the function itself; sourced, it says what it is for.
if [[ "\${funcstack[1]-}" == _handfast ]]; then
  _handfast "$@"
else
  compdef _handfast handfast
fi
`
}

function branch(command: CommandNode): string {
  const names = command.subcommands.map((each) => each.words.at(-1) ?? '')
  const described = command.subcommands.map((each, index) => quoted(`${names[index]}:${each.summary}`))
  return `${functionName(command)}() {
  local curcontext=$curcontext state state_descr line
  local -A opt_args
  local -a commands=(
    ${described.join('\n    ')}
  )
  _arguments -C -S \\
    ${[...command.options.map(optionSpec), "': :->command'", "'*:: :->rest'"].join(' \\\n    ')}
  case $state in
    command) _describe -t commands command commands ;;
    rest)
      case $words[1] in
        ${command.subcommands.map((each, index) => `${names[index]}) ${functionName(each)} ;;`).join('\n        ')}
      esac
      ;;
  esac
}`
}

function leaf(command: CommandNode): string {
  const specs = [...command.options.map(optionSpec), ...command.parameters.map(parameterSpec)]
  if (specs.length === 0) return `${functionName(command)}() { _message 'nothing more' }`
  return `${functionName(command)}() {
  _arguments -S \\
    ${specs.join(' \\\n    ')}
}`
}

function functionName({ words }: CommandNode): string {
  return `_${words.join('_').replaceAll('-', '_')}`
}

/** `(-h --help)'{-h,--help}'[…]` where two names mean the same, `--data=[…]:dir:…` where a value follows. */
function optionSpec({ names, summary, value, isRepeatable }: OptionNode): string {
  const explained = `[${summary.replace(/[[\]\\]/g, '\\$&')}]${value === null ? '' : `:${valueSpec(value)}`}`
  const typed = names.map((name) => (value !== null && name.startsWith('--') ? `${name}=` : name))
  const [first = ''] = typed
  if (isRepeatable) return typed.map((name) => quoted(`*${name}${explained}`)).join(' ')
  if (typed.length === 1) return quoted(`${first}${explained}`)
  return `${quoted(`(${names.join(' ')})`)}{${typed.join(',')}}${quoted(explained)}`
}

function parameterSpec({ value, isRequired, isVariadic }: ParameterNode): string {
  const place = isVariadic ? '*:' : isRequired ? ':' : '::'
  return quoted(`${place}${valueSpec(value)}`)
}

function valueSpec({ name, kind, words }: ValueNode): string {
  const message = name.replace(/[:\\]/g, '\\$&')
  switch (kind) {
    case 'file':
      return `${message}:_files`
    case 'directory':
      return `${message}:_files -/`
    case 'word':
      return `${message}:(${words.join(' ')})`
    case 'text':
      return `${message}: `
  }
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`
}
