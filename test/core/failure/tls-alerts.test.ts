import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isTlsAlert, tlsAlertNamed, tlsAlerts } from '../../../src/core/failure/tls-alerts.ts'

test('an alert is found by its name in the spellings that programs print', () => {
  assert.equal(tlsAlertNamed('unknown_ca'), 48)
  assert.equal(tlsAlertNamed('UNKNOWN_CA'), 48)
  assert.equal(tlsAlertNamed('unknown ca'), 48)
  assert.equal(tlsAlertNamed('certificate-required'), 116)
})

test('what no alert is called is none', () => {
  for (const name of ['', 'unknown', 'constructor', '48', 'unknown_caa']) assert.equal(tlsAlertNamed(name), null, name)
})

test('numbers from outside are told from alerts', () => {
  assert.equal(isTlsAlert(45), true)
  assert.equal(isTlsAlert(255), false)
  assert.equal(isTlsAlert(-1), false)
  assert.equal(isTlsAlert(4.5), false)
})

test('no two numbers have one name', () => {
  const names = Object.values(tlsAlerts)
  assert.equal(new Set(names).size, names.length)
})
