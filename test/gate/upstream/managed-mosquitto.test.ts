import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, test } from 'node:test'
import { findMosquitto } from '../../../src/gate/upstream/managed/find-mosquitto.ts'
import { type ManagedMosquitto, startManagedMosquitto } from '../../../src/gate/upstream/managed/managed-mosquitto.ts'
import type { Log } from '../../../src/hub/ports/log.ts'
import { systemRandom as random } from '../../../src/machine/system.ts'
import { upstreamContract } from '../../contract/upstream.ts'
import { UpstreamClient } from '../../contract/upstream-client.ts'

const log: Log = { debug() {}, info() {}, warn() {}, error() {} }
const program = findMosquitto(process.env.PATH ?? '')

const folder = mkdtempSync(join(tmpdir(), 'hf-broker-'))
after(() => rmSync(folder, { recursive: true, force: true }))
let count = 0

function start(place = join(folder, String(count++))): Promise<ManagedMosquitto> {
  if (typeof program === 'string') throw new Error(program)
  return startManagedMosquitto({ program, folder: place, random, log })
}

if (typeof program === 'string') test('a Mosquitto that the hub runs', { skip: program })
else {
  // 2.0.11 sends one message more than a client takes where QoS 1 and 2 are mixed.
  upstreamContract('managed Mosquitto', start, ['copy for each filter', 'receive maximum'])

  describe('a Mosquitto that the hub runs', { timeout: 60_000 }, () => {
    test('keeps its folder and its socket from others', async () => {
      const broker = await start()
      assert.equal(statSync(join(broker.socketPath, '..')).mode & 0o777, 0o700)
      assert.equal(statSync(join(broker.socketPath, '..', 'mosquitto.conf')).mode & 0o777, 0o600)
      await broker.stop()
    })

    test('lets in all of many clients that come at one moment, more than its queue holds', async () => {
      const broker = await start()
      const clients = Array.from({ length: 200 }, () => new UpstreamClient(broker, 5))
      const answers = await Promise.all(clients.map((client, index) => client.connect({ clientId: `c${index}` })))
      assert.deepEqual(new Set(answers.map(({ reasonCode }) => reasonCode)), new Set([0]))
      await broker.stop()
    })

    test('is in a session of its own, so that Ctrl-C is for the hub alone', async () => {
      const broker = await start()
      const pid = broker.pid() ?? assert.fail('it does not run')
      // After the name in brackets: state, parent, process group, session.
      const [, parent, group, session] = readFileSync(`/proc/${pid}/stat`, 'latin1').split(') ')[1]?.split(' ') ?? []
      assert.deepEqual([parent, group, session].map(Number), [process.pid, pid, pid])
      await broker.stop()
    })

    test('keeps sessions and waiting messages while the hub is stopped', async () => {
      const place = join(folder, 'kept')
      const before = await start(place)
      const subscriber = new UpstreamClient(before, 4)
      await subscriber.connect({ clientId: 'away', clean: false })
      await subscriber.subscribe('kept', 1)
      subscriber.connection.close()
      const publisher = new UpstreamClient(before, 4)
      await publisher.connect({ clientId: 'p' })
      await publisher.publish('kept', 'through a restart', { qos: 1 })
      await before.stop()
      const again = await start(place)
      const back = new UpstreamClient(again, 4)
      assert.equal((await back.connect({ clientId: 'away', clean: false })).sessionPresent, true)
      assert.equal((await back.receive()).payload.toString(), 'through a restart')
      await again.stop()
    })

    for (const signal of ['SIGKILL', 'SIGSTOP'] as const) {
      test(`that gets ${signal} breaks its connections, is started again and serves`, async () => {
        const broker = await start()
        const client = new UpstreamClient(broker, 5)
        await client.connect({ clientId: 'witness' })
        const pid = broker.pid() ?? assert.fail('it does not run')
        process.kill(pid, signal)
        await client.until(() => client.ended !== null)
        assert.equal(client.ended, true)
        assert.equal(broker.isAvailable(), false)
        await assert.rejects(new UpstreamClient(broker, 5).connect({ clientId: 'early' }), {
          code: 'upstream-unavailable',
        })
        await untilAvailable(broker)
        assert.notEqual(broker.pid(), pid)
        assert.equal(broker.restarts(), 1)
        const next = new UpstreamClient(broker, 5)
        assert.equal((await next.connect({ clientId: 'witness' })).reasonCode, 0)
        await broker.stop()
      })
    }

    test('is refused where another one serves the folder already', async () => {
      const place = join(folder, 'twice')
      const first = await start(place)
      await assert.rejects(start(place), { code: 'broker-program-unusable', message: /still listens/ })
      assert.equal(first.isAvailable(), true)
      await first.stop()
    })

    test('is refused in a folder whose socket would have too long a path, or a space', async () => {
      await assert.rejects(start(join(folder, 'x'.repeat(120))), {
        code: 'broker-program-unusable',
        message: /107 bytes/,
      })
      await assert.rejects(start(join(folder, 'a b')), { code: 'broker-program-unusable', message: /space/ })
    })
  })
}

async function untilAvailable(broker: ManagedMosquitto): Promise<void> {
  while (!broker.isAvailable()) await new Promise((resolve) => setTimeout(resolve, 20))
}
