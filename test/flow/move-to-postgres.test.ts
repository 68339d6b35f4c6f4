/** A fleet moves from SQLite to PostgreSQL and back by a backup, and its devices notice nothing. */
// one database: it brings its own
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import type { DeviceDetailView } from '../../src/api-schema/views.ts'
import { startHubProcess } from '../support/hub-process.ts'
import { clientOptions, connected } from '../support/mqtt-client.ts'
import { needsPostgres, startPostgres } from '../support/postgres.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'

test('devices connect with the certificates that they have, whatever the registry is in', needsPostgres, async (t) => {
  const server = await startPostgres(t)
  const url = await server.makeDatabase()
  const folder = temporaryFolder(t)
  const journal = join(folder, 'journal')
  const args = ['--journal', journal]
  const place = (name: string, onPostgres: boolean) => ({
    HANDFAST_DATA: join(folder, name),
    HANDFAST_JOURNAL: journal,
    HANDFAST_DATABASE_URL: onPostgres ? url : '',
  })

  const first = await startHubProcess(t, { data: join(folder, 'first'), args })
  const kept = await first.enrolled('kept', join(folder, 'kept'))
  const later = await first.enrolled('later', join(folder, 'later'))
  await (await connected(clientOptions(first.mqtt.port, kept, 5))).endAsync()
  const backup = join(folder, 'from-sqlite')
  await first.json(['backup', backup])
  await first.json(['revoke', 'later'])
  await first.stop()

  const restored = await first.cli(['restore', '--apply', backup], { env: place('second', true) })
  assert.equal(restored.status, 0, restored.stderr)
  const again = await first.cli(['restore', '--apply', backup, '--json'], { env: place('second', true) })
  assert.equal(JSON.parse(again.stderr).error.code, 'restore-target-taken')
  const second = await startHubProcess(t, { data: join(folder, 'second'), args, env: place('second', true) })
  const busy = await first.cli(['restore', '--apply', '--replace', backup, '--json'], { env: place('third', true) })
  assert.equal(JSON.parse(busy.stderr).error.code, 'registry-in-use')
  await (await connected(clientOptions(second.mqtt.port, kept, 5))).endAsync()
  await assert.rejects(connected(clientOptions(second.mqtt.port, later, 5)))
  const fresh = await second.enrolled('fresh', join(folder, 'fresh'))
  await (await connected(clientOptions(second.mqtt.port, fresh, 5))).endAsync()
  const checked = await second.cli(['check'], { env: place('second', true) })
  assert.equal(checked.status, 0, checked.stdout + checked.stderr)
  const back = join(folder, 'from-postgres')
  await second.json(['backup', back], { env: place('second', true) })
  await second.stop()

  const returned = await first.cli(['restore', '--apply', back], { env: place('fourth', false) })
  assert.equal(returned.status, 0, returned.stderr)
  const fourth = await startHubProcess(t, { data: join(folder, 'fourth'), args, env: place('fourth', false) })
  for (const files of [kept, fresh]) await (await connected(clientOptions(fourth.mqtt.port, files, 5))).endAsync()
  const { device } = await fourth.json<DeviceDetailView>(['device', 'show', 'later'])
  assert.equal(device.state, 'disabled')
  assert.equal((await fourth.cli(['check'], { env: place('fourth', false) })).status, 0)
  assert.equal(await fourth.stop(), 0)
})

test('of two processes on one registry each journal holds what either did', needsPostgres, async (t) => {
  const server = await startPostgres(t)
  const env = { HANDFAST_DATABASE_URL: await server.makeDatabase(), HANDFAST_PASSPHRASE: 'words that both know' }
  const folder = temporaryFolder(t)
  const [one, two] = [join(folder, 'one'), join(folder, 'two')]
  const first = await startHubProcess(t, { data: one, env })
  const second = await startHubProcess(t, { data: two, env })
  await first.json(['device', 'add', 'pump-7'])
  await second.json(['device', 'retire', 'pump-7'])
  await first.stop()
  await second.stop()
  const last = async (hub: typeof first, data: string) =>
    (await hub.json<{ lastEvent: number }>(['journal'], { env: { ...env, HANDFAST_DATA: data } })).lastEvent
  const [lastOfOne, lastOfTwo] = [await last(first, one), await last(second, two)]
  assert.ok(lastOfTwo >= lastOfOne)
  // Whoever stops first misses what comes then; the next start copies it.
  const again = await startHubProcess(t, { data: one, env })
  assert.ok((await last(again, one)) >= lastOfTwo)
})
