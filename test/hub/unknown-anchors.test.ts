import assert from 'node:assert/strict'
import { test } from 'node:test'
import { distrustAnchor } from '../../src/hub/change-anchors.ts'
import { warnOfUnknownAnchors } from '../../src/hub/unknown-anchors.ts'
import { authority, trusted } from '../support/anchor-bed.ts'
import { hubParts } from '../support/hub-parts.ts'

test('a listener that names a trust anchor which there is not, or which opens nothing, is warned of', async (t) => {
  const hub = await hubParts(t)
  await trusted(hub, authority('ACME'))
  const told = async (...anchors: readonly string[]) => {
    hub.log.lines.length = 0
    await warnOfUnknownAnchors(hub, [
      { name: 'factory', anchors },
      { name: 'mqtt', anchors: [] },
    ])
    return hub.log.lines.map(({ level, fields }) => ({ level, ...fields }))
  }
  assert.deepEqual(await told('acme'), [])
  assert.deepEqual(await told('acne', 'acme'), [
    { level: 'warn', listener: 'factory', anchor: 'acne', nearest: 'acme' },
  ])
  await distrustAnchor(hub, hub.actor, 'acme')
  assert.deepEqual(await told('acme'), [{ level: 'warn', listener: 'factory', anchor: 'acme', state: 'distrusted' }])
})
