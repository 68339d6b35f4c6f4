import { randomBytes } from 'node:crypto'
import { after, before, describe } from 'node:test'
import { Secret } from '../../src/core/secret.ts'
import { parseDatabaseUrl } from '../../src/store/postgres/address.ts'
import { openPostgresStore } from '../../src/store/postgres/postgres-store.ts'
import { storeContract } from '../contract/store/store-contract.ts'
import { LogBook } from '../support/hub-parts.ts'
import { needsPostgres, type PostgresServer, startPostgres } from '../support/postgres.ts'

const clock = { nowMs: () => 1_700_000_000_000 }

describe('PostgreSQL', needsPostgres, () => {
  let server: PostgresServer
  const steps: (() => Promise<void>)[] = []
  before(async () => {
    server = await startPostgres({ after: (step) => void steps.push(step) })
  })
  after(async () => {
    for (const step of steps) await step()
  })

  storeContract('postgresql', async () => {
    const address = parseDatabaseUrl(new Secret(await server.makeDatabase()), 'the test')
    const open = () =>
      openPostgresStore({ address, clock, log: new LogBook(), instance: randomBytes(4).toString('hex') })
    return { store: await open(), reopen: open }
  })
})
