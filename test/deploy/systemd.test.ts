/** What systemd's own tools say of the service, without a systemd that runs. */
// needs: systemd-analyze systemd-sysusers
import assert from 'node:assert/strict'
import { cpSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { test } from 'node:test'
import { limits } from '../../src/core/limits.ts'
import { repository } from '../support/hub-process.ts'
import { run } from '../support/run.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'

const folder = join(repository, 'deploy/systemd')
const unit = readFileSync(join(folder, 'handfast.service'), 'utf8')

/** The values of a key of the unit, in order. */
function values(key: string): readonly string[] {
  return [...unit.matchAll(new RegExp(`^${key}=(.*)$`, 'gm'))].map(([, value = '']) => value)
}

/** A folder like the root of a machine on which the service is installed. */
function machine(t: { after(step: () => unknown): void }, files: Readonly<Record<string, string>>): string {
  const root = temporaryFolder(t)
  cpSync('/usr/lib/systemd/system', join(root, 'usr/lib/systemd/system'), { recursive: true, verbatimSymlinks: true })
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(root, path)), { recursive: true })
    writeFileSync(join(root, path), text, { mode: path === program ? 0o755 : 0o644 })
  }
  return root
}

const unitPath = 'etc/systemd/system/handfast.service'
const program = 'opt/handfast/current/node_modules/.bin/node'

/** What verify says of the unit in that root; nothing where all is well. */
async function verdict(root: string): Promise<string> {
  const { stdout, stderr } = await run('systemd-analyze', ['verify', '--man=no', `--root=${root}`, 'handfast.service'])
  return stdout + stderr
}

const lowPorts = { [`${unitPath}.d/low-ports.conf`]: readFileSync(join(folder, 'low-ports.conf'), 'utf8') }

test('systemd reads every line of the unit and of its drop-in without a warning', async (t) => {
  assert.equal(await verdict(machine(t, { [unitPath]: unit, [program]: '' })), '')
  assert.equal(await verdict(machine(t, { [unitPath]: unit, [program]: '', ...lowPorts })), '')
  const mistyped = unit.replace('ProtectHome=', 'ProtectHomes=')
  assert.match(await verdict(machine(t, { [unitPath]: mistyped, [program]: '' })), /Unknown key 'ProtectHomes'/)
})

/** @param exposure in tenths, as the option takes it */
async function isAtMost(root: string, exposure: number): Promise<boolean> {
  const options = ['--offline=true', `--root=${root}`, `--threshold=${exposure}`]
  const { status, stdout } = await run('systemd-analyze', ['security', ...options, 'handfast.service'])
  assert.match(stdout, /Overall exposure level for handfast\.service: [0-9.]+ OK/)
  return status === 0
}

test('systemd rates its exposure "OK", and 252, which Debian 12 has, as the page says', async (t) => {
  const root = machine(t, { [unitPath]: unit })
  assert.equal(await isAtMost(root, 15), true)
  assert.equal(await isAtMost(machine(t, { [unitPath]: unit, ...lowPorts }), 20), true)

  if (!(await run('systemd-analyze', ['--version'])).stdout.startsWith('systemd 252 ')) return
  const page = readFileSync(join(repository, 'deploy/README.md'), 'utf8')
  const said = Math.round(Number(/rates its exposure ([0-9.]+) of 10/.exec(page)?.[1]) * 10)
  assert.equal(await isAtMost(root, said), true)
  assert.equal(await isAtMost(root, said - 1), false)
})

test('it has a descriptor for everything that the hub accepts at one time', () => {
  // CRLs, enrolment, the API on its socket and on an address, metrics.
  const listeners = 5
  const needed = limits.sessionsMax + limits.halfOpenConnectionsMax + listeners * limits.httpConnectionsMax
  const [descriptors = ''] = values('LimitNOFILE')
  assert.ok(Number(descriptors) > needed + 1_000, `${descriptors} for ${needed}`)
})

test('it waits for the hub to drain before it kills', () => {
  const [seconds = ''] = values('TimeoutStopSec')
  assert.match(seconds, /^[0-9]+s$/)
  assert.ok(Number.parseInt(seconds, 10) * 1000 >= 4 * limits.drainMs, seconds)
})

test('no secret is in its environment: what is secret comes in files of root', () => {
  const secret = /PASSPHRASE|KEY|DATABASE_URL|TOKEN|BOOTSTRAP/
  const given = values('#?Environment').filter((value) => secret.test(value))
  assert.ok(given.length >= 2, `${given.length} secrets`)
  for (const value of given) assert.match(value, /^HANDFAST_[A-Z_]+_FILE=%d\//)
})

test('its user is made by systemd-sysusers, without a password and without a shell', async (t) => {
  const root = temporaryFolder(t)
  mkdirSync(join(root, 'etc'))
  const file = join(folder, 'sysusers.d/handfast.conf')
  const { status, stderr } = await run('systemd-sysusers', [`--root=${root}`, file])
  assert.equal(status, 0, stderr)
  const [line = ''] = readFileSync(join(root, 'etc/passwd'), 'utf8')
    .split('\n')
    .filter((each) => each.startsWith('handfast:'))
  const [, , uid, , , home, shell] = line.split(':')
  assert.ok(Number(uid) > 0 && Number(uid) < 1000, line)
  assert.deepEqual([home, shell], ['/var/lib/handfast', '/usr/sbin/nologin'])
  assert.match(readFileSync(join(root, 'etc/shadow'), 'utf8'), /^handfast:!\*?:/m)
})
