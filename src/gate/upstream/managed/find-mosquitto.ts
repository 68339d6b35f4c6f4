/** Finds Debian's Mosquitto. */
import { spawnSync } from 'node:child_process'
import { accessSync, constants } from 'node:fs'
import { delimiter, join } from 'node:path'

export interface MosquittoProgram {
  readonly path: string
  /** As it says itself, such as `2.0.11`. */
  readonly version: string
}

/** The first that listens on unix sockets. */
const majorMin = 2

/** Debian keeps it where the PATH of users does not look. */
const usualFolders = ['/usr/sbin', '/usr/local/sbin']

/**
 * The Mosquitto of this machine, or why there is none that the hub can run, as a sentence.
 *
 * @param searchPath folders as in the variable PATH
 */
export function findMosquitto(searchPath: string): MosquittoProgram | string {
  const folders = [...searchPath.split(delimiter).filter((folder) => folder.startsWith('/')), ...usualFolders]
  const path = folders.map((folder) => join(folder, 'mosquitto')).find(isExecutable)
  if (path === undefined) return 'mosquitto is not installed'
  const { stdout } = spawnSync(path, ['-h'], { encoding: 'utf8', timeout: 5_000, stdio: ['ignore', 'pipe', 'ignore'] })
  const match = /^mosquitto version (([0-9]+)(?:\.[0-9]+){1,3})/.exec(stdout ?? '')
  if (match?.[1] === undefined) return `${path} does not say which version of mosquitto it is`
  if (Number(match[2]) < majorMin) return `${path} is mosquitto ${match[1]}, and ${majorMin}.0 is needed`
  return { path, version: match[1] }
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    return false
  }
}
