/** Which of the sixty reasons are made, and that the hub tells different causes apart. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type FailureName, failure } from '../../../src/core/failure/catalogue.ts'
import { allRows } from './all-rows.ts'
import { notMade } from './not-made.ts'

const reasons = 60

/** Eleven causes that Mosquitto tells in the same two lines, as a hub tells them; the tests of each say how it is made. */
const elevenCauses: readonly FailureName[] = [
  'certificate-expired',
  'foreign-not-yet-valid',
  'certificate-foreign-authority',
  // The authority between is known from the chain that was sent; where it was listed, the device is let in without sending it.
  'foreign-issuer-unlisted',
  'certificate-self-signed',
  'certificate-wrong-usage',
  'certificate-cannot-sign',
  'certificate-issuer-no-authority',
  'foreign-revoked',
  'foreign-crl-ended',
  'foreign-revocation-unknown',
]

test('eleven causes that Mosquitto tells alike have eleven codes', () => {
  assert.equal(new Set(elevenCauses.map((name) => failure(name).id)).size, 11)
})

test('each of the sixty reasons is made, or says why it cannot be', () => {
  const made = new Set(allRows.map(({ number }) => number))
  const numbers = Array.from({ length: reasons }, (_, index) => index + 1)
  assert.deepEqual(
    numbers.filter((number) => !made.has(number) && notMade[number] === undefined),
    [],
  )
  assert.deepEqual(
    Object.keys(notMade).filter((number) => made.has(Number(number))),
    [],
  )
  assert.ok(made.size >= 50, `${made.size} are made`)
})
