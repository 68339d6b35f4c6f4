/**
 * Reads policy files. A long one takes a second or two, in which nobody who is connected may wait: it is read on a thread of
 * its own. What was read last is kept, since a version that is written down is tried and made active next.
 */
import { createHash } from 'node:crypto'
import { Worker } from 'node:worker_threads'
import { limits } from '../../core/limits.ts'
import { type ReadPolicy, readPolicy } from '../../core/policy/file/parse.ts'
import { policyInvalid } from '../../core/policy/file/problems.ts'
import type { Policy } from '../../core/policy/model.ts'

/** @throws HubError `policy-invalid`, with every problem and its place */
export async function policyIn(source: string): Promise<Policy> {
  const { policy, problems } = await policyFileRead(source)
  if (problems.length > 0) throw policyInvalid(problems)
  return policy
}

/** The policy, and what is wrong with its file. */
export function policyFileRead(source: string): Promise<ReadPolicy> {
  const hash = createHash('sha256').update(source).digest('hex')
  const present = read.get(hash)
  read.delete(hash)
  const wanted = present ?? readAnew(source)
  read.set(hash, wanted)
  for (const oldest of read.keys()) {
    if (read.size <= limits.policiesReadKeptMax) break
    read.delete(oldest)
  }
  // What a thread could not read may be read the next time.
  wanted.catch(() => read.delete(hash))
  return wanted
}

/** By the hash of the file, the one that was asked for longest ago first. */
const read = new Map<string, Promise<ReadPolicy>>()

async function readAnew(source: string): Promise<ReadPolicy> {
  const isLong = Buffer.byteLength(source) > limits.policyReadAtOnceBytesMax
  // What is too long to be a policy is told of without being read.
  return isLong && Buffer.byteLength(source) <= limits.policyBytesMax ? readAside(source) : readPolicy(source)
}

const workerFile = new URL(import.meta.url.endsWith('.ts') ? './worker.ts' : './worker.js', import.meta.url)

/** One after the other, so that several take the memory and the processor of one. */
let turn: Promise<unknown> = Promise.resolve()

function readAside(source: string): Promise<ReadPolicy> {
  const mine = turn.then(() => onThread(source))
  turn = mine.catch(() => {})
  return mine
}

function onThread(source: string): Promise<ReadPolicy> {
  return new Promise((resolve, reject) => {
    const worker = new Worker(workerFile, {
      name: 'policy file',
      workerData: source,
      resourceLimits: { maxOldGenerationSizeMb: limits.policyReadHeapMebibytesMax },
    })
    const tooMuch = (why: string) =>
      policyInvalid([{ line: 1, column: 1, message: `the file could not be read: ${why}` }])
    const timer = setTimeout(() => {
      reject(tooMuch(`it took more than ${limits.policyReadMs / 1_000} seconds`))
      void worker.terminate()
    }, limits.policyReadMs)
    worker.once('message', resolve)
    worker.once('error', (error: Error & { code?: string }) => {
      const isMemory = error.code === 'ERR_WORKER_OUT_OF_MEMORY'
      reject(isMemory ? tooMuch(`it takes more than ${limits.policyReadHeapMebibytesMax} MiB of memory`) : error)
    })
    worker.once('exit', () => {
      clearTimeout(timer)
      reject(new Error('the thread ended before it had read the policy file'))
    })
  })
}
