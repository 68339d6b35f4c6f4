import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { formatRenewalCertificateId, parseRenewalCertificateId } from '../../../src/core/renewal/certificate-id.ts'

test('the vector of RFC 9773 §4.1: the leading zero octet of the serial number counts', () => {
  const id = {
    authorityKeyIdentifier: '69885b6b87464041e1b37b847ba0ae2cde01c8d4',
    serialNumber: '0087654321',
  }
  assert.equal(formatRenewalCertificateId(id), 'aYhba4dGQEHhs3uEe6CuLN4ByNQ.AIdlQyE')
  assert.deepEqual(parseRenewalCertificateId('aYhba4dGQEHhs3uEe6CuLN4ByNQ.AIdlQyE'), id)
})

test('what is written is read as the same', () => {
  const hex = fc.uint8Array({ minLength: 1, maxLength: 20 }).map((octets) => Buffer.from(octets).toString('hex'))
  fc.assert(
    fc.property(hex, hex, (authorityKeyIdentifier, serialNumber) => {
      const id = { authorityKeyIdentifier, serialNumber }
      assert.deepEqual(parseRenewalCertificateId(formatRenewalCertificateId(id)), id)
    }),
  )
})

test('a certificate has one name: whatever else decodes to the same octets is none', () => {
  for (const text of [
    '',
    '.',
    'aYhb',
    'aYhb.',
    '.AIdlQyE',
    'aYhb.AIdl.AIdl',
    'aYhb.AIdlQyE=',
    'aYhb.AIdlQyF',
    'aY+b.AIdlQyE',
    'aY/b.AIdlQyE',
    'aYhb.AId lQyE',
    `aYhb.${'A'.repeat(200)}`,
  ]) {
    assert.equal(parseRenewalCertificateId(text), null, text)
  }
})

test('no text makes the parser throw', () => {
  fc.assert(fc.property(fc.string(), (text) => void parseRenewalCertificateId(text)))
})
