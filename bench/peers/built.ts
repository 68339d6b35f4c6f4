/** What the scripts of this folder have built: programs and libraries newer than the system's, kept between runs. */
import { readdirSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'

export interface Built {
  readonly version: string
  readonly folder: string
}

/**
 * The newest that was built of a thing, or null.
 *
 * @param thing as in `openssl`, whose folders are named `openssl-<version>`
 * @param series what the version begins with, as in `3.5.`
 */
export function findBuilt(thing: string, series: string, env: NodeJS.ProcessEnv = process.env): Built | null {
  const cache = join(env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'handfast-bench')
  let names: readonly string[]
  try {
    names = readdirSync(cache)
  } catch {
    return null
  }
  const [newest] = names
    .filter((name) => name.startsWith(`${thing}-${series}`))
    .map((name) => name.slice(thing.length + 1))
    .filter((version) => /^[0-9]+\.[0-9]+\.[0-9]+$/.test(version))
    .sort((a, b) => -compareVersions(a, b))
  return newest === undefined ? null : { version: newest, folder: join(cache, `${thing}-${newest}`) }
}

function compareVersions(a: string, b: string): number {
  const [left, right] = [a, b].map((version) => version.split('.').map(Number))
  const differences = (left ?? []).map((part, place) => part - (right?.[place] ?? 0))
  return differences.find((difference) => difference !== 0) ?? 0
}
