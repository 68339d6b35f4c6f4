import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { CodingError, HubError } from '../../../src/core/errors.ts'
import { type CrlContent, crlToBeSigned, encodeCrlEntries, signedCrl } from '../../../src/core/x509/crl.ts'
import { readCrl } from '../../../src/core/x509/crl-reader.ts'
import { openSingle } from '../../../src/core/x509/der-reader.ts'
import { contextConstructed, tags } from '../../../src/core/x509/der-tags.ts'
import { readAuthorityInfoAccess } from '../../../src/core/x509/extension-reader.ts'
import { authorityInfoAccess } from '../../../src/core/x509/extensions.ts'
import { crlUrl, makeIssuing, makeRoot, signBytes } from './support.ts'

const validity = { notBeforeSec: 1_790_000_000, notAfterSec: 1_790_863_999 }
const issuing = makeIssuing(makeRoot(validity), validity)

const content = {
  issuer: issuing.fields,
  distributionPoint: null,
  number: 7n,
  thisUpdateSec: 1_790_000_000,
  nextUpdateSec: 1_790_086_400,
}

function signed(tbs: Uint8Array): Uint8Array {
  return signedCrl(tbs, signBytes(issuing.key, tbs))
}

function entry(reason: 'superseded' | 'certificateHold' = 'superseded') {
  return { serialNumber: `4${randomBytes(20).toString('hex').slice(1)}`, revokedAtMs: 1_790_000_000_000, reason }
}

describe('a CRL', () => {
  test('without entries has no list at all (RFC 5280 §5.1.2.6)', () => {
    for (const revoked of [[], { parts: [] }, { parts: [encodeCrlEntries([])] }]) {
      const fields = openSingle(crlToBeSigned({ ...content, revoked }), tags.sequence, 'the CRL')
      const found: number[] = []
      while (!fields.atEnd) found.push(fields.next('a field').tag)
      const time = tags.utcTime
      assert.deepEqual(found, [tags.integer, tags.sequence, tags.sequence, time, time, contextConstructed(0)])
    }
  })

  test('refuses a serial number that is not hexadecimal of 1 to 20 octets, because it would name another', () => {
    for (const serialNumber of ['', 'xx', '123', '00'.repeat(21)]) {
      const revoked = [{ serialNumber, revokedAtMs: 1_790_000_000_000, reason: 'superseded' as const }]
      assert.throws(() => crlToBeSigned({ ...content, revoked }), CodingError)
    }
  })

  test('reads back as it was made, a full one and one of a distribution point', () => {
    for (const distributionPoint of [null, crlUrl]) {
      const tbs = crlToBeSigned({ ...content, distributionPoint, revoked: [entry(), entry('certificateHold')] })
      const read = readCrl(signed(tbs))
      assert.equal(read.distributionPoint, distributionPoint)
      assert.deepEqual([read.number, read.entries], [7n, 2])
      assert.deepEqual([read.thisUpdateSec, read.nextUpdateSec], [content.thisUpdateSec, content.nextUpdateSec])
      assert.deepEqual(Buffer.from(read.toBeSigned), Buffer.from(tbs))
    }
  })

  test('is the same whether its entries were encoded at once or in parts', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 9 }), fc.integer({ min: 0, max: 9 }), (first, second) => {
        const all = Array.from({ length: first + second }, () => entry())
        const parts = [encodeCrlEntries(all.slice(0, first)), encodeCrlEntries(all.slice(first))]
        assert.deepEqual(crlToBeSigned({ ...content, revoked: { parts } }), crlToBeSigned({ ...content, revoked: all }))
      }),
      { numRuns: 20 },
    )
  })

  test('with an issuing distribution point that is not critical is not one of ours', () => {
    const der = signed(crlToBeSigned({ ...content, distributionPoint: crlUrl, revoked: [] }))
    const hex = Buffer.from(der).toString('hex')
    // The OBJECT IDENTIFIER 2.5.29.28 and the BOOLEAN behind it.
    assert.ok(hex.includes('0603551d1c0101ff'))
    const changed = Buffer.from(hex.replace('0603551d1c0101ff', '0603551d1c010100'), 'hex')
    assert.throws(() => readCrl(changed), hasCode('certificate-unreadable'))
  })

  test('changed anywhere throws nothing but its own failure', () => {
    const der = signed(
      crlToBeSigned({ ...content, distributionPoint: crlUrl, revoked: [entry()] } satisfies CrlContent),
    )
    fc.assert(
      fc.property(fc.nat({ max: der.length - 1 }), fc.nat({ max: 255 }), (index, octet) => {
        const changed = Uint8Array.from(der)
        changed[index] = octet
        try {
          readCrl(changed)
        } catch (error) {
          assert.ok(hasCode('certificate-unreadable')(error), String(error))
        }
      }),
      { numRuns: 1_000 },
    )
  })
})

function hasCode(code: string): (error: unknown) => boolean {
  return (error) => error instanceof HubError && error.code === code
}

test('the ways to an authority read back, OCSP first, and one of them is enough', () => {
  const both = { ocspUrl: 'http://hub.example/ocsp', caIssuersUrl: 'http://hub.example/ca/issuing.crt' }
  assert.deepEqual(readAuthorityInfoAccess(authorityInfoAccess(both)), {
    ocsp: [both.ocspUrl],
    caIssuers: [both.caIssuersUrl],
  })
  assert.deepEqual(readAuthorityInfoAccess(authorityInfoAccess({ ocspUrl: both.ocspUrl })).caIssuers, [])
  assert.throws(() => authorityInfoAccess({}), CodingError)
  assert.throws(() => authorityInfoAccess({ ocspUrl: 'http://höb/' }), hasCode('config-invalid'))
})
