/** A machine with a systemd of its own, in namespaces of this one: units run as they do on a server. */
import assert from 'node:assert/strict'
import { existsSync, globSync, mkdirSync, readFileSync, rmdirSync } from 'node:fs'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { temporaryFolder } from '../support/temporary-folder.ts'
import { Namespaces } from './namespaces.ts'

export interface MachineOptions {
  /** It is /srv/package there. */
  readonly folder: string
  /** A script of bash that runs there before systemd, in /srv/package and with this machine's network. */
  readonly prepare: string
  readonly env: NodeJS.ProcessEnv
}

/** @returns null, with the test skipped, where this machine cannot have another inside */
export async function startMachine(
  t: TestContext,
  { folder, prepare, env }: MachineOptions,
): Promise<Namespaces | null> {
  const group = makeControlGroup()
  if (group === null) {
    t.skip('control groups of version 2 are not mounted, or not for this user')
    return null
  }
  const machine = new Namespaces(t, {
    command: ['/bin/bash', join(import.meta.dirname, 'boot-machine.sh'), temporaryFolder(t), folder, prepare],
    env,
    mark: '/srv/package',
    wrapper: ['sh', '-c', 'echo $$ > "$0/cgroup.procs"; exec "$@"', group],
    more: ['--cgroup'],
  })
  t.after(() => removeGroups(group))
  const isUp = async (): Promise<boolean> =>
    machine.program() === 'systemd' && (await machine.run('systemctl is-active basic.target')).status === 0
  return (await machine.until(t, isUp)) ? machine : null
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
