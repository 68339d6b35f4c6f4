import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { pathToFileURL } from 'node:url'
import { type GateFleetOptions, startGateFleet } from '../../src/compose/gates/gate-fleet.ts'
import { Secret } from '../../src/core/secret.ts'
import { LogBook, ObserverBook } from '../support/hub-parts.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'

test('a gate process that ends before it serves fails the start, and is not started again', async (t) => {
  const file = join(temporaryFolder(t), 'ends.mjs')
  writeFileSync(file, 'process.exit(3)\n')
  const options = {
    ...{ count: 1, settings: {}, certificate: { key: new Secret('none'), chain: '' }, log: new LogBook() },
    ...{ confirmUse: async (entrant: unknown) => entrant, wantCrl() {}, attempts: { record() {} } },
    ...{ observer: new ObserverBook(), processFile: pathToFileURL(file) },
  } as unknown as GateFleetOptions
  await assert.rejects(startGateFleet(options), {
    code: 'gate-process-failed',
    message: /ended with 3 before it served/,
  })
})
