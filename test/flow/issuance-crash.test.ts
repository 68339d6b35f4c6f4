/** A real hub is killed at each sync of the disk in turn while it issues: nothing acknowledged is lost, and no signature forgotten. */
// needs: strace
// one database: it counts the syncs of one that is a file; `crash` and `postgres` kill where there is none
import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import type { BootstrapView, DeviceDetailView } from '../../src/api-schema/views.ts'
import { limits } from '../../src/core/limits.ts'
import { certificateFingerprint } from '../../src/core/x509/certificate.ts'
import { decodePem } from '../../src/core/x509/pem.ts'
import { revokeLapsedIntents } from '../../src/hub/sweep-intents.ts'
import { onSqliteOnly, openBeside } from '../support/hub-database.ts'
import { LogBook } from '../support/hub-parts.ts'
import { type HubProcess, startHubProcess } from '../support/hub-process.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'

/** The registry is written by the first thread of the hub, the journal by another. */
const writers = ['registry', 'journal'] as const
type Writer = (typeof writers)[number]

/** One enrolment syncs less often. */
const syncsMax = 6

/** Whether this user may trace a process that runs already. */
function mayAttach(): boolean {
  try {
    return process.getuid?.() === 0 || readFileSync('/proc/sys/kernel/yama/ptrace_scope', 'utf8').startsWith('0')
  } catch {
    return false
  }
}

const options =
  onSqliteOnly.skip === false && !mayAttach() ? { skip: 'strace may not attach to a process' } : onSqliteOnly

test(
  'killed at each sync of an enrolment in turn, the hub forgets no certificate and every device gets one',
  options,
  async (t) => {
    const folder = temporaryFolder(t)
    const data = join(folder, 'data')
    // strace counts the calls of each thread by itself.
    const env = { UV_THREADPOOL_SIZE: '1' }
    let hub = await startHubProcess(t, { data, env })
    const { mqtt, https, http } = hub
    const args = ['--mqtt-port', `${mqtt.port}`, '--https-port', `${https.port}`, '--http-port', `${http.port}`]
    const enrolled = (id: string, bootstrap: string) =>
      hub.cli(['enrol', '-', '--dir', join(folder, id)], { input: bootstrap })

    const orphans: string[] = []
    for (const writer of writers) {
      let kills = 0
      for (let sync = 1; sync <= syncsMax; sync++) {
        const id = `${writer}-${sync}`
        const { bootstrap } = await hub.json<BootstrapView>(['device', 'add', id])
        const tracer = await killingAt(hub, writer, sync)
        const { status } = await enrolled(id, bootstrap)
        const wasKilled = await isOver(hub)
        tracer.kill('SIGTERM')
        if (wasKilled) hub = await startHubProcess(t, { data, env, args })
        const held = await credentialsOf(hub, id)
        orphans.push(...held.filter(({ state }) => state === 'intended').map(({ serialNumber }) => serialNumber))
        if (status === 0) {
          const issued = held.filter(({ state }) => state === 'pending').map(({ fingerprint }) => fingerprint)
          assert.deepEqual(issued, [fingerprintIn(join(folder, id))], `${id} has what the hub knows`)
        }
        assert.equal((await enrolled(id, bootstrap)).status, 0, `${id} comes through in the end`)
        if (!wasKilled) break
        kills += 1
        const audit = await hub.cli(['ca', 'audit'])
        assert.equal(audit.status, 0, audit.stdout)
      }
      assert.ok(kills >= (writer === 'registry' ? 2 : 1) && kills < syncsMax, `${writer}: it was killed ${kills} times`)
    }
    assert.ok(orphans.length > 0, 'it was never killed between intent and answer')

    // What was left behind is found and revoked when its time is over.
    await hub.stop()
    const { store } = await openBeside(data)
    t.after(() => store.close())
    const later = { nowMs: () => Date.now() + limits.intentLapsesMs + 1 }
    assert.ok((await revokeLapsedIntents({ store, clock: later, log: new LogBook() })) >= orphans.length)
    for (const serialNumber of orphans) {
      assert.equal((await store.credentials.findBySerial(serialNumber))?.state, 'revoked')
    }
  },
)

async function credentialsOf(hub: HubProcess, id: string): Promise<DeviceDetailView['credentials']> {
  return (await hub.json<DeviceDetailView>(['device', 'show', id])).credentials
}

/** Has the kernel kill the hub when that thread of it syncs for the n-th time from now on. */
async function killingAt(hub: HubProcess, writer: Writer, n: number): Promise<ChildProcess> {
  const pid = hub.process.pid ?? 0
  const all = readdirSync(`/proc/${pid}/task`).map(Number)
  const threads = all.filter((thread) => (thread === pid) === (writer === 'registry'))
  const calls = ['-e', 'trace=fsync,fdatasync', '-e', `inject=fsync,fdatasync:signal=SIGKILL:when=${n}`]
  const tracing = ['-qq', '-o', '/dev/null', ...calls, ...threads.flatMap((thread) => ['-p', `${thread}`])]
  const tracer = spawn('strace', tracing, { stdio: ['ignore', 'ignore', 'pipe'] })
  let said = ''
  tracer.stderr.on('data', (chunk: Buffer) => {
    said += chunk.toString('utf8')
  })
  while (!threads.every((thread) => isTraced(pid, thread))) {
    assert.equal(tracer.exitCode, null, `strace does not trace the hub: ${said}`)
    await delay(10)
  }
  return tracer
}

function isTraced(pid: number, thread: number): boolean {
  return /^TracerPid:\t[1-9]/m.test(readFileSync(`/proc/${pid}/task/${thread}/status`, 'utf8'))
}

/** Whether the hub has ended, or ends within what a kill takes; what it has put off is written meanwhile. */
async function isOver({ process: hub }: HubProcess): Promise<boolean> {
  if (hub.exitCode === null && hub.signalCode === null) {
    await Promise.race([once(hub, 'exit'), delay(1_000, undefined, { ref: false })])
  }
  return hub.signalCode === 'SIGKILL'
}

function fingerprintIn(folder: string): string {
  const [leaf] = decodePem(readFileSync(join(folder, 'client_cert.pem'), 'utf8'))
  assert.ok(leaf !== undefined)
  return certificateFingerprint(leaf.der)
}
