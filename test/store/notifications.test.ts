/** Listening for other processes' commits, at a server that keeps its answer back. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { type AddressInfo, createServer, type Socket } from 'node:net'
import { type TestContext, test } from 'node:test'
import { limits } from '../../src/core/limits.ts'
import { Secret } from '../../src/core/secret.ts'
import { parseDatabaseUrl } from '../../src/store/postgres/address.ts'
import { listenForEvents } from '../../src/store/postgres/notifications.ts'

/** ReadyForQuery (PostgreSQL, "Message Formats"). */
const ready = [0x5a, 0, 0, 0, 5, 0x49]
const authenticated = Buffer.from([0x52, 0, 0, 0, 8, 0, 0, 0, 0, ...ready])
const listening = Buffer.from([0x43, 0, 0, 0, 11, ...Buffer.from('LISTEN\0'), ...ready])
/** An error without words. */
const refused = Buffer.from([0x45, 0, 0, 0, 5, 0, ...ready])

/** A listener, as far as its first connection has asked to listen and has no answer. */
async function asking(t: TestContext) {
  const asked = Promise.withResolvers<Socket>()
  const server = createServer((socket) => {
    socket.once('data', () => socket.write(authenticated))
    socket.on('data', (bytes) => {
      if (bytes.includes('listen ')) asked.resolve(socket)
    })
    socket.on('error', () => {})
    t.after(() => socket.destroy())
  }).listen(0, '127.0.0.1')
  t.after(() => server.close())
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const address = parseDatabaseUrl(new Secret(`postgresql://hub@127.0.0.1:${port}/hub`), 'the test')
  let told = 0
  const notifications = listenForEvents(
    { address, limits },
    () => false,
    () => {
      told += 1
    },
  )
  t.after(() => notifications.stop())
  const socket = await asked.promise
  return { socket, ended: once(socket, 'end'), notifications, told: () => told }
}

test('a listener that is stopped before it is answered leaves no connection behind, and tells of nothing', async (t) => {
  const { socket, ended, notifications, told } = await asking(t)
  await notifications.stop()
  socket.write(listening)
  await ended
  assert.equal(told(), 0)
})

test('a listener that is refused gives its connection back before it tries another', async (t) => {
  const { socket, ended } = await asking(t)
  socket.write(refused)
  await ended
})
