// needs: openssl
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, type TestContext, test } from 'node:test'
import { OpensslAuthority } from '../device/est-authority.ts'
import { type Finished, run } from '../support/run.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'

const launcher = join(import.meta.dirname, '../../bin/handfast.js')
const authority = new OpensslAuthority()
after(() => authority.remove())
const device = authority.selfSigned('pump-7')

function handfast(cwd: string, ...args: readonly string[]): Promise<Finished> {
  return run(process.execPath, [launcher, ...args], { cwd })
}

/** A folder with `brought` in it, which holds a pair. */
function withPair(t: TestContext): string {
  const cwd = temporaryFolder(t)
  mkdirSync(join(cwd, 'brought'))
  writeFileSync(join(cwd, 'brought/client_cert.pem'), device.certificate)
  writeFileSync(join(cwd, 'brought/private_key.pem'), device.key)
  return cwd
}

test('`agent import` says what is in use now and what is gone', async (t) => {
  const cwd = withPair(t)
  const { status, stdout, stderr } = await handfast(cwd, 'agent', 'import', 'brought', '--dir', 'store')
  assert.deepEqual([status, stderr], [0, ''])
  assert.match(stdout, /^the certificate of CN=pump-7 is in use, until 20/)
  assert.match(stdout, /\nkey +\S+\/store\/private_key\.pem\n/)
  assert.match(stdout, /\nremoved +\S+\/brought\/private_key\.pem\n/)
  assert.doesNotMatch(stdout, /\nCA /, 'there is none')
  assert.deepEqual(readdirSync(join(cwd, 'brought')), [])
})

test('`agent import --cert --key --keep --json` takes files by name, and leaves them', async (t) => {
  const cwd = withPair(t)
  const files = ['--cert', 'brought/client_cert.pem', '--key', 'brought/private_key.pem', '--keep']
  const { status, stdout } = await handfast(cwd, 'agent', 'import', ...files, '--dir', 'store', '--json')
  const { outcome, subject, removed } = JSON.parse(stdout)
  assert.deepEqual([status, outcome, subject, removed], [0, 'imported', 'CN=pump-7', []])
  assert.equal(readdirSync(join(cwd, 'brought')).length, 2)
})

test('`agent import` takes no other credential store apart, and copies from one where it is to be kept', async (t) => {
  const cwd = withPair(t)
  assert.equal((await handfast(cwd, 'agent', 'import', 'brought', '--dir', 'one')).status, 0)
  const before = readdirSync(join(cwd, 'one'))
  const refused = await handfast(cwd, 'agent', 'import', 'one', '--dir', 'two')
  assert.notEqual(refused.status, 0)
  assert.match(refused.stderr, /one\/client_cert\.pem" is a file of another credential store/)
  assert.deepEqual(readdirSync(join(cwd, 'one')), before)
  const kept = await handfast(cwd, 'agent', 'import', 'one', '--dir', 'two', '--keep')
  assert.equal(kept.status, 0, kept.stderr)
  assert.deepEqual(readdirSync(join(cwd, 'one')), before)
})

test('`agent import --key-passphrase-file` leaves no key in the clear', async (t) => {
  const cwd = withPair(t)
  writeFileSync(join(cwd, 'pass'), 'correct horse\n', { mode: 0o600 })
  const options = ['--dir', 'store', '--key-passphrase-file', 'pass']
  assert.equal((await handfast(cwd, 'agent', 'import', 'brought', ...options)).status, 0)
  assert.match(readFileSync(join(cwd, 'store/private_key.pem'), 'utf8'), /^-----BEGIN ENCRYPTED/)
})

test('`agent import` says what is wrong with what was named', async (t) => {
  const cwd = withPair(t)
  writeFileSync(join(cwd, 'text'), 'hello\n')
  const cases: readonly (readonly [readonly string[], number, RegExp])[] = [
    [[], 2, /nothing to import is named/],
    [['brought', '--key', 'text'], 2, /at once/],
    [['nowhere'], 7, /there is no folder "nowhere"/],
    [['.'], 7, /"\." holds neither client_cert\.pem/],
    [['--cert', 'text', '--key', 'text'], 2, /"text" is text without a PEM block\n {2}code: HF-7521/],
    [['--cert', 'brought/client_cert.pem', '--key', 'gone'], 2, /"gone" is not there/],
    [['--cert', 'brought/client_cert.pem'], 7, /was brought without its key/],
  ]
  for (const [args, status, pattern] of cases) {
    const finished = await handfast(cwd, 'agent', 'import', ...args, '--dir', 'store')
    assert.equal(finished.status, status, finished.stderr)
    assert.match(finished.stderr, pattern)
  }
  assert.equal(readdirSync(join(cwd, 'brought')).length, 2)
})

test('`agent run --import` takes over what lies there when it starts, and goes on without what cannot be read', async (t) => {
  const cwd = withPair(t)
  const agent = ['agent', 'run', '--dir', 'store', '--import', 'brought']
  assert.match(await saidUntil(t, cwd, agent, '"msg":"imported"'), /CN=pump-7/)
  assert.deepEqual(readdirSync(join(cwd, 'brought')), [])
  writeFileSync(join(cwd, 'brought/client_cert.pem'), 'no certificate\n')
  await saidUntil(t, cwd, agent, '"code":"credential-file-unreadable"')
  assert.deepEqual(readdirSync(join(cwd, 'brought')), ['client_cert.pem'])
})

/** Runs a command until it has said something, and ends it. @returns all that it has said */
async function saidUntil(t: TestContext, cwd: string, args: readonly string[], word: string): Promise<string> {
  const child = spawn(process.execPath, [launcher, ...args], { cwd, stdio: ['ignore', 'pipe', 'pipe'] })
  t.after(() => child.kill('SIGKILL'))
  let said = ''
  const heard = new Promise<void>((resolve, reject) => {
    for (const stream of [child.stdout, child.stderr]) {
      stream.on('data', (chunk: Buffer) => {
        said += chunk.toString('utf8')
        if (said.includes(word)) resolve()
      })
    }
    child.on('exit', () => reject(new Error(`it ended before it said ${word}: ${said}`)))
    t.signal.addEventListener('abort', () => reject(new Error(`it did not say ${word}: ${said}`)), { once: true })
  })
  await heard
  child.removeAllListeners('exit')
  const ended = once(child, 'exit')
  child.kill('SIGTERM')
  await ended
  return said
}
