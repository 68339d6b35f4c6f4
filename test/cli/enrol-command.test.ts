// needs: openssl
import assert from 'node:assert/strict'
import { chmodSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { formatBootstrap } from '../../src/core/identity/bootstrap.ts'
import { bootstrapFor, EstServer, honest, OpensslAuthority } from '../device/est-authority.ts'
import { type Finished, type RunOptions, run } from '../support/run.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'

const launcher = join(import.meta.dirname, '../../bin/handfast.js')
const authority = new OpensslAuthority()
const hub = await EstServer.start(authority.endEntity('hub', 'IP:127.0.0.1'), honest(authority))
const bootstrap = formatBootstrap(bootstrapFor(authority, hub.port)).reveal()
after(() => {
  hub.stop()
  authority.remove()
})

function enrol(args: readonly string[], options: RunOptions = {}): Promise<Finished> {
  return run(process.execPath, [launcher, 'enrol', ...args], options)
}

test('`enrol` takes the string as an argument, from a file, from standard input or from the environment', async (context) => {
  const cwd = temporaryFolder(context)
  const file = join(cwd, 'bootstrap.txt')
  writeFileSync(file, `${bootstrap}\n`)
  const ways: readonly [readonly string[], RunOptions][] = [
    [[bootstrap], {}],
    [['--file', file], {}],
    [['-'], { input: `${bootstrap}\n` }],
    [[], { env: { HANDFAST_BOOTSTRAP: bootstrap } }],
  ]
  for (const [index, [args, options]] of ways.entries()) {
    const { status, stderr } = await enrol([...args, '--dir', `d${index}`], { cwd, ...options })
    assert.deepEqual([status, stderr], [0, ''], `way ${index}`)
  }
})

test('`enrol -` waits for a pipe whose writer is slower than itself', async (context) => {
  const cwd = temporaryFolder(context)
  const slow = `sleep 1; printf '%s' "$STRING"`
  const script = `(${slow}) | "$NODE" "$LAUNCHER" enrol - --dir d`
  const env = { STRING: bootstrap, NODE: process.execPath, LAUNCHER: launcher }
  const { status, stderr } = await run('sh', ['-c', script], { cwd, env })
  assert.equal(status, 0, stderr)
})

test('`enrol` ends with a line for mosquitto_pub that needs no change', async (context) => {
  const { stdout } = await enrol([bootstrap, '--dir', 'pump-7'], { cwd: temporaryFolder(context) })
  assert.match(stdout, /^pump-7 is enrolled, until 20/)
  const line =
    '  mosquitto_pub --cafile pump-7/ca.pem --cert pump-7/client_cert.pem --key pump-7/private_key.pem -h 127.0.0.1 -p 8883 -i pump-7 -q 1 -t devices/pump-7/messages/events/ -m \'{"temperature":21}\'\n'
  assert.ok(stdout.endsWith(line), stdout)
})

test('`enrol --key-passphrase-file` leaves no key in the clear, and says what is wrong with the file', async (context) => {
  const cwd = temporaryFolder(context)
  writeFileSync(join(cwd, 'pass'), 'correct horse\n', { mode: 0o644 })
  const args = [bootstrap, '--dir', 'pump-7', '--key-passphrase-file', 'pass']
  const open = await enrol(args, { cwd })
  assert.equal(open.status, 7, open.stderr)
  assert.match(open.stderr, /"\S+\/pass" can be read by other users\n {2}code: HF-3440/)
  chmodSync(join(cwd, 'pass'), 0o600)
  assert.equal((await enrol(args, { cwd })).status, 0)
  assert.match(readFileSync(join(cwd, 'pump-7/private_key.pem'), 'utf8'), /^-----BEGIN ENCRYPTED PRIVATE KEY-----/)
})

test('`enrol --json` says where the files are', async (context) => {
  const cwd = temporaryFolder(context)
  const { stdout } = await enrol([bootstrap, '--dir', 'pump-7', '--json'], { cwd })
  const result = JSON.parse(stdout)
  assert.equal(result.outcome, 'enrolled')
  assert.equal(result.files.key, join(cwd, 'pump-7', 'private_key.pem'))
})

test('`enrol` without a string, with two or with half of one says so and never repeats the token', async (context) => {
  const cwd = temporaryFolder(context)
  assert.equal((await enrol(['--dir', 'd'], { cwd })).status, 2)
  assert.equal((await enrol([bootstrap, '--file', 'x', '--dir', 'd'], { cwd })).status, 2)
  const { status, stderr } = await enrol([bootstrap.slice(0, -1), '--dir', 'd'], { cwd })
  assert.equal(status, 2)
  assert.match(stderr, /code: HF-7110 enrolment-bootstrap-invalid/)
  assert.doesNotMatch(stderr, /sssss/)
})

test('`enrol --help` says that others can see the command line', async () => {
  assert.match((await enrol(['--help'])).stdout, /other users of\s+this machine can see it/)
})
