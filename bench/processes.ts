/** What processes cost, by Linux's own account (proc(5)). A process counts with all its threads and descendants. */
import { execFileSync } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'

interface ProcessStat {
  readonly pid: number
  readonly parent: number
  /** User and system time of all threads, also of those that have ended, and of children that were waited for. */
  readonly cpuTicks: number
}

/** Ticks of /proc's clock in a second, as a rule 100: a reading is good to 10 ms. */
const ticksPerSec = Number(execFileSync('getconf', ['CLK_TCK'], { encoding: 'utf8' }))

/** CPU time that the processes have used so far, in microseconds. */
export function cpuMicrosOf(root: number): number {
  const ticks = familyOf(root).reduce((sum, { cpuTicks }) => sum + cpuTicks, 0)
  return (ticks * 1e6) / ticksPerSec
}

export interface Memory {
  readonly rssKibibytes: number
  /** Proportional set size: pages that processes share count once. Null where the kernel does not tell. */
  readonly pssKibibytes: number | null
}

/** Memory that the processes hold now. */
export function memoryOf(root: number): Memory {
  let rssKibibytes = 0
  let pssKibibytes: number | null = 0
  for (const { pid } of familyOf(root)) {
    rssKibibytes += field(readIfThere(`/proc/${pid}/status`), 'VmRSS') ?? 0
    const pss = field(readIfThere(`/proc/${pid}/smaps_rollup`), 'Pss')
    pssKibibytes = pss === null || pssKibibytes === null ? null : pssKibibytes + pss
  }
  return { rssKibibytes, pssKibibytes }
}

function familyOf(root: number): readonly ProcessStat[] {
  const all = readdirSync('/proc')
    .filter((name) => /^[0-9]+$/.test(name))
    .map((name) => readStat(Number(name)))
    .filter((stat) => stat !== null)
  const pids = new Set([root])
  // Parents need not stand before their children in the list.
  for (let known = 0; known < pids.size; ) {
    known = pids.size
    for (const { pid, parent } of all) if (pids.has(parent)) pids.add(pid)
  }
  const family = all.filter(({ pid }) => pids.has(pid))
  if (!family.some(({ pid }) => pid === root)) throw new Error(`the process ${root} has ended`)
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
  return { pid, parent, cpuTicks: fields.slice(11, 15).reduce((sum, ticks) => sum + ticks, 0) }
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
