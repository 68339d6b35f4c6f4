/** Gate processes whose PostgreSQL goes away and comes back, one of them killed meanwhile. */
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { gatePids, socketsOf } from '../support/gate-processes.ts'
import { usePostgres } from '../support/hub-database.ts'
import { startHubProcess } from '../support/hub-process.ts'
import { clientOptions, connected, nextEvent, refused } from '../support/mqtt-client.ts'
import { needsPostgres } from '../support/postgres.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'

describe('gate processes on PostgreSQL', needsPostgres, () => {
  test('outlive it: sessions go on, new clients are told to wait, and a gate that dies comes back with it', {
    timeout: 170_000,
  }, async (t) => {
    const { signal } = t
    const server = await usePostgres()
    const folder = temporaryFolder(t)
    const hub = await startHubProcess(t, { data: join(folder, 'data'), args: ['--gates', '2'] })
    const pump = await hub.enrolled('pump-7', join(folder, 'pump-7'))
    const [first = 0] = gatePids(hub)
    /** Patient: whoever comes first while the registry is away waits for its answer. */
    const options = (version: 4 | 5) => ({ ...clientOptions(hub.mqtt.port, pump, version), connectTimeout: 60_000 })
    const clients = []
    for (const version of [4, 5, 4, 5] as const) clients.push(await connected(options(version)))
    const isIdle = (pid: number) => socketsOf(pid, hub.mqtt.port) === 0
    while (gatePids(hub).some(isIdle)) clients.push(await connected(options(5)))
    let ended = 0
    for (const client of clients) client.on('close', () => ended++)
    const until = async (isRight: () => boolean): Promise<void> => {
      while (!isRight()) await delay(50, undefined, { signal })
    }

    const dying = socketsOf(first, hub.mqtt.port)
    await server.kill()
    process.kill(first, 'SIGKILL')
    await until(() => ended === dying)
    const living = clients.filter((client) => client.connected)
    assert.equal(living.length, clients.length - dying)
    assert.equal((await refused(options(4))).code, 3)
    assert.equal((await refused(options(5))).code, 0x88)
    await living[0]?.publishAsync('devices/pump-7/messages/events/', 'still here', { qos: 1 })
    await until(() => hub.output().includes('a gate process cannot start'))

    await server.start()
    await until(() => hub.output().includes('a gate process serves again'))
    for (const version of [4, 5, 4, 5] as const) living.push(await connected(options(version)))
    const closed = Promise.all(living.map((client) => nextEvent(client, 'close')))
    const revoked = await hub.cli(['revoke', 'pump-7', '--reason', 'keyCompromise'])
    assert.equal(revoked.status, 0, revoked.stderr)
    await closed
    assert.equal((await refused(options(5))).code, 0x87)
    assert.equal(await hub.stop(), 0)
  })
})
