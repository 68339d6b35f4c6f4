import assert from 'node:assert/strict'
import { once } from 'node:events'
import { type AddressInfo, createServer } from 'node:net'
import { type TestContext, test } from 'node:test'
import { assertPortsFree, settledPort } from '../../src/machine/free-ports.ts'

const host = '127.0.0.1'

async function takenPort(t: TestContext): Promise<number> {
  const server = createServer().listen(0, host)
  t.after(() => server.close())
  await once(server, 'listening')
  return (server.address() as AddressInfo).port
}

test('every taken port is named, with one hint that has the flag of each', async (t) => {
  const [mqtt, api] = [await takenPort(t), await takenPort(t)]
  const wanted = [
    { purpose: 'HTTP', host, port: 0 },
    { purpose: 'MQTT', host, port: mqtt },
    { purpose: 'API', host, port: api },
  ]
  await assert.rejects(assertPortsFree(wanted), (error: { code?: string; message?: string; hint?: string }) => {
    assert.equal(error.code, 'port-taken')
    for (const port of [mqtt, api]) assert.match(error.message ?? '', new RegExp(String(port)))
    assert.match(error.hint ?? '', /--mqtt-port, --api-listen/)
    return true
  })
  await assertPortsFree([{ purpose: 'HTTP', host, port: 0 }])
})

test('a port that the gate processes of another hub share is taken, though the kernel would let more of them share it', async (t) => {
  const shared = createServer().listen({ host, port: 0, reusePort: process.platform === 'linux' })
  t.after(() => shared.close())
  await once(shared, 'listening')
  const { port } = shared.address() as AddressInfo
  await assert.rejects(settledPort({ purpose: 'MQTT', host, port }), { code: 'port-taken' })
})

test('a port that is free is settled on, and any is chosen where that is 0', async (t) => {
  const port = await settledPort({ purpose: 'MQTT', host, port: 0 })
  assert.ok(port > 0)
  const taken = await takenPort(t)
  assert.notEqual(port, taken)
  assert.equal(await settledPort({ purpose: 'MQTT', host, port }), port)
})
