import assert from 'node:assert/strict'
import { test } from 'node:test'
import { failure } from '../../src/core/failure/catalogue.ts'
import { finding, gravestFirst, hasFault } from '../../src/doctor/finding.ts'

test('a finding without more speaks in the words of the catalogue', () => {
  const found = finding('certificate-expired', 'client_cert.pem')
  const { cause, cure } = failure('certificate-expired')
  assert.deepEqual([found.severity, found.certainty, found.evidence, found.cure], ['fault', 'certain', cause, cure])
})

test('the gravest finding stands first, the surer one among equals', () => {
  const note = finding('certificate-expired', 'a', { severity: 'note' })
  const possible = finding('certificate-expired', 'b', { certainty: 'possible' })
  const certain = finding('certificate-expired', 'c')
  const warning = finding('certificate-expired', 'd', { severity: 'warning' })
  assert.deepEqual(
    gravestFirst([note, possible, warning, certain]).map(({ subject }) => subject),
    ['c', 'b', 'd', 'a'],
  )
})

test('a warning alone is no fault', () => {
  const warning = finding('certificate-expired', 'd', { severity: 'warning' })
  assert.equal(hasFault([{ subject: 'd', facts: [], findings: [warning] }]), false)
  assert.equal(hasFault([{ subject: 'd', facts: [], findings: [warning, finding('certificate-expired', 'd')] }]), true)
})
