/** Whether a certificate is revoked, by all that is known. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import {
  type OcspStatus,
  type RevocationBehaviour,
  type Revocations,
  revocationOf,
} from '../../../src/core/identification/anchor.ts'

const nowSec = 1_000
const part = 'http://crl.acme.example/7.crl'
const crl = (revoked: readonly string[], nextUpdateSec = nowSec, urls: readonly string[] = []): Revocations => ({
  ...{ urls, nextUpdateSec, serialNumbers: new Set(revoked) },
})
const judged = (
  behaviour: RevocationBehaviour,
  crls: readonly Revocations[],
  ocsp: OcspStatus = null,
  points: readonly string[] = [part],
) => revocationOf(behaviour, crls, { serialNumber: '01', points }, ocsp, nowSec)

test('a CRL in date or the word of a responder is required, to the second', () => {
  assert.equal(judged('require', []), 'unknown')
  assert.equal(judged('require', [crl([])]), 'good')
  assert.equal(judged('require', [crl([], nowSec - 1)]), 'ended')
  assert.equal(judged('require', [crl([], nowSec - 1)], 'good'), 'good')
  assert.equal(judged('require', [], 'good'), 'good')
})

test('a part counts for the certificates that name it alone', () => {
  assert.equal(judged('require', [crl([], nowSec, [part])]), 'good')
  assert.equal(judged('require', [crl([], nowSec, [part])], null, []), 'unknown')
  assert.equal(judged('prefer', [crl(['01'], nowSec, ['http://crl.acme.example/8.crl'])]), 'good')
})

test('who is named as revoked anywhere stays out, whatever else is said and however old it is; except where nothing counts', () => {
  const list = fc.array(fc.tuple(fc.boolean(), fc.integer({ min: 0, max: 2_000 })), { maxLength: 4 })
  const word = fc.constantFrom<OcspStatus>('good', 'revoked', null)
  fc.assert(
    fc.property(list, word, fc.constantFrom('require', 'prefer'), (lists, ocsp, behaviour) => {
      const crls = lists.map(([isNamed, nextUpdateSec]) => crl(isNamed ? ['01'] : ['02'], nextUpdateSec))
      const isNamed = ocsp === 'revoked' || lists.some(([named]) => named)
      assert.equal(judged(behaviour, crls, ocsp) === 'revoked', isNamed)
      assert.equal(judged('ignore', crls, ocsp), 'good')
    }),
  )
})
