import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { CodingError, HubError } from '../../../src/core/errors.ts'
import { decodePem, encodePem } from '../../../src/core/x509/pem.ts'
import { certsOnly, readCertsOnly } from '../../../src/core/x509/pkcs7.ts'
import { serialNumberFrom } from '../../../src/core/x509/serial-number.ts'
import { makeIssuing, makeRoot } from './support.ts'

const validity = { notBeforeSec: 1_790_000_000, notAfterSec: 1_790_863_999 }
const root = makeRoot(validity)
const issuing = makeIssuing(root, validity)

function hasCode(code: string): (error: unknown) => boolean {
  return (error) => error instanceof HubError && error.code === code
}

describe('a certs-only message', () => {
  test('gives back its certificates in their order', () => {
    const sent = [issuing.der, root.der]
    assert.deepEqual(readCertsOnly(certsOnly(sent)).map(toHex), sent.map(toHex))
  })

  test('is refused when it is cut short, continued, empty, or changed in a way that matters', () => {
    const message = certsOnly([root.der])
    for (let length = 0; length < message.length; length += 7) {
      assert.throws(() => readCertsOnly(message.subarray(0, length)), hasCode('hub-answer-unexpected'))
    }
    assert.throws(() => readCertsOnly(Uint8Array.of(...message, 0)), hasCode('hub-answer-unexpected'))
    assert.throws(() => readCertsOnly(certsOnly([])), /no certificate/)
    assert.throws(() => readCertsOnly(certsOnly(new Array(17).fill(root.der))), /more than 16/)
  })

  test('of any change throws nothing but its own failure', () => {
    const message = certsOnly([root.der])
    fc.assert(
      fc.property(fc.nat({ max: message.length - 1 }), fc.nat({ max: 255 }), (index, octet) => {
        const changed = Uint8Array.from(message)
        changed[index] = octet
        try {
          readCertsOnly(changed)
        } catch (error) {
          assert.ok(hasCode('hub-answer-unexpected')(error), String(error))
        }
      }),
      { numRuns: 1_000 },
    )
  })
})

describe('PEM', () => {
  test('round-trips bytes of any length in lines of at most 64 columns', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 1, maxLength: 400 }), (der) => {
        const text = encodePem('CERTIFICATE', der)
        assert.ok(text.split('\n').every((line) => line.length <= 64))
        assert.deepEqual(decodePem(text), [{ label: 'CERTIFICATE', der }])
      }),
    )
  })

  test('finds all blocks between other text, whatever ends the lines', () => {
    const text = `subject=CN = x\n${encodePem('A', Uint8Array.of(1))}some text\n${encodePem('B', Uint8Array.of(2))}`
    const labels = decodePem(text.replaceAll('\n', '\r\n')).map(({ label }) => label)
    assert.deepEqual(labels, ['A', 'B'])
    assert.deepEqual(decodePem('no block here'), [])
  })

  test('is refused when a block is damaged', () => {
    const whole = encodePem('CERTIFICATE', randomBytes(90))
    const damaged = [
      whole.replace(/-----END.*\n/, ''),
      whole.replace('END CERTIFICATE', 'END OTHER'),
      whole.replace(/\n./, '\n*'),
      whole.replace(/\n./, '\n'),
      '-----BEGIN X-----\n-----END X-----\n',
    ]
    for (const text of damaged) assert.throws(() => decodePem(text), hasCode('certificate-unreadable'))
    assert.throws(() => decodePem(damaged[0] ?? '', 'csr-unreadable'), hasCode('csr-unreadable'))
  })
})

test('a serial number is 20 octets, positive, and keeps 158 bits of its randomness', () => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 20, maxLength: 20 }), (random) => {
      const serialNumber = serialNumberFrom(random)
      assert.equal(serialNumber.length, 20)
      assert.equal((serialNumber[0] ?? 0) & 0xc0, 0x40)
      assert.equal((serialNumber[0] ?? 0) & 0x3f, (random[0] ?? 0) & 0x3f)
      assert.deepEqual(serialNumber.subarray(1), random.subarray(1))
    }),
  )
  assert.throws(() => serialNumberFrom(new Uint8Array(19)), CodingError)
})

function toHex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex')
}
