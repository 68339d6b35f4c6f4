/** What the figures depend on. */
import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { availableParallelism, cpus, loadavg, release, totalmem } from 'node:os'
import { type OpensslBuild, opensslIn } from './peers/openssl.ts'
import { repository } from './repository.ts'
import type { Sizes } from './sizes.ts'

/** Names and texts, in the order in which they are printed. */
export type Conditions = Readonly<Record<string, string>>

export function readConditions(sizes: Sizes): Conditions {
  const openssl = opensslIn(readFileSync(process.execPath))
  return {
    machine: `${availableParallelism()} cores (${cpus()[0]?.model.trim()}), ${Math.round(totalmem() / 2 ** 30)} GiB, ${systemName()}`,
    'load before the start': loadNow(),
    rounds: `${sizes.rounds} of each side in turn after one to warm up; memory ${sizes.memoryRounds}`,
    Handfast: `on Node ${process.versions.node}, ${opensslText(openssl)}`,
  }
}

/** Average number of processes that wanted to run in the last minute. */
export function loadNow(): string {
  return `${loadavg()[0]?.toFixed(2)} on average in a minute`
}

export function opensslText(build: OpensslBuild | null): string {
  if (build === null) return 'OpenSSL of unknown version'
  return `OpenSSL ${build.version}${build.flags === '' ? '' : ` (${build.flags})`}`
}

/** What the handshakes of all sides have agreed on, or those of each where they differ. @param agreed texts by title */
export function tlsText(agreed: ReadonlyMap<string, string>): string {
  const different = new Set(agreed.values())
  if (different.size === 1) return `${[...different].join('')} on every side`
  return [...agreed].map(([title, tls]) => `${title}: ${tls}`).join('; ')
}

/** The short hash of the commit, with a + where the files that count are not those of the commit; or `unknown`. */
export function readCommit(): string {
  const git = (...args: string[]): string => outputOf('git', ['-C', repository, ...args]).trim()
  const hash = git('rev-parse', '--short=8', 'HEAD')
  if (!/^[0-9a-f]{8,40}$/.test(hash)) return 'unknown'
  const changed = git('status', '--porcelain', '--', 'src', 'bench/*.ts', 'bench/**/*.ts', 'package-lock.json')
  return changed === '' ? hash : `${hash}+`
}

function outputOf(program: string, args: readonly string[]): string {
  const { stdout, stderr } = spawnSync(program, args, { encoding: 'utf8', timeout: 10_000 })
  return `${stdout ?? ''}${stderr ?? ''}`
}

function systemName(): string {
  try {
    const name = /^PRETTY_NAME="(.*)"$/m.exec(readFileSync('/etc/os-release', 'utf8'))?.[1]
    return `${name ?? 'Linux'}, kernel ${release()}`
  } catch {
    return `kernel ${release()}`
  }
}
