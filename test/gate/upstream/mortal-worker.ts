/** The broker's thread, with a way to die for tests. */
import { BroadcastChannel, threadId } from 'node:worker_threads'
import { mortalChannel } from './mortal-channel.ts'
import '../../../src/gate/upstream/embedded/worker.ts'

const orders = new BroadcastChannel(mortalChannel)
const eaten: unknown[] = []
orders.onmessage = (event: unknown) => {
  const { data } = event as { readonly data: unknown }
  switch (data) {
    case 'throw':
      throw new Error(`thread ${threadId} was told to throw`)
    case 'hang':
      for (;;);
    case 'eat memory':
      setInterval(() => eaten.push(Array.from({ length: 20_000 }, (_, n) => ({ n }))), 1)
  }
}
