import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { HubError } from '../../../src/core/errors.ts'
import { limits } from '../../../src/core/limits.ts'
import { DerError, oidText, openDer, openSingle, readingAs, timeSec } from '../../../src/core/x509/der-reader.ts'
import { tags } from '../../../src/core/x509/der-tags.ts'
import {
  derElement,
  derInteger,
  derNamedBits,
  derOctetString,
  derOid,
  derSequence,
  derTime,
} from '../../../src/core/x509/der-writer.ts'

function hex(text: string): Uint8Array {
  return Buffer.from(text.replaceAll(' ', ''), 'hex')
}

function refuses(text: string, words: RegExp): void {
  assert.throws(
    () => openDer(hex(text)),
    (error) => error instanceof DerError && words.test(error.message),
    text,
  )
}

describe('the DER reader', () => {
  test('refuses lengths that are indefinite, not minimal, cut short or too wide', () => {
    refuses('3080 0000', /indefinite/)
    refuses('308102 0500', /not minimal/)
    refuses('30820080', /not minimal/)
    refuses('30820100', /cut short/)
    refuses('3082 007f', /not minimal/)
    refuses('3085 0000000001 00', /beyond 32 bits/)
    refuses('3003 0500', /cut short/)
    refuses('30', /ends inside the header/)
    refuses('30ff', /beyond 32 bits/)
  })

  test('refuses values that BER allows and DER does not', () => {
    refuses('0101 01', /BOOLEAN/)
    refuses('0202 0001', /not minimal/)
    refuses('0202 ff80', /not minimal/)
    refuses('0200', /empty/)
    refuses('0501 00', /NULL/)
    refuses('0300', /BIT STRING/)
    refuses('0301 01', /BIT STRING/)
    refuses('0302 0101', /padding/)
    refuses('0601 80', /cut short/)
    refuses('0602 8001', /not minimal/)
    refuses('2405 0403 010203', /string in parts/)
    refuses('1f1f 00', /more than one octet/)
    refuses('0000', /cannot stand/)
    refuses('1000', /cannot stand/)
    refuses('', /empty/)
  })

  test('refuses what is wrong deep inside, not only in the part that is asked for', () => {
    refuses('300b a009 3007 0101 ff 0202 007f', /not minimal/)
  })

  test('refuses bytes behind the element, because a second reading could begin there', () => {
    assert.throws(() => openSingle(hex('3000 0500'), tags.sequence, 'it'), /bytes follow/)
  })

  test('refuses nesting and size beyond the limits', () => {
    let nested: Uint8Array = derSequence()
    for (let depth = 1; depth < limits.derDepthMax; depth += 1) nested = derSequence(nested)
    assert.doesNotThrow(() => openDer(derElement(tags.octetString, nested)))
    assert.throws(() => openDer(derSequence(nested)), /deeper than/)
    assert.throws(() => openDer(derOctetString(new Uint8Array(limits.derBytesMax))), /more than/)
  })

  test('turns its own errors into the failure of what was read, and lets others through', () => {
    assert.throws(
      () => readingAs('csr-unreadable', 'it', () => openDer(new Uint8Array())),
      (error) => error instanceof HubError && error.code === 'csr-unreadable',
    )
    assert.throws(
      () =>
        readingAs('csr-unreadable', 'it', () => {
          throw new RangeError('x')
        }),
      RangeError,
    )
  })

  test('throws nothing but its own error on any bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        try {
          openDer(bytes)
        } catch (error) {
          assert.ok(error instanceof DerError)
        }
      }),
    )
  })
})

describe('the DER writer', () => {
  test('writes what the reader takes back, for contents of any length', () => {
    for (const length of [0, 1, 127, 128, 255, 256, 65_535, 65_536, 70_000]) {
      const content = new Uint8Array(length).fill(7)
      const outer = openDer(derOctetString(content), 100_000)
      assert.deepEqual(outer.take(tags.octetString, 'it').content, content)
    }
  })

  test('writes integers minimal and positive', () => {
    for (const [value, expected] of [
      [0, '020100'],
      [127, '02017f'],
      [128, '02020080'],
      [256n, '02020100'],
      [2n ** 64n, '0209010000000000000000'],
    ] as const) {
      assert.equal(Buffer.from(derInteger(value)).toString('hex'), expected)
    }
  })

  test('writes object identifiers that read back the same', () => {
    const arc = fc.nat({ max: 2 ** 31 - 1 })
    const oid = fc.tuple(fc.constantFrom('0.9', '1.2', '2.5', '2.999'), fc.array(arc, { maxLength: 8 }))
    fc.assert(
      fc.property(oid, ([root, arcs]) => {
        const dotted = [root, ...arcs].join('.')
        assert.equal(oidText(openDer(derOid(dotted)).take(tags.oid, 'it')), dotted)
      }),
    )
  })

  test('leaves out trailing zero bits of named bits (X.690 §11.2.2)', () => {
    assert.equal(Buffer.from(derNamedBits([0])).toString('hex'), '03020780')
    assert.equal(Buffer.from(derNamedBits([5, 6])).toString('hex'), '03020106')
    assert.equal(Buffer.from(derNamedBits([8])).toString('hex'), '0303070080')
  })

  test('writes UTCTime through 2049 and GeneralizedTime from 2050 (RFC 5280 §4.1.2.5)', () => {
    const text = (iso: string): string => Buffer.from(derTime(Date.parse(iso) / 1000)).toString('latin1')
    assert.equal(text('2049-12-31T23:59:59Z'), '\x17\x0d491231235959Z')
    assert.equal(text('2050-01-01T00:00:00Z'), '\x18\x0f20500101000000Z')
    assert.equal(text('1950-01-01T00:00:00Z'), '\x17\x0d500101000000Z')
    assert.equal(text('9999-12-31T23:59:59Z'), '\x18\x0f99991231235959Z')
  })

  test('writes times that read back the same', () => {
    fc.assert(
      fc.property(fc.integer({ min: Date.UTC(1950) / 1000, max: Date.UTC(9999) / 1000 }), (epochSec) => {
        assert.equal(timeSec(openDer(derTime(epochSec)).next('it'), 'it'), epochSec)
      }),
    )
  })
})

test('times in another form than RFC 5280 allows are refused', () => {
  for (const [tag, text] of [
    [tags.utcTime, '2601010000Z'],
    [tags.utcTime, '260101000000+0000'],
    [tags.utcTime, '260230000000Z'],
    [tags.utcTime, '260101240000Z'],
    [tags.utcTime, '260101000060Z'],
    [tags.generalizedTime, '20260101000000.5Z'],
    [tags.generalizedTime, '20260101000000'],
    [tags.generalizedTime, '20261301000000Z'],
    [tags.utf8String, '260101000000Z'],
  ] as const) {
    const element = openDer(derElement(tag, Buffer.from(text, 'latin1'))).next('it')
    assert.throws(() => timeSec(element, 'it'), DerError, text)
  }
})
