/** A machine with a systemd of its own, in namespaces of this one: units run as they do on a server. */
import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, globSync, mkdirSync, readFileSync, rmdirSync } from 'node:fs'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { type Finished, run } from '../support/run.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'

export interface Machine {
  /** Runs a script of bash there, as root; it ends at the first command that fails. */
  run(script: string): Promise<Finished>
  /** The same for a script that must end well, with what it printed. */
  output(script: string): Promise<string>
}

export interface MachineOptions {
  /** It is /srv/package there. */
  readonly folder: string
  /** A script of bash that runs there before systemd, in /srv/package and with this machine's network. */
  readonly prepare: string
  readonly env: NodeJS.ProcessEnv
}

/** Status of boot-machine.sh where the machine does not let it. */
const notPossible = 42

/** @returns null, with the test skipped, where this machine cannot have another inside */
export async function startMachine(t: TestContext, { folder, prepare, env }: MachineOptions): Promise<Machine | null> {
  const group = makeControlGroup()
  if (group === null) return skip(t, 'control groups of version 2 are not mounted, or not for this user')
  const boot = join(import.meta.dirname, 'boot-machine.sh')
  // It ends with this process, however that ends.
  const enter = [
    'setpriv',
    '--pdeathsig',
    'KILL',
    'unshare',
    '--kill-child',
    '--fork',
    '--pid',
    '--mount',
    '--uts',
    '--ipc',
  ]
  const child = spawn(
    'sh',
    [
      ...['-c', 'echo $$ > "$0/cgroup.procs"; exec "$@"', group],
      ...[...enter, '--cgroup', '/bin/bash', boot, temporaryFolder(t), folder, prepare],
    ],
    { env, stdio: ['ignore', 'pipe', 'pipe'] },
  )
  const ended = once(child, 'close')
  t.after(async () => {
    const first = firstProcess(child)
    if (first !== null) process.kill(Number(first), 'SIGKILL')
    child.kill('SIGKILL')
    await ended
    await removeGroups(group)
  })
  let output = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk: Buffer) => {
      output += chunk.toString('utf8')
    })
  }
  const machine = machineOf(child)
  for (let waited = 0; waited < 120_000; waited += 50) {
    if (child.exitCode === notPossible) return skip(t, `this machine cannot have another inside: ${output.trim()}`)
    assert.equal(child.exitCode, null, `the machine did not start:\n${output}`)
    if (isSystemd(child) && (await machine.run('systemctl is-active basic.target')).status === 0) return machine
    await delay(50)
  }
  throw new Error(`the machine did not start in time:\n${output}`)
}

function skip(t: TestContext, reason: string): null {
  t.skip(reason)
  return null
}

/** A control group for the machine, so that its systemd has one of its own to divide; null where none can be made. */
function makeControlGroup(): string | null {
  const mounts = readFileSync('/proc/mounts', 'utf8').split('\n')
  const root = mounts.map((line) => line.split(' ')).find(([, , type]) => type === 'cgroup2')?.[1]
  if (root === undefined) return null
  const group = join(root, `handfast-test-${process.pid}`)
  try {
    mkdirSync(group)
    return group
  } catch {
    return null
  }
}

/** A group can be removed a moment after the last of its processes has ended, and after those below it. */
async function removeGroups(group: string): Promise<void> {
  for (let waited = 0; existsSync(group); waited += 20) {
    assert.ok(waited < 10_000, `${group} cannot be removed`)
    const below = globSync('**/', { cwd: group }).map((path) => join(group, path))
    for (const path of [...below, group].toSorted((a, b) => b.length - a.length)) {
      try {
        rmdirSync(path)
      } catch {
        // It is tried again.
      }
    }
    await delay(20)
  }
}

function machineOf(child: ChildProcess): Machine {
  const runThere = async (script: string): Promise<Finished> => {
    const first = firstProcess(child)
    if (first === null) return { status: null, stdout: '', stderr: 'it has no process yet' }
    const path = 'PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'
    const enter = ['--target', first, '--all', 'env', '-i', path, 'HOME=/root', 'LC_ALL=C.UTF-8']
    // Never on this machine itself: only the other has a folder mounted there.
    const guarded = `mountpoint -q /srv/package || { echo 'it is not laid out yet' >&2; exit 99; }\n${script}`
    // bash takes a socket as its standard input for a remote shell, and would read the files of root.
    return run('nsenter', [...enter, '/bin/bash', '--norc', '-ec', guarded], { timeoutMs: 90_000 })
  }
  return {
    run: runThere,
    async output(script) {
      const { status, stdout, stderr } = await runThere(script)
      assert.equal(status, 0, `${script}\n${stdout}\n${stderr}`)
      return stdout.trim()
    },
  }
}

/** True once the machine is prepared and its process 1 has become systemd. */
function isSystemd(child: ChildProcess): boolean {
  const first = firstProcess(child)
  return first !== null && readFileSync(`/proc/${first}/comm`, 'utf8').trim() === 'systemd'
}

/** Process 1 of the machine, as it is numbered here: unshare's one child. */
function firstProcess({ pid }: ChildProcess): string | null {
  try {
    return readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ')[0] || null
  } catch {
    return null
  }
}
