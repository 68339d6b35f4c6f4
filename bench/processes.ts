/** What processes cost, by Linux's own account (proc(5)). A process counts with all its threads and descendants. */
import { execFileSync } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'

/** Ticks of /proc's clock in a second, as a rule 100. */
const ticksPerSec = Number(execFileSync('getconf', ['CLK_TCK'], { encoding: 'utf8' }))
const tickMicros = 1e6 / ticksPerSec

/** CPU time that processes have used so far. */
export interface CpuReading {
  /** User and system time of all threads, ended ones too, and of ended children; good to a tick. Microseconds. */
  readonly coarseMicros: number
  /** The same of each thread that lives, in nanoseconds; null where the kernel does not tell (`schedstat`). */
  readonly threads: ReadonlyMap<number, number> | null
  readonly processes: number
}

export function readCpu(roots: readonly number[]): CpuReading {
  const family = familyOf(roots)
  const ticks = family.reduce((sum, { cpuTicks }) => sum + cpuTicks, 0)
  return { coarseMicros: ticks * tickMicros, threads: readThreads(family), processes: family.length }
}

/**
 * CPU time between two readings, in microseconds: the threads' own account, which is exact, as long as no thread has ended
 * meanwhile and taken its account along; else the coarse one.
 */
export function cpuMicrosBetween(before: CpuReading, after: CpuReading): number {
  const coarse = after.coarseMicros - before.coarseMicros
  const [then, now] = [before.threads, after.threads]
  if (then === null || now === null || [...then.keys()].some((thread) => !now.has(thread))) return coarse
  const exact = [...now].reduce((sum, [thread, nanos]) => sum + nanos - (then.get(thread) ?? 0), 0) / 1000
  // More than rounding: a thread or a child has come and gone between the two.
  const rounding = 2 * tickMicros * Math.max(before.processes, after.processes)
  return coarse - exact > rounding ? coarse : exact
}

/** CPU time of the processes so far, ended children included, in microseconds; good to a tick. */
export function cpuMicrosOf(roots: readonly number[]): number {
  return readCpu(roots).coarseMicros
}

/** CPU time of the children of this process that have ended, in microseconds. */
export function endedChildrenCpuMicros(): number {
  return (readStat(process.pid)?.endedChildrenTicks ?? 0) * tickMicros
}

/** CPU time of the whole machine since it started, in microseconds. */
export interface MachineTime {
  readonly total: number
  /** What was neither idle nor waiting for a disk; time that other guests of the same host took counts too. */
  readonly busy: number
}

export function machineTime(): MachineTime {
  const [line = ''] = readFileSync('/proc/stat', 'utf8').split('\n', 1)
  // user, nice, system, idle, iowait, irq, softirq, steal; time of guests of this machine is in the first two already.
  const ticks = line.trim().split(/\s+/).slice(1, 9).map(Number)
  const total = ticks.reduce((sum, each) => sum + each, 0)
  return { total: total * tickMicros, busy: (total - (ticks[3] ?? 0) - (ticks[4] ?? 0)) * tickMicros }
}

export interface Memory {
  readonly rssKibibytes: number
  /** Proportional set size: pages that processes share count once. Null where the kernel does not tell. */
  readonly pssKibibytes: number | null
}

/** Memory that the processes hold now. */
export function memoryOf(roots: readonly number[]): Memory {
  let rssKibibytes = 0
  let pssKibibytes: number | null = 0
  for (const { pid } of familyOf(roots)) {
    rssKibibytes += field(readIfThere(`/proc/${pid}/status`), 'VmRSS') ?? 0
    const pss = field(readIfThere(`/proc/${pid}/smaps_rollup`), 'Pss')
    pssKibibytes = pss === null || pssKibibytes === null ? null : pssKibibytes + pss
  }
  return { rssKibibytes, pssKibibytes }
}

interface ProcessStat {
  readonly pid: number
  readonly parent: number
  /** User and system time of all threads, also of those that have ended, and of children that were waited for. */
  readonly cpuTicks: number
  readonly endedChildrenTicks: number
}

function familyOf(roots: readonly number[]): readonly ProcessStat[] {
  const all = readdirSync('/proc')
    .filter((name) => /^[0-9]+$/.test(name))
    .map((name) => readStat(Number(name)))
    .filter((stat) => stat !== null)
  const pids = new Set(roots)
  // Parents need not stand before their children in the list.
  for (let known = 0; known < pids.size; ) {
    known = pids.size
    for (const { pid, parent } of all) if (pids.has(parent)) pids.add(pid)
  }
  const family = all.filter(({ pid }) => pids.has(pid))
  const gone = roots.find((root) => !family.some(({ pid }) => pid === root))
  if (gone !== undefined) throw new Error(`the process ${gone} has ended`)
  return family
}

function readStat(pid: number): ProcessStat | null {
  const text = readIfThere(`/proc/${pid}/stat`)
  // The second field is the program's name in parentheses and may hold anything.
  const fields = text
    .slice(text.lastIndexOf(')') + 2)
    .split(' ')
    .map(Number)
  const [, parent] = fields
  if (parent === undefined) return null
  const [user = 0, system = 0, childrenUser = 0, childrenSystem = 0] = fields.slice(11, 15)
  const endedChildrenTicks = childrenUser + childrenSystem
  return { pid, parent, cpuTicks: user + system + endedChildrenTicks, endedChildrenTicks }
}

function readThreads(family: readonly ProcessStat[]): ReadonlyMap<number, number> | null {
  const threads = new Map<number, number>()
  for (const { pid } of family) {
    for (const thread of listIfThere(`/proc/${pid}/task`)) {
      const [nanos = ''] = readIfThere(`/proc/${pid}/task/${thread}/schedstat`).split(' ', 1)
      if (nanos === '') return null
      threads.set(Number(thread), Number(nanos))
    }
  }
  return threads
}

function field(text: string, name: string): number | null {
  const match = new RegExp(`^${name}:\\s+([0-9]+) kB$`, 'm').exec(text)
  return match === null ? null : Number(match[1])
}

/** Empty when the process has ended meanwhile or the file is not for us. */
function readIfThere(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return ''
  }
}

function listIfThere(path: string): readonly string[] {
  try {
    return readdirSync(path)
  } catch {
    return []
  }
}
