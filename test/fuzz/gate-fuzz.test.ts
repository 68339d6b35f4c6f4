// needs: openssl
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { runFuzz } from './fuzz-run.ts'

test('of mutated packets of all versions nothing malformed and nothing denied goes on, to either side, and no session is left over', {
  timeout: 120_000,
}, async () => {
  const { faults, mutated, left, endings, reached } = await runFuzz({ packets: 3_000, seed: 1 })
  assert.deepEqual(faults, [])
  assert.ok(mutated >= 3_000)
  assert.equal(left, 0)
  // That so much was refused, and so much went on, shows that the packets are neither all broken nor all whole.
  for (const code of ['packet-malformed', 'protocol-error', 'publish-denied', 'connect-malformed']) {
    assert.ok((endings.get(code) ?? 0) > 0, code)
  }
  for (const kind of ['publish', 'subscribe', 'pubrel', 'unsubscribe', 'disconnect']) {
    assert.ok((reached.get(kind) ?? 0) > 0, kind)
  }
})
