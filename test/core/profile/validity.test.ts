import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { HubError } from '../../../src/core/errors.ts'
import { builtInProfile, deviceProfile } from '../../../src/core/profile/built-in.ts'
import { validityFrom } from '../../../src/core/profile/validity.ts'

const nowSec = 1_790_000_000

function hasCode(code: string): (error: unknown) => boolean {
  return (error) => error instanceof HubError && error.code === code
}

test('a certificate starts early and its last good second is one before the lifetime has passed', () => {
  assert.deepEqual(validityFrom({ lifetimeSec: 600, backdateSec: 60 }, nowSec, null), {
    notBeforeSec: nowSec - 60,
    notAfterSec: nowSec + 599,
  })
})

test('a certificate stays within its issuer at both ends', () => {
  const start = fc.integer({ min: nowSec - 1_000, max: nowSec })
  const end = fc.integer({ min: nowSec + 60, max: nowSec + 2 * deviceProfile.lifetimeSec })
  fc.assert(
    fc.property(start, end, (notBeforeSec, notAfterSec) => {
      const made = validityFrom(deviceProfile, nowSec, { notBeforeSec, notAfterSec })
      assert.ok(made.notBeforeSec >= notBeforeSec && made.notBeforeSec <= nowSec)
      assert.ok(made.notAfterSec <= notAfterSec && made.notAfterSec < nowSec + deviceProfile.lifetimeSec)
    }),
  )
})

test('an authority that ends within a minute issues nothing', () => {
  const issuer = { notBeforeSec: 0, notAfterSec: nowSec + 59 }
  assert.throws(() => validityFrom(deviceProfile, nowSec, issuer), hasCode('authority-expired'))
  assert.doesNotThrow(() => validityFrom(deviceProfile, nowSec - 1, issuer))
})

test('a clock before the authority is named as what it is', () => {
  const issuer = { notBeforeSec: nowSec + 1, notAfterSec: nowSec + 10_000 }
  assert.throws(() => validityFrom(deviceProfile, nowSec, issuer), hasCode('clock-before-authority'))
})

test('only devices may connect', () => {
  const names = ['device', 'dual', 'server', 'user', 'root', 'issuing', 'ocsp', 'other']
  const answers = names.map((name) => builtInProfile(name)?.mayConnect ?? null)
  assert.deepEqual(answers, [true, true, false, false, false, false, false, null])
})
