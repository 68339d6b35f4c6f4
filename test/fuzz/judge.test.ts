import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Judge } from './judge.ts'

/** What the judge finds in a packet that follows a good CONNECT. */
function faultsIn(level: 4 | 5, hex: string): readonly string[] {
  const faults: string[] = []
  const judge = new Judge(
    level,
    'broker',
    (what) => faults.push(what),
    () => {},
  )
  judge.read(
    bytes(level === 5 ? '10 0e 0004 4d515454 05 02 003c 00 0001 61' : '10 0d 0004 4d515454 04 02 003c 0001 61'),
  )
  judge.read(bytes(hex))
  return faults
}

function bytes(hex: string): Buffer {
  return Buffer.from(hex.replaceAll(' ', ''), 'hex')
}

test('the judge of the fuzz run passes what is well-formed', () => {
  assert.deepEqual(faultsIn(5, '32 08 0001 61 0001 00 6161'), [])
  assert.deepEqual(faultsIn(4, '32 05 0001 61 0001'), [])
  assert.deepEqual(faultsIn(5, '82 09 0001 02 0b01 0001 61 00'), [])
  assert.deepEqual(faultsIn(4, 'c0 00'), [])
  // MQTT allows line ends in filters, though nobody should use them (MQTT 5 §1.5.4).
  assert.deepEqual(faultsIn(4, '82 10 0001 000b 2473686172652f672f0a61 00'), [])
})

test('the judge of the fuzz run finds what no broker may see', () => {
  const vectors: readonly (readonly [4 | 5, string, RegExp])[] = [
    [5, '32 08 0001 61 0000 00 6161', /packet identifier is 0/],
    [4, '40 02 0000', /packet identifier is 0/],
    [5, '82 07 0000 00 0001 61 00', /packet identifier is 0/],
    [5, '30 0e 0001 61 0a 0200000001 0200000001', /messageExpiryInterval stands there twice/],
    [5, '30 08 0001 61 04 0101 0101', /payloadFormatIndicator stands there twice/],
    [5, '82 09 0001 02 0b00 0001 61 00', /subscription identifier is 0/],
    [5, '30 07 0001 61 03 230001', /a topic alias goes on/],
    [5, '30 06 0001 61 02 2401', /property maximumQoS/],
    [5, '30 16 0001 61 12 26 000a 48616e64666173742d61 0003 626164', /words of the gate/],
    [4, '30 03 0001 23', /topic is "#"/],
    [4, '38 03 0001 61', /DUP|dup/],
    [4, '82 08 0001 0003 2361 62 00', /filter is/],
    [4, 'd0 00', /never sends pingresp/],
    [4, 'c0', /no whole packet/],
  ]
  for (const [level, hex, expected] of vectors) {
    const found = faultsIn(level, hex)
    assert.ok(
      found.some((fault) => expected.test(fault)),
      `${hex}: ${JSON.stringify(found)}`,
    )
  }
})
