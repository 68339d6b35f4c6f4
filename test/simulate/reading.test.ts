import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { takeReading } from '../../src/simulate/reading.ts'

test('a reading stays within what the sensor can measure and warns above 30 degrees', () => {
  const chance = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true })
  fc.assert(
    fc.property(chance, (value) => {
      const { temperature, humidity, temperatureAlert } = takeReading('pump-7', 3, () => value)
      assert.ok(Number.isInteger(temperature) && temperature >= 20 && temperature <= 34)
      assert.ok(Number.isInteger(humidity) && humidity >= 60 && humidity <= 79)
      assert.equal(temperatureAlert, temperature > 30)
    }),
  )
})
