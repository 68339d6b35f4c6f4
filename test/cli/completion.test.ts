/** The completion scripts in the shells that they are for. */
import assert from 'node:assert/strict'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { allCommands, commandTree } from '../../src/cli/command-tree.ts'
import { bashCompletion } from '../../src/cli/completion/bash.ts'
import { fishCompletion } from '../../src/cli/completion/fish.ts'
import { zshCompletion } from '../../src/cli/completion/zsh.ts'
import { buildWholeProgram } from '../../src/cli/program.ts'
import { repository } from '../support/hub-process.ts'
import { needs } from '../support/programs.ts'
import { run } from '../support/run.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'
import { completerOf, type ShellName } from './shells.ts'

const launcher = join(repository, 'bin/handfast.js')
const tree = commandTree(await buildWholeProgram())
const commands = allCommands(tree)
assert.ok(commands.length > 15, `${commands.length} commands`)

const scripts: Readonly<Record<ShellName, string>> = {
  bash: bashCompletion(tree),
  zsh: zshCompletion(tree),
  fish: fishCompletion(tree),
}

/** What a shell offers with an option that is written with an equals sign: all of the word, or what follows the sign. */
const joined: Readonly<Record<ShellName, (option: string, value: string) => string>> = {
  bash: (_option, value) => value,
  zsh: (_option, value) => value,
  fish: (option, value) => `${option}=${value}`,
}

for (const shell of ['bash', 'zsh', 'fish'] as const) {
  describe(`in ${shell}`, needs(shell), () => {
    test('commands, subcommands, options and closed lists are completed, and nothing is where nothing fits', async (t) => {
      const complete = completerOf(t, shell, scripts[shell])
      const cases: readonly (readonly [string, readonly string[]])[] = [
        ['handfast dev', ['device']],
        ['handfast device ret', ['retire']],
        ['handfast device list --st', ['--state']],
        ['handfast device list --state ', ['active', 'disabled', 'pending', 'retired']],
        ['handfast device list --state=act', [joined[shell]('--state', 'active')]],
        ['handfast device list --group device --state r', ['retired']],
        ['handfast up --log-level w', ['warn']],
        ['handfast revoke pump-7 --reason key', ['keyCompromise']],
        ['handfast attempts --cause certificate-r', ['certificate-revoked']],
        ['handfast completion ', ['bash', 'fish', 'zsh']],
        ['handfast help dev', ['device']],
        ['handfast device add --attr a=1 --at', ['--attr']],
        ['handfast device list --group x', []],
        ['handfast nothing', []],
      ]
      const answers = await complete(cases.map(([line]) => line))
      for (const [index, [line, expected]] of cases.entries()) assert.deepEqual(answers[index], expected, line)
    })

    test('files are completed where a file is wanted, folders alone where a folder is', async (t) => {
      const folder = temporaryFolder(t)
      mkdirSync(join(folder, 'pumps'))
      for (const name of ['pump string.txt', 'pump.txt']) writeFileSync(join(folder, name), '')
      const complete = completerOf(t, shell, scripts[shell])
      const [files, folders, none] = await complete(
        ['handfast enrol --file pump', 'handfast enrol --dir pu', 'handfast device show pu'],
        folder,
      )
      const plain = (words: readonly string[] = []): readonly string[] =>
        words.map((word) => word.replace(/\/$/, '').replaceAll('\\', '')).toSorted()
      assert.deepEqual(plain(files), ['pump string.txt', 'pump.txt', 'pumps'])
      assert.deepEqual(plain(folders), ['pumps'])
      assert.deepEqual(none, [])
    })

    test('every option of every command is offered, and every subcommand', async (t) => {
      const complete = completerOf(t, shell, scripts[shell])
      const answers = await complete(commands.flatMap(({ words }) => [`${words.join(' ')} `, `${words.join(' ')} -`]))
      const missing = commands.flatMap(({ words, options, subcommands }, index) => {
        const offered = [...(answers[index * 2] ?? []), ...(answers[index * 2 + 1] ?? [])]
        const expected = [
          ...options.flatMap(({ names }) => names),
          ...subcommands.map((each) => each.words.at(-1) ?? ''),
        ]
        return expected.filter((word) => !offered.includes(word)).map((word) => [...words, word].join(' '))
      })
      assert.deepEqual(missing, [])
    })
  })
}

test('in zsh the script may also be a file on fpath, as packages install it', needs('zsh'), async (t) => {
  const setup =
    'ln -s "$1" "$HOME/_handfast"; fpath=("$HOME" $fpath); autoload -Uz _handfast; compdef _handfast handfast'
  const complete = completerOf(t, 'zsh', scripts.zsh, setup)
  const answers = await complete(['handfast dev', 'handfast device ret'])
  assert.deepEqual(answers, [['device'], ['retire']])
})

test('the command prints the script for the shell that is named, as text and as JSON', async () => {
  for (const shell of ['bash', 'zsh', 'fish'] as const) {
    const { status, stdout, stderr } = await run(process.execPath, [launcher, 'completion', shell])
    assert.deepEqual([status, stderr], [0, ''])
    assert.equal(stdout, scripts[shell])
  }
  const { stdout } = await run(process.execPath, [launcher, 'completion', 'bash', '--json'])
  assert.deepEqual(JSON.parse(stdout), { shell: 'bash', script: scripts.bash })
})

test('a shell that has no script is refused by name, with those that have one', async () => {
  const wrong = await run(process.execPath, [launcher, 'completion', 'tcsh', '--json'])
  assert.equal(wrong.status, 2)
  const { error } = JSON.parse(wrong.stderr)
  assert.equal(error.code, 'usage')
  assert.equal(error.message, 'shell "tcsh" is not one of bash, zsh, fish')
  assert.equal((await run(process.execPath, [launcher, 'completion'])).status, 2)
})
