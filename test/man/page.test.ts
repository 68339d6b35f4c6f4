/** The manual page: what mandoc says of it, and that it keeps up with the commands. */
import assert from 'node:assert/strict'
import { cpSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { manPage } from '../../scripts/man-page.ts'
import { allCommands, commandTree } from '../../src/cli/command-tree.ts'
import { buildWholeProgram } from '../../src/cli/program.ts'
import { repository } from '../support/hub-process.ts'
import { needs } from '../support/programs.ts'
import { run } from '../support/run.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'

const path = join(repository, 'man/handfast.1')
const page = readFileSync(path, 'utf8')
const template = readFileSync(`${path}.in`, 'utf8')
const later = new Date(Date.UTC(2031, 1, 3))
const commands = allCommands(commandTree(await buildWholeProgram()))

test('mandoc has no warning for it', needs('mandoc'), async () => {
  const { status, stdout, stderr } = await run('mandoc', ['-Tlint', '-Wwarning', path])
  assert.deepEqual([status, stdout, stderr], [0, '', ''])
})

test('it shows every command with its options as they are typed', needs('mandoc'), async () => {
  const { stdout } = await run('mandoc', ['-Tascii', path])
  // Bold and underlined letters are overprinted.
  const text = stdout.replace(/.[\b]/g, '')
  const missing = commands
    .filter(({ words, subcommands }) => subcommands.length === 0 && words.at(-1) !== 'help')
    .flatMap(({ words, options }) => [words.join(' '), ...options.flatMap(({ names }) => names)])
    .filter((words) => !text.includes(words))
  assert.deepEqual(missing, [])
})

test('its examples are commands and options that exist', () => {
  const examples = page.slice(page.indexOf('.Sh EXAMPLES'), page.indexOf('.Sh SEE ALSO'))
  const lines = [...examples.matchAll(/^\$ (handfast .*)$/gm)].map(([, line = '']) => line)
  assert.ok(lines.length >= 8, `${lines.length} examples`)
  for (const line of lines) {
    const command = commands
      .filter(({ words, subcommands }) => `${line} `.startsWith(`${words.join(' ')} `) && subcommands.length === 0)
      .at(-1)
    assert.ok(command !== undefined, line)
    const names = command.options.flatMap((option) => option.names)
    for (const [option] of line.matchAll(/--[a-z-]+/g)) assert.ok(names.includes(option), line)
  }
})

test('its date is the day of its last change', async () => {
  assert.equal(await manPage(template, page, later), page)
  const changed = await manPage(`${template}.Pp\n`, page, later)
  assert.match(changed, /^\.Dd February 3, 2031$/m)
})

test('a gap in its template that nothing fills is named', async () => {
  await assert.rejects(manPage('@NOTHING@', '', later), /@NOTHING@/)
})

test('a stale page fails the check, which says what to run', async (t) => {
  const copy = temporaryFolder(t)
  for (const folder of ['scripts', 'docs', 'man', 'deploy']) {
    cpSync(join(repository, folder), join(copy, folder), { recursive: true })
  }
  for (const name of ['src', 'package.json']) symlinkSync(join(repository, name), join(copy, name))
  const script = join(copy, 'scripts/write-reference-pages.ts')
  writeFileSync(join(copy, 'man/handfast.1'), page.replace('Fl \\-failed', 'Fl \\-refused'))

  const stale = await run(process.execPath, [script, '--check'])
  assert.deepEqual(
    [stale.status, stale.stderr],
    [1, 'man/handfast.1 does not say what the code says: run node scripts/write-reference-pages.ts\n'],
  )
  assert.equal((await run(process.execPath, [script])).status, 0)
  assert.equal((await run(process.execPath, [script, '--check'])).status, 0)
  assert.equal(
    readFileSync(join(copy, 'man/handfast.1'), 'utf8').replace(/^\.Dd .*/m, ''),
    page.replace(/^\.Dd .*/m, ''),
  )
})
