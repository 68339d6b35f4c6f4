/** The load process: does one task after the other for the process that has started it. */
import { readFileSync } from 'node:fs'
import type { Fleet } from '../fleet.ts'
import { FleetClients } from './client.ts'
import { connectMany } from './connects.ts'
import { decide } from './decisions.ts'
import { enrolMany, type Prepared, prepareEnrolments } from './enrolments.ts'
import { type Held, hold, release } from './held.ts'
import { issueMany } from './issuances.ts'
import { askOcsp, collectOcsp } from './ocsp.ts'
import { openPairs, Pair } from './pairs.ts'
import { importMany, listPages, registerMany, showByCommand, showDevices } from './registry.ts'
import { revokeMany } from './revocations.ts'
import type { TaskMessage, TaskReply } from './tasks.ts'

let clients = new FleetClients({ ca: '', devices: [] })
let prepared: readonly Prepared[] = []
const held: Held = { clients: [], pairs: [] }

async function run(task: TaskMessage): Promise<unknown> {
  switch (task.name) {
    case 'useFleet':
      clients = new FleetClients(JSON.parse(readFileSync(task.file, 'utf8')) as Fleet)
      return null
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
      return revokeMany(clients, held, task)
    case 'register':
      return registerMany(task)
    case 'importDevices':
      return importMany(task)
    case 'listPages':
      return listPages(task)
    case 'showDevices':
      return showDevices(task)
    case 'showByCommand':
      return showByCommand(task)
    case 'prepareEnrolments':
      prepared = await prepareEnrolments(task)
      return null
    case 'askOcsp':
      return askOcsp(task)
    case 'collectOcsp':
      return collectOcsp(task)
    case 'enrol':
      return enrolMany(prepared, task)
    case 'issue':
      return issueMany(task)
    case 'decide':
      return decide(task)
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
