/**
 * One process at a time, by a file: it is there while somebody is at work. Node knows no lock of the system's that a kill
 * releases, so the file says who made it, and whoever finds it asks whether that process still runs.
 */
import { randomBytes } from 'node:crypto'
import { linkSync, readFileSync, readlinkSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'

/** Milliseconds between two looks at a lock that somebody holds. */
const lookMs = 20
/** A holder of another container cannot be asked whether it lives. The work takes milliseconds, or seconds on a slow card. */
const ageMsMax = 60_000
/** How long it is waited for: longer than a lock can get old. */
const waitMsMax = 70_000

/**
 * Does some work while no other process does such under the same path. The thread stands still while it waits, so the work must
 * be short.
 *
 * @param path a file that nothing else uses, in a folder that is there
 * @throws the error of the file system; `EBUSY` when others held the lock all the time
 */
export function withFileLock<T>(path: string, work: () => T): T {
  const mark = takeLock(path)
  try {
    return work()
  } finally {
    if (readMark(path) === mark) rmSync(path, { force: true })
  }
}

function takeLock(path: string): string {
  const aside = asideOf(path)
  const mark = `${JSON.stringify({ ...thisProcess(), once: aside.slice(-12) })}\n`
  try {
    // A disk that is full makes the file and refuses what is in it.
    writeFileSync(aside, mark, { flag: 'wx', mode: 0o600 })
    for (let waitedMs = 0; !isLinked(aside, path); waitedMs += lookMs) {
      if (breakStale(path)) continue
      if (waitedMs >= waitMsMax) throw Object.assign(new Error(`${path} is held by others`), { code: 'EBUSY' })
      sleep(lookMs)
    }
    return mark
  } finally {
    rmSync(aside, { force: true })
  }
}

/** Makes the lock with its content at once, unless there is one. */
function isLinked(aside: string, path: string): boolean {
  try {
    linkSync(aside, path)
    return true
  } catch (error) {
    if (codeOf(error) === 'EEXIST') return false
    throw error
  }
}

/** Takes away a lock whose holder is gone. @returns whether it is worth trying again at once */
function breakStale(path: string): boolean {
  const mark = readMark(path)
  if (mark === null) return true
  if (!isStale(path, mark)) return false
  const aside = asideOf(path)
  try {
    renameSync(path, aside)
    // Somebody else may have broken it and taken it between the look and the renaming: then it is given back.
    if (readMark(aside) !== mark) isLinked(aside, path)
    rmSync(aside, { force: true })
  } catch (error) {
    if (codeOf(error) !== 'ENOENT') throw error
  }
  return true
}

interface Holder {
  readonly pid: number
  /** When it started, in the words of the kernel, which tells it from a later process of the same number. */
  readonly started: string
  /** Where process numbers mean the same. */
  readonly space: string
}

function isStale(path: string, mark: string): boolean {
  const holder = readHolder(mark)
  if (holder?.space === space()) return !isRunning(holder.pid) || holder.started !== startOf(holder.pid)
  // Nobody can be asked: then the time must tell. A clock that was set back must not make a lock live for years.
  const age = Date.now() - (statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0)
  return Math.abs(age) > ageMsMax
}

function thisProcess(): Holder {
  return { pid: process.pid, started: startOf(process.pid), space: space() }
}

function readHolder(mark: string): Holder | null {
  try {
    const value: unknown = JSON.parse(mark)
    if (typeof value !== 'object' || value === null) return null
    const [pid, started, where] = ['pid', 'started', 'space'].map((name): unknown => Reflect.get(value, name))
    const isHolder = typeof pid === 'number' && typeof started === 'string' && typeof where === 'string'
    return isHolder ? { pid, started, space: where } : null
  } catch {
    return null
  }
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return codeOf(error) === 'EPERM'
  }
}

/** Of the boot and the process: the 22nd field of `stat` behind the name, which may hold spaces. Empty where there is no /proc. */
function startOf(pid: number): string {
  const stat = readProc(`/proc/${pid}/stat`)
  return `${readProc('/proc/sys/kernel/random/boot_id').trim()} ${stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? ''}`
}

function space(): string {
  try {
    return readlinkSync('/proc/self/ns/pid')
  } catch {
    return ''
  }
}

function readProc(path: string): string {
  try {
    return readFileSync(path, 'latin1')
  } catch {
    return ''
  }
}

function readMark(path: string): string | null {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return null
    throw error
  }
}

function asideOf(path: string): string {
  return `${path}.${randomBytes(6).toString('hex')}`
}

function codeOf(error: unknown): string | undefined {
  return (error as NodeJS.ErrnoException).code
}

function sleep(ms: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms)
}
