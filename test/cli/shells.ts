/** Real shells that are asked what they offer at the end of a line. */
import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { run } from '../support/run.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'

export type ShellName = 'bash' | 'zsh' | 'fish'

/** Says after each line, in order, what stands there to choose from. */
export type Completer = (lines: readonly string[], folder?: string) => Promise<readonly (readonly string[])[]>

/**
 * A shell that has read a completion script.
 *
 * @param setup how it reads the script, in its own language; `$1` (in fish `$argv[1]`) is the path of the script
 */
export function completerOf(
  context: { after(step: () => unknown): void },
  shell: ShellName,
  script: string,
  setup: string = shell === 'fish' ? 'source $argv[1]' : 'source "$1"',
): Completer {
  const home = temporaryFolder(context)
  const [path, driver] = [join(home, 'completion'), join(home, 'driver')]
  writeFileSync(path, script)
  writeFileSync(
    driver,
    drivers[shell].replace('SETUP', () => setup),
  )
  return async (lines, folder = home) => {
    const input = lines.map((line) => `${shell === 'bash' ? asReadlineCuts(line) : line}\n`).join('')
    const args = { bash: ['--norc', '--noprofile'], zsh: ['-f'], fish: ['--no-config'] }[shell]
    const { status, stdout, stderr } = await run(shell, [...args, driver, path], {
      input,
      cwd: folder,
      env: { HOME: home, TERM: 'dumb', LC_ALL: 'C.UTF-8' },
    })
    assert.equal(status, 0, stderr)
    assert.equal(stderr, '')
    const answers = stdout.split('LINE\n').slice(1)
    assert.equal(answers.length, lines.length, stdout)
    return answers.map((answer) => [...new Set(answer.split('\n').filter((word) => word !== ''))].toSorted())
  }
}

/** The words of a line in the way of COMP_WORDBREAKS, a tab between them. */
function asReadlineCuts(line: string): string {
  return line.replaceAll('=', ' = ').replaceAll(/ +/g, '\t')
}

const drivers: Readonly<Record<ShellName, string>> = {
  bash: `
SETUP
IFS=$'\\t'
while IFS= read -r line; do
  # A tab is white space to read, which would drop the empty word at the end.
  COMP_WORDS=()
  while [[ $line == *$'\\t'* ]]; do COMP_WORDS+=("\${line%%$'\\t'*}"); line=\${line#*$'\\t'}; done
  COMP_WORDS+=("$line")
  COMP_CWORD=$(( \${#COMP_WORDS[@]} - 1 ))
  IFS=$' \\t\\n' _handfast
  echo LINE
  printf '%s\\n' "\${COMPREPLY[@]}"
done
`,
  // A zsh in a terminal of its own, where Tab is pressed; its compadd says what it is given.
  zsh: `
zmodload zsh/zpty
zpty inner zsh -f -i
until_said() { local chunk; said=; while zpty -r inner chunk; do said+=$chunk; [[ $said == *$1* ]] && return; done; exit 1 }
zpty -w inner "PROMPT= RPROMPT= ; setopt no_beep; autoload -Uz compinit; compinit -u -D; set -- \${(q)1}"
zpty -w inner 'SETUP'
zpty -w inner 'compadd() {
  if [[ \${@[1,(i)(-|--)]} == *-(O|A|D)\\ * ]]; then builtin compadd "$@"; return; fi
  local -a hits; builtin compadd -O hits "$@"; print -rl -- "HIT"\${^hits}; builtin compadd "$@"
}'
zpty -w inner 'finish() { compstate[insert]= compstate[list]= ; comppostfuncs=(finish); print "E""ND" }'
zpty -w inner 'comppostfuncs=(finish); bindkey "^I" complete-word; print "REA""DY"'
until_said READY
while IFS= read -r line; do
  zpty -w -n inner $'\\x15'"$line"$'\\t'
  until_said END
  print LINE
  for each in \${(f)said}; do [[ $each == *HIT* ]] && print -r -- "\${\${each#*HIT}%$'\\r'}"; done
done
zpty -d inner
exit 0
`,
  // A description stands behind a tab.
  fish: `
SETUP
while read -l line
    echo LINE
    complete -C "$line" | string replace -r '\\t.*' ''
end
exit 0
`,
}
