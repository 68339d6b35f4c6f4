/** The thread that reads one long policy file. */
import { parentPort, workerData } from 'node:worker_threads'
import { assert } from '../../core/errors.ts'
import { readPolicy } from '../../core/policy/file/parse.ts'

assert(parentPort !== null, 'a long policy file is read on a thread of its own')
parentPort.postMessage(readPolicy(workerData as string))
