/** The load process: does one task after the other for the process that has started it. */
import { readFileSync } from 'node:fs'
import type { Fleet } from '../fleet.ts'
import { FleetClients } from './client.ts'
import { connectMany } from './connects.ts'
import { type Held, hold, release } from './held.ts'
import { openPairs, Pair } from './pairs.ts'
import { revokeMany } from './revocations.ts'
import type { TaskMessage, TaskReply } from './tasks.ts'

const fleet = JSON.parse(readFileSync(process.argv[2] ?? '', 'utf8')) as Fleet
const clients = new FleetClients(fleet)
const held: Held = { clients: [], pairs: [] }

async function run(task: TaskMessage): Promise<unknown> {
  switch (task.name) {
    case 'connects':
      return connectMany(clients, task)
    case 'openPairs':
      held.pairs = await openPairs(clients, task)
      return null
    case 'exchange':
      return Pair.exchange(held.pairs, task.messagesPerPair)
    case 'hold':
      held.clients = await hold(clients, task)
      return null
    case 'release':
      await release(held)
      return null
    case 'revocations':
      return revokeMany(clients, task)
  }
}

process.on('message', (task: TaskMessage) => {
  const reply = (message: TaskReply): void => void process.send?.(message)
  run(task).then(
    (answer) => reply({ answer }),
    (error: unknown) => reply({ error: error instanceof Error ? (error.stack ?? error.message) : String(error) }),
  )
})
// Nobody is left to work for.
process.on('disconnect', () => process.exit())
