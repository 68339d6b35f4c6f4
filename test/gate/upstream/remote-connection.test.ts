import assert from 'node:assert/strict'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { connect, createServer, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { Doorway } from '../../../src/gate/upstream/remote/doorway.ts'
import { RemoteConnection } from '../../../src/gate/upstream/remote/remote-connection.ts'

/** Far more than wait in the queue of the server below. */
const COUNT = 60

describe('connections to a broker on a unix socket whose queue is full', { timeout: 30_000 }, () => {
  const folder = mkdtempSync(join(tmpdir(), 'hf-door-'))
  const path = join(folder, 's')
  const accepted = new Set<Socket>()
  const server = createServer((socket) => {
    accepted.add(socket)
    // What comes goes back: the hello tells who is there.
    socket.pipe(socket)
    socket.on('error', () => {})
  })
  let doorway = new Doorway()

  before(() => once(server.listen({ path, backlog: 1 }), 'listening'))
  after(() => {
    for (const socket of accepted) socket.destroy()
    server.close()
    rmSync(folder, { recursive: true })
  })

  /** The server is in this process, so that nobody is let in while a test opens its connections. */
  function open(name: string): { connection: RemoteConnection; end: Promise<string>; tries: () => number } {
    const { promise: end, resolve } = Promise.withResolvers<string>()
    let tries = 0
    const connection = new RemoteConnection({
      doorway,
      dial() {
        tries++
        return connect({ path })
      },
      hello: Buffer.from(name),
      listener: {
        onData: (bytes) => resolve(Buffer.from(bytes).toString()),
        onDrain() {},
        onClose: (broken) => resolve(`closed, ${broken}`),
      },
      isBrokerUp: () => true,
      forget() {},
    })
    return { connection, end, tries: () => tries }
  }

  test('wait for their turn and are all served, each with its own hello', async () => {
    doorway = new Doorway()
    const names = Array.from({ length: COUNT }, (_, index) => `client ${index}`)
    const opened = names.map(open)
    assert.deepEqual(await Promise.all(opened.map(({ end }) => end)), names)
    assert.ok(
      opened.some(({ tries }) => tries() > 1),
      'the queue was never full',
    )
    for (const { connection } of opened) connection.close()
  })

  test('are not tried again when they have been closed meanwhile', async () => {
    doorway = new Doorway()
    const kept = Array.from({ length: COUNT }, (_, index) => open(`kept ${index}`))
    const left = Array.from({ length: COUNT }, (_, index) => open(`left ${index}`))
    for (const { connection } of left) connection.close()
    await Promise.all(kept.map(({ end }) => end))
    assert.deepEqual(new Set(left.map(({ tries }) => tries())), new Set([1]))
    for (const { connection } of kept) connection.close()
  })

  test('end at once where nobody listens any more', async () => {
    doorway = new Doorway()
    rmSync(path)
    assert.equal(await open('late').end, 'closed, true')
  })
})
