import assert from 'node:assert/strict'
import { test } from 'node:test'
import { nearest } from '../../src/core/nearest.ts'

const words = ['mqtt-port', 'http-port', 'https-port', 'host', 'data']

test('the nearest word forgives letters that are swapped, missing, added or wrong', () => {
  assert.equal(nearest('mqtt-prot', words), 'mqtt-port')
  assert.equal(nearest('mqttport', words), 'mqtt-port')
  assert.equal(nearest('https--port', words), 'https-port')
  assert.equal(nearest('hots', words), 'host')
})

test('a word that shares little with all of them has no nearest one', () => {
  assert.equal(nearest('colour', words), null)
  assert.equal(nearest('x', words), null)
  assert.equal(nearest('', words), null)
})

test('a word longer than any setting is not compared', () => {
  assert.equal(nearest('a'.repeat(100_000), words), null)
})

test('fewer slips may be asked for', () => {
  assert.equal(nearest('mqttprot', words, 1), null)
})
