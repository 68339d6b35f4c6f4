/** The agent of a device as its commands, with a real hub: what befalls the two, and that neither is lost by it. */
// one database: what a device does asks no database
import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, globSync, mkdtempSync, readFileSync, rmdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import type { RollOverView } from '../../src/api-schema/authority-views.ts'
import type { DeviceDetailView } from '../../src/api-schema/views.ts'
import type { AgentStatus } from '../../src/device/renewal/status.ts'
import { type HubProcess, hubOfFile, repository, startHubProcess } from '../support/hub-process.ts'
import { clientOptions, connected } from '../support/mqtt-client.ts'
import { needs } from '../support/programs.ts'
import { run } from '../support/run.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'

const launcher = join(repository, 'bin/handfast.js')
const hubHere = hubOfFile()

/**
 * Another time for a process and those that it starts. The program `faketime` would stand between it and our signals.
 *
 * @param offset as in `+15d`
 */
function inTime(offset: string): Readonly<Record<string, string>> {
  const library = globSync('/usr/lib/*/faketime/libfaketime.so.1')[0] ?? ''
  return { LD_PRELOAD: library, FAKETIME: offset }
}

/** Runs `handfast agent …`. */
async function agent(args: readonly string[], env: Readonly<Record<string, string>> = {}) {
  return await run(process.execPath, [launcher, 'agent', ...args], { timeoutMs: 90_000, env })
}

async function status(dir: string): Promise<AgentStatus> {
  const { stdout } = await agent(['status', '--dir', dir, '--json'])
  return JSON.parse(stdout) as AgentStatus
}

async function statesOf(hub: HubProcess): Promise<readonly string[]> {
  const { credentials } = await hub.json<DeviceDetailView>(['device', 'show', 'pump-7'])
  return credentials.map(({ state }) => state)
}

test('a certificate is renewed once by a command, whose status says what became of it', async (t) => {
  const folder = temporaryFolder(t)
  const hub = await startHubProcess(t, { data: join(folder, 'data') })
  const { folder: dir } = await hub.enrolled('pump-7', join(folder, 'pump-7'))
  const before = await status(dir)
  assert.equal(before.id, 'pump-7')
  assert.equal(before.state, 'good')

  assert.equal((await agent(['renew', '--if-needed', '--dir', dir])).status, 3)
  assert.equal((await status(dir)).fingerprint, before.fingerprint)
  const told = join(folder, 'told')
  assert.equal((await agent(['renew', '--dir', dir, '--on-renewed', `echo $HANDFAST_ID > ${told}`])).status, 0)
  assert.equal(readFileSync(told, 'utf8'), 'pump-7\n')
  assert.notEqual((await status(dir)).fingerprint, before.fingerprint)
  assert.deepEqual([...(await statesOf(hub))].sort(), ['active', 'superseded'])

  await hub.stop()
  const failed = await agent(['renew', '--dir', dir])
  assert.equal(failed.status, 4)
  assert.match(failed.stderr, /cannot be reached/)
  assert.equal((await status(dir)).lastFailure?.code, 'hub-unreachable')
  assert.equal((await agent(['renew', '--dir', join(folder, 'nowhere')])).status, 7)
  assert.equal(existsSync(join(folder, 'nowhere')), false)
})

test('one agent looks after a folder; when it is killed, the next one can', async (t) => {
  const folder = temporaryFolder(t)
  const hub = await hubHere()
  const { folder: dir } = await hub.enrolled('pump-1', join(folder, 'pump-1'))
  const first = spawn(process.execPath, [launcher, 'agent', 'run', '--dir', dir, '--log-level', 'debug'])
  t.after(() => first.kill('SIGKILL'))
  let said = ''
  first.stderr.on('data', (chunk: Buffer) => {
    said += chunk.toString('utf8')
  })
  while (!said.includes('not-due')) await delay(20, undefined, { signal: t.signal })
  const second = await agent(['renew', '--dir', dir])
  assert.equal(second.status, 5)
  assert.match(second.stderr, /HF-7504 agent-running/)
  const ended = once(first, 'exit')
  first.kill('SIGKILL')
  await ended
  assert.equal((await agent(['renew', '--dir', dir])).status, 0)
})

test('an agent that is told to stop does so at once', async (t) => {
  const folder = temporaryFolder(t)
  const hub = await hubHere()
  const { folder: dir } = await hub.enrolled('pump-2', join(folder, 'pump-2'))
  const running = spawn(process.execPath, [launcher, 'agent', 'run', '--dir', dir, '--log-level', 'debug'])
  t.after(() => running.kill('SIGKILL'))
  await once(running.stderr, 'data')
  const ended = once(running, 'exit')
  running.kill('SIGTERM')
  assert.deepEqual(await ended, [0, null])
})

