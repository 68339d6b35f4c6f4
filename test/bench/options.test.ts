import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type BenchOptions, parseOptions, rowNames } from '../../bench/options.ts'
import { fullSizes, gateDevices, liveSessions, quickSizes } from '../../bench/sizes.ts'

function measured(...args: readonly string[]): BenchOptions {
  const asked = parseOptions(args)
  if (asked.act !== 'measure') assert.fail(`it asks for ${asked.act}`)
  return asked.options
}

test('without options every row is measured in full', () => {
  const options = measured()
  assert.deepEqual([...options.rows], [...rowNames])
  assert.equal(options.sizes, fullSizes)
  assert.equal(options.what, 'full')
})

test('a run is named after its rows and its size', () => {
  assert.equal(measured('--quick').what, 'quick')
  assert.equal(measured('--only', 'revoke,connect').what, 'connect+revoke')
  assert.equal(measured('--quick', '--only', 'enrol').what, 'quick-enrol')
  assert.equal(measured('--cpu-prof', 'x', '--quick').what, 'profiled-quick')
})

test('--rounds holds for every row, for memory a third of it, and the deadline moves along', () => {
  const { sizes } = measured('--rounds', '18')
  assert.equal(sizes.rounds, 18)
  assert.equal(sizes.memoryRounds, 6)
  assert.equal(sizes.deadlineMs, 2 * fullSizes.deadlineMs)
  assert.equal(measured('--quick', '--rounds', '1').sizes.deadlineMs, quickSizes.deadlineMs)
})

test('half of the sessions or more outlive the revocations, whatever the rounds', () => {
  for (const rounds of ['1', '9', '99']) {
    const { sizes } = measured('--rounds', rounds)
    for (const devices of [liveSessions(sizes), gateDevices(sizes)]) {
      assert.ok(devices >= 2 * sizes.rounds * sizes.revocationsPerRound)
    }
  }
})

test('results are compared by two and quoted by one', () => {
  assert.deepEqual(parseOptions(['--compare', '/a.json', '/b.json']), { act: 'compare', files: ['/a.json', '/b.json'] })
  assert.deepEqual(parseOptions(['--page', '/a.json']), { act: 'page', file: '/a.json' })
  assert.throws(() => parseOptions(['--compare', '/a.json']), /two result files, not 1/)
  assert.throws(() => parseOptions(['--compare', '/a', '/b', '/c']), /two result files, not 3/)
})

test('what cannot be meant is refused by name', () => {
  assert.throws(() => parseOptions(['--only', 'conect']), /no row 'conect'/)
  assert.throws(() => parseOptions(['--rounds', '0']), /1 to 99, not '0'/)
  assert.throws(() => parseOptions(['--rounds', '1e3']), /1 to 99, not '1e3'/)
  assert.throws(() => parseOptions(['revoke']), /'revoke' is no option/)
  assert.throws(() => parseOptions(['--quik']), /--quik/)
})
