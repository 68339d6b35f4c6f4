/** The broker's thread: Aedes behind one port. */
import { getHeapStatistics } from 'node:v8'
import { parentPort, workerData } from 'node:worker_threads'
import { assert } from '../../../core/errors.ts'
import { startBroker } from './broker.ts'
import { brokerLimits } from './broker-limits.ts'
import { ClientStream } from './client-stream.ts'
import { fillCodecMemory } from './codec-memory.ts'
import { readFrames } from './frames.ts'
import { FrameLink } from './link.ts'
import type { BrokerWorkerData } from './supervised-worker.ts'

assert(parentPort !== null, 'the broker runs in a thread of its own')
const port = parentPort
const { beats } = workerData as BrokerWorkerData

// Streams and Aedes make errors for every connection that ends, which nobody sees; its stack is most of what one costs.
Error.stackTraceLimit = 2
fillCodecMemory()
const broker = await startBroker()
const link = new FrameLink(port)
const streams = new Map<number, ClientStream>()

port.on('message', (buffer: ArrayBuffer) =>
  readFrames(buffer, {
    onOpen(connection) {
      const stream = new ClientStream(link, connection)
      streams.set(connection, stream)
      stream.once('close', () => streams.delete(connection))
      broker.handle(stream)
    },
    onData: (connection, bytes) => streams.get(connection)?.receive(bytes),
    onCredit: (connection, bytes) => streams.get(connection)?.grant(bytes),
    onClose: (connection) => streams.get(connection)?.breakOff(),
  }),
)
setInterval(beat, brokerLimits.beatMs)
port.postMessage('ready')

/**
 * The thread ends itself before its heap is full: V8 tells a thread that it has reached its limit only when one small
 * allocation does so, and ends the whole process when a large one does, such as a map that grows.
 */
function beat(): void {
  const { used_heap_size: used, heap_size_limit: limit } = getHeapStatistics()
  if (used > limit * brokerLimits.heapShareMax) throw new Error(`the broker uses ${used} of ${limit} bytes of heap`)
  Atomics.add(beats, 0, 1)
}
