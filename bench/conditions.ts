/** What the figures depend on. */
import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { availableParallelism, cpus, loadavg, release, totalmem } from 'node:os'
import { programPath } from '../test/support/programs.ts'
import type { Sizes } from './options.ts'

/** Names and texts, in the order in which they are printed. */
export type Conditions = Readonly<Record<string, string>>

export function readConditions(sizes: Sizes): Conditions {
  return {
    date: new Date().toISOString().slice(0, 10),
    machine: `${availableParallelism()} cores (${cpus()[0]?.model.trim()}), ${Math.round(totalmem() / 2 ** 30)} GiB, ${systemName()}`,
    load: `${loadavg()[0]?.toFixed(2)} on average in the minute before the start`,
    node: `${process.versions.node}, OpenSSL ${process.versions.openssl}`,
    mosquitto: mosquittoVersion() ?? 'not installed: only our own columns (apt-get install mosquitto)',
    rounds: `${sizes.rounds} of each side in turn after one to warm up; memory ${sizes.memoryRounds}`,
  }
}

function systemName(): string {
  try {
    const name = /^PRETTY_NAME="(.*)"$/m.exec(readFileSync('/etc/os-release', 'utf8'))?.[1]
    return `${name ?? 'Linux'}, kernel ${release()}`
  } catch {
    return `kernel ${release()}`
  }
}

/** The version and the OpenSSL that it is linked with, or null where it is not installed. */
function mosquittoVersion(): string | null {
  const program = programPath('mosquitto')
  if (program === null) return null
  // It has no option for its version: help says it, with a status of its own.
  const version = /mosquitto version (\S+)/.exec(outputOf(program, ['-h']))?.[1]
  const library = /libcrypto\.so\S* => (\S+)/.exec(outputOf('ldd', [program]))?.[1]
  const openssl = library === undefined ? null : /OpenSSL (\d+\.\d+\.\S+)/.exec(readFileSync(library, 'latin1'))?.[1]
  return `${version ?? 'of unknown version'}, OpenSSL ${openssl ?? 'of unknown version'}`
}

function outputOf(program: string, args: readonly string[]): string {
  const { stdout, stderr } = spawnSync(program, args, { encoding: 'utf8', timeout: 10_000 })
  return `${stdout ?? ''}${stderr ?? ''}`
}
