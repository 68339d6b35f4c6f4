/**
 * The fuzz run by hand:
 *
 *     node test/fuzz/fuzz.ts [packets] [seed] [broker]
 *
 * A million packets are sent where nothing else is said. With the third word `embedded` they go on to the embedded broker. It ends with status 1 where a fault was found or memory has grown.
 */
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { fillCodecMemory } from '../../src/gate/upstream/embedded/codec-memory.ts'
import { startEmbeddedUpstream } from '../../src/gate/upstream/embedded/embedded-upstream.ts'
import { type FuzzFigures, runFuzz } from './fuzz-run.ts'

/** What the heap may have grown by since the first tenth of the run. */
const GROWTH_MB_MAX = 64

const packets = Number(process.argv[2] ?? 1_000_000)
const seed = Number(process.argv[3] ?? 1)

setFlagsFromString('--expose-gc')
const collect: () => void = runInNewContext('gc')
const heapMb = () => {
  collect()
  const { heapUsed, external } = process.memoryUsage()
  return Math.round((heapUsed + external) / 1024 / 1024)
}

let early: number | null = null
let residentMb = 0
let said = Date.now()
const startedMs = Date.now()

function progress({ mutated, connections }: FuzzFigures): void {
  residentMb = Math.max(residentMb, Math.round(process.memoryUsage.rss() / 1024 / 1024))
  if (early === null && mutated > packets / 10) early = heapMb()
  if (Date.now() - said < 10_000) return
  said = Date.now()
  process.stderr.write(`${mutated} mutated packets, ${connections} connections, ${residentMb} MB resident\n`)
}

// Else the codec of the judge grows by some hundred megabytes of its own.
fillCodecMemory()
const silent = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} }
const broker = process.argv[4] === 'embedded' ? await startEmbeddedUpstream({ log: silent }) : null
const figures = await runFuzz({ packets, seed, progress, ...(broker === null ? {} : { broker }) })
const restarts = broker?.restarts() ?? 0
await broker?.stop()
const late = heapMb()
process.stdout.write(
  `${JSON.stringify(
    {
      ...figures,
      endings: Object.fromEntries([...figures.endings].sort((one, other) => other[1] - one[1])),
      reached: Object.fromEntries(figures.reached),
      restarts,
      ...{ seed, seconds: Math.round((Date.now() - startedMs) / 1000), residentMb, heapMb: { early, late } },
    },
    null,
    2,
  )}\n`,
)
if (figures.faults.length > 0 || restarts > 0 || figures.left > 0 || late - (early ?? late) > GROWTH_MB_MAX)
  process.exitCode = 1
