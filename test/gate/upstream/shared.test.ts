/** The upstream of a hub, shared with gate processes over a private socket. */
import assert from 'node:assert/strict'
import { statSync } from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { startEmbeddedUpstream } from '../../../src/gate/upstream/embedded/embedded-upstream.ts'
import { openSharedUpstream } from '../../../src/gate/upstream/shared/shared-upstream.ts'
import { hostUpstream } from '../../../src/gate/upstream/shared/upstream-host.ts'
import type { Log } from '../../../src/hub/ports/log.ts'
import type { Upstream } from '../../../src/hub/ports/upstream.ts'
import { upstreamContract } from '../../contract/upstream.ts'
import { UpstreamClient } from '../../contract/upstream-client.ts'
import { temporaryFolder } from '../../support/temporary-folder.ts'

const log: Log = { debug() {}, info() {}, warn() {}, error() {} }

/** A hub with its broker, and what a gate process sees of it; stopping that stops all. */
async function shared(path: string): Promise<Upstream> {
  const upstream = await startEmbeddedUpstream({ log })
  const host = await hostUpstream({ upstream, log }, path)
  const gate = await openSharedUpstream({ way: { path }, abilities: upstream.abilities })
  return {
    abilities: gate.abilities,
    isAvailable: () => gate.isAvailable(),
    connect: (client, listener) => gate.connect(client, listener),
    async stop() {
      await gate.stop()
      await host.stop()
      await upstream.stop()
    },
  }
}

const folder = temporaryFolder({ after })
let sockets = 0
upstreamContract('shared', () => shared(join(folder, `${++sockets}.sock`)))

test('messages go between clients of two gates, and a client id moves from one gate to the other', async (t) => {
  const path = join(temporaryFolder(t), 'gates.sock')
  const upstream = await startEmbeddedUpstream({ log })
  t.after(() => upstream.stop())
  const host = await hostUpstream({ upstream, log }, path)
  t.after(() => host.stop())
  const [one, two] = await Promise.all([
    openSharedUpstream({ way: { path }, abilities: upstream.abilities }),
    openSharedUpstream({ way: { path }, abilities: upstream.abilities }),
  ])
  t.after(() => Promise.all([one.stop(), two.stop()]))
  assert.equal(statSync(path).mode & 0o777, 0o600)

  const first = new UpstreamClient(one, 5)
  await first.connect({ clientId: 'pump-7/a' })
  const second = new UpstreamClient(two, 5)
  await second.connect({ clientId: 'pump-7/a' })
  await first.until(() => first.ended === false)
  assert.equal(second.ended, null)
})

test('the end of a gate ends its connections and nobody else, and the end of the hub is told as broken', async (t) => {
  const path = join(temporaryFolder(t), 'gates.sock')
  const upstream = await startEmbeddedUpstream({ log })
  t.after(() => upstream.stop())
  const host = await hostUpstream({ upstream, log }, path)
  const [one, two] = await Promise.all([
    openSharedUpstream({ way: { path }, abilities: upstream.abilities }),
    openSharedUpstream({ way: { path }, abilities: upstream.abilities }),
  ])
  const other = new UpstreamClient(two, 4)
  await other.connect({ clientId: 'other' })
  const gone = new UpstreamClient(one, 4)
  await gone.connect({ clientId: 'gone' })
  await one.stop()
  assert.equal(other.ended, null)
  await host.stop()
  await other.until(() => other.ended === true)
  assert.equal(two.isAvailable(), false)
  await two.stop()
})

test('a gate that sends what is no frame is cut off', async (t) => {
  const path = join(temporaryFolder(t), 'gates.sock')
  const upstream = await startEmbeddedUpstream({ log })
  t.after(() => upstream.stop())
  const host = await hostUpstream({ upstream, log }, path)
  t.after(() => host.stop())
  const socket = connect({ path })
  socket.resume()
  socket.write(Buffer.from([1, 0, 0, 0, 0, 0, 0, 9]))
  await new Promise((resolve) => socket.once('close', resolve))
  assert.equal(upstream.isAvailable(), true)
})

test('without a hub there is no upstream', async (t) => {
  await assert.rejects(
    openSharedUpstream({
      way: { path: join(temporaryFolder(t), 'none.sock') },
      abilities: {} as Upstream['abilities'],
    }),
    { code: 'upstream-unavailable' },
  )
})
