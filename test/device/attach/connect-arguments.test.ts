import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readConnectArguments } from '../../../src/device/attach/connect-arguments.ts'

const done = (): void => {}

const cases: readonly (readonly [says: string, args: readonly unknown[], options: object])[] = [
  ['options', [{ host: 'a', port: 1 }], { host: 'a', port: 1 }],
  ['a port', [8883], { port: 8883 }],
  ['a port as text', ['8883'], { port: 8883 }],
  ['a port and a host', [8883, 'a'], { port: 8883, host: 'a' }],
  ['a port and options', [8883, { host: 'a' }], { port: 8883, host: 'a' }],
  ['a port, a host and options, which win', [1, 'a', { host: 'b', port: 2 }], { port: 2, host: 'b' }],
  ['a port without a host, and options', [1, undefined, { servername: 'b' }], { port: 1, servername: 'b' }],
  ['a path', ['/run/x.sock'], { path: '/run/x.sock' }],
  ['a path and options', ['/run/x.sock', { servername: 'b' }], { path: '/run/x.sock', servername: 'b' }],
]

for (const [says, args, options] of cases) {
  test(`${says}, with a callback and without`, () => {
    assert.deepEqual(readConnectArguments(args), { options, callback: undefined })
    assert.deepEqual(readConnectArguments([...args, done]), { options, callback: done })
  })
}

test('options are copied, so that what is added does not reach the application', () => {
  const own = { host: 'a' }
  assert.notEqual(readConnectArguments([own])?.options, own)
})

for (const args of [[], [undefined], [null, 'a'], [['a']], [true]]) {
  test(`${JSON.stringify(args)} is left to Node`, () => assert.equal(readConnectArguments(args), null))
}