const grace =
  'a device that was off beyond the end of its certificate comes back within the grace; behind it, it is told what to do'

test(grace, needs('faketime'), async (t) => {
  const folder = temporaryFolder(t)
  const data = join(folder, 'data')
  const before = await startHubProcess(t, { data })
  const pump = await before.enrolled('pump-7', join(folder, 'pump-7'))
  const fan = await before.enrolled('fan-1', join(folder, 'fan-1'))
  for (const { folder: dir } of [pump, fan]) assert.equal((await agent(['renew', '--dir', dir])).status, 0)
  await before.stop()
  const ports = ['--https-port', String(before.https.port), '--mqtt-port', String(before.mqtt.port)]

  const inGrace = await startHubProcess(t, { data, args: ports, env: inTime('+15d') })
  const back = await agent(['renew', '--dir', pump.folder], inTime('+15d'))
  assert.equal(back.status, 0, back.stderr)
  await inGrace.stop()

  const tooLate = await startHubProcess(t, { data, args: ports, env: inTime('+60d') })
  const refused = await agent(['renew', '--if-needed', '--dir', fan.folder], inTime('+60d'))
  assert.equal(refused.status, 4)
  assert.match(refused.stderr, /expired 50 days ago/)
  assert.match(refused.stderr, /HF-2106 certificate-expired/)
  assert.match(refused.stderr, /device token/)
  await tooLate.stop()
})

test('a hub that has moved is found again by the word of the owner, once it has proved itself', async (t) => {
  const folder = temporaryFolder(t)
  const data = join(folder, 'data')
  const first = await startHubProcess(t, { data })
  const { folder: dir } = await first.enrolled('pump-7', join(folder, 'pump-7'))
  await first.stop()
  const hub = await startHubProcess(t, { data })
  const other = await hubHere()
  assert.equal((await agent(['renew', '--dir', dir])).status, 4)

  const stranger = await agent(['hub', 'localhost', '--https-port', String(other.https.port), '--dir', dir])
  assert.match(stranger.stderr, /enrolment-tls-untrusted/)
  const ports = ['--https-port', String(hub.https.port), '--mqtt-port', String(hub.mqtt.port)]
  assert.equal((await agent(['hub', 'localhost', ...ports, '--dir', dir])).status, 0)
  assert.equal((await agent(['renew', '--dir', dir])).status, 0)
})

test('new authorities of the hub are taken up with a renewal, and both roots are good meanwhile', async (t) => {
  const folder = temporaryFolder(t)
  const hub = await hubHere()
  const pump = await hub.enrolled('pump-3', join(folder, 'pump-3'))
  const roots = (): number => readFileSync(pump.ca, 'utf8').split('BEGIN CERTIFICATE').length - 1
  assert.equal(roots(), 1)
  const { id } = await hub.json<RollOverView>(['ca', 'rotate', 'root'])
  assert.match(id, /^[0-9a-f]{16}$/)
  assert.equal((await agent(['renew', '--dir', pump.folder])).status, 0)
  assert.equal(roots(), 2)
  await (await connected(clientOptions(hub.mqtt.port, pump, 5))).endAsync()
})

test('a full disk costs a device a try and not its certificate', async (t) => {
  const disk = smallDisk(t)
  if (disk === null) return t.skip('only root may mount a small disk')
  const hub = await hubHere()
  const pump = await hub.enrolled('pump-4', join(disk, 'pump-4'))
  const before = await status(pump.folder)
  for (let size = 64 * 1024; size >= 1024; size /= 2) fill(disk, size)
  assert.equal((await agent(['renew', '--dir', pump.folder])).status, 7)
  await (await connected(clientOptions(hub.mqtt.port, pump, 5))).endAsync()
  assert.equal((await status(pump.folder)).fingerprint, before.fingerprint)
  rmSync(join(disk, 'filler-65536-0'))
  assert.equal((await agent(['renew', '--dir', pump.folder])).status, 0)
  await (await connected(clientOptions(hub.mqtt.port, pump, 5))).endAsync()
})

/** A disk of 256 KiB, or null where this user may not mount one. */
function smallDisk(t: TestContext): string | null {
  const path = mkdtempSync(join(tmpdir(), 'hf-disk-'))
  const mounted = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=256k', 'tmpfs', path]).status === 0
  t.after(() => {
    if (mounted) spawnSync('umount', ['-l', path])
    rmdirSync(path)
  })
  return mounted ? path : null
}

function fill(disk: string, size: number): void {
  try {
    for (let n = 0; n < 8; n++) writeFileSync(join(disk, `filler-${size}-${n}`), Buffer.alloc(size))
  } catch {
    // That was all.
  }
}
