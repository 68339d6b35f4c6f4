import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { cpSync, existsSync, mkdirSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { run } from '../support/run.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'

const repository = join(import.meta.dirname, '../..')
const launcher = join(repository, 'bin/handfast.js')

/** A Node that is older than Handfast needs, as Debian has it. */
const oldNode = '/usr/bin/node'
const oldVersion = existsSync(oldNode) ? (await run(oldNode, ['--version'])).stdout.trim() : ''
const isOld = /^v(1[2-9]|2[0-3])\./.test(oldVersion)
const needsOldNode = { skip: isOld ? false : 'there is no older Node at /usr/bin/node' }

test('under an older Node the launcher starts the one that npm has brought', needsOldNode, async () => {
  assert.deepEqual(await run(oldNode, [launcher, '--version']), { status: 0, stdout: '0.1.0\n', stderr: '' })
})

test('the exit status and the input of the command pass through', needsOldNode, async () => {
  const { status, stderr } = await run(oldNode, [launcher, 'enrol', '-', '--dir', 'x'], { input: 'nonsense' })
  assert.equal(status, 2)
  assert.match(stderr, /enrolment-bootstrap-invalid/)
})

test('without any newer Node one message names the remedy', needsOldNode, async (context) => {
  const folder = temporaryFolder(context)
  cpSync(join(repository, 'bin'), join(folder, 'bin'), { recursive: true })
  writeFileSync(join(folder, 'package.json'), '{"type":"module"}')
  const { status, stdout, stderr } = await run(oldNode, [join(folder, 'bin/handfast.js'), '--version'])
  assert.equal(status, 7)
  assert.equal(stdout, '')
  assert.match(
    stderr,
    /^error: this Node\.js is 2?[0-9.]+ and Handfast needs 24\.18 or later\n {2}code: HF-9112 node-too-old\n {2}hint: .*npm install/,
  )
})

test('what was compiled is kept beside the packages; where that cannot be, the command works without', async (context) => {
  const folder = temporaryFolder(context)
  cpSync(join(repository, 'bin'), join(folder, 'bin'), { recursive: true })
  mkdirSync(join(folder, 'dist/cli'), { recursive: true })
  writeFileSync(join(folder, 'package.json'), '{"type":"module"}')
  writeFileSync(join(folder, 'dist/cli/main.js'), `export const main = async () => console.log('done')`)
  const cache = join(folder, 'node_modules/.cache')
  const command = [join(folder, 'bin/handfast.js')]
  const env = { NODE_COMPILE_CACHE: '' }
  assert.deepEqual(await run(process.execPath, command, { env }), { status: 0, stdout: 'done\n', stderr: '' })
  assert.equal(readdirSync(join(cache, 'handfast')).length, 1)
  rmSync(cache, { recursive: true })
  writeFileSync(cache, 'no folder')
  assert.deepEqual(await run(process.execPath, command, { env }), { status: 0, stdout: 'done\n', stderr: '' })
})

/** The launcher in a folder of its own, with a Node package and a program that we can watch. */
function launcherWith(context: TestContext, program: string): string {
  const folder = temporaryFolder(context)
  cpSync(join(repository, 'bin'), join(folder, 'bin'), { recursive: true })
  mkdirSync(join(folder, 'dist/cli'), { recursive: true })
  symlinkSync(join(repository, 'node_modules'), join(folder, 'node_modules'))
  writeFileSync(join(folder, 'package.json'), '{"type":"module"}')
  writeFileSync(join(folder, 'dist/cli/main.js'), program)
  return join(folder, 'bin/handfast.js')
}

test('signals reach the command and its end becomes that of the launcher', needsOldNode, async (context) => {
  const program = `export async function main() {
    process.on('SIGTERM', () => process.exit(42))
    setInterval(() => {}, 1000)
    process.stdout.write('ready\\n')
  }`
  const child = spawn(oldNode, [launcherWith(context, program)], { stdio: ['ignore', 'pipe', 'inherit'] })
  await once(child.stdout, 'data')
  child.kill('SIGTERM')
  assert.deepEqual(await once(child, 'exit'), [42, null])
})

test('a command that a signal has killed looks killed from outside too', needsOldNode, async (context) => {
  const program = `export async function main() { process.kill(process.pid, 'SIGKILL') }`
  const child = spawn(oldNode, [launcherWith(context, program)], { stdio: 'ignore' })
  assert.deepEqual(await once(child, 'exit'), [null, 'SIGKILL'])
})

test('one Ctrl-C that comes twice lets a command end in its own time', async (context) => {
  const program = `import { onStopSignal } from ${JSON.stringify(join(repository, 'src/cli/stop-signal.ts'))}
    onStopSignal(() => setTimeout(() => { process.stdout.write('summary'); process.exit(0) }, 200))
    setInterval(() => {}, 1000)
    process.stdout.write('ready')`
  const file = join(temporaryFolder(context), 'program.mjs')
  writeFileSync(file, program)
  const child = spawn(process.execPath, [file], { stdio: ['ignore', 'pipe', 'inherit'] })
  await once(child.stdout, 'data')
  const output = child.stdout.setEncoding('utf8').toArray()
  child.kill('SIGINT')
  child.kill('SIGINT')
  assert.deepEqual(await once(child, 'exit'), [0, null])
  assert.deepEqual(await output, ['summary'])
})

test('output that cannot be written is a failure with a name, and a reader that leaves early is none', async () => {
  const shell = (line: string) => run('/bin/sh', ['-c', line, process.execPath, launcher])
  const full = await shell('"$0" "$1" completion bash > /dev/full')
  assert.equal(full.status, 7)
  assert.match(full.stderr, /^error: standard output cannot be written \(ENOSPC\)\n {2}code: HF-8140 output-unwritable/)
  const left = await shell('"$0" "$1" completion bash | true')
  assert.deepEqual([left.status, left.stderr], [0, ''])
})
