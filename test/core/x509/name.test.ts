import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { DerError, openDer } from '../../../src/core/x509/der-reader.ts'
import { tags } from '../../../src/core/x509/der-tags.ts'
import { derElement, derOid, derSequence, derSet, derUtf8String } from '../../../src/core/x509/der-writer.ts'
import { buildName, emptyName, isSameName, type Name, nameText, readName } from '../../../src/core/x509/name.ts'
import { oids } from '../../../src/core/x509/oids.ts'

function read(der: Uint8Array): Name {
  return readName(openDer(der).next('the name'), 'the name')
}

test('a name built from a common name reads back the same, as UTF8String', () => {
  fc.assert(
    fc.property(fc.string({ minLength: 1, maxLength: 64, unit: 'grapheme' }), (text) => {
      const { attributes } = read(buildName(text))
      assert.deepEqual(attributes, [{ oid: oids.commonName, value: text.toWellFormed(), tag: tags.utf8String, rdn: 0 }])
    }),
  )
})

test('the text of a name starts with the most specific part (RFC 4514 §2.1)', () => {
  assert.equal(nameText(read(buildName('pump-1', 'Plant, East'))), 'CN=pump-1,O=Plant\\, East')
  assert.equal(nameText(read(emptyName)), '')
})

test('attributes that share one part are joined with a plus', () => {
  const pair = (oid: string, text: string): Uint8Array => derSequence(derOid(oid), derUtf8String(text))
  const name = derSequence(derSet(pair(oids.commonName, 'a'), pair('1.2.3', 'b')), derSet(pair(oids.userId, 'c')))
  assert.equal(nameText(read(name)), 'UID=c,CN=a+1.2.3=b')
})

test('the text of a name never holds a control character or one that reorders text', () => {
  const hostile = read(buildName('a\u0000b\n\u001b[31m\u202ec'))
  assert.equal(nameText(hostile), 'CN=a\\00b\\0a\\1b[31m\\e2\\80\\aec')
  fc.assert(
    fc.property(fc.string({ minLength: 1, unit: 'binary' }), (text) => {
      assert.doesNotMatch(nameText(read(buildName(text))), /[\p{Cc}\p{Cf}]/u)
    }),
  )
})

test('strings of older encodings read as text, and strings that are malformed are refused', () => {
  const name = (tag: number, bytes: string): Uint8Array =>
    derSequence(derSet(derSequence(derOid(oids.commonName), derElement(tag, Buffer.from(bytes, 'hex')))))
  const value = (tag: number, bytes: string): string | undefined => read(name(tag, bytes)).attributes[0]?.value
  assert.equal(value(tags.printableString, '7031'), 'p1')
  assert.equal(value(tags.teletexString, 'fc'), 'ü')
  assert.equal(value(tags.bmpString, '00fc0031'), 'ü1')
  assert.equal(value(tags.octetString, '00'), '#040100')
  assert.throws(() => value(tags.utf8String, 'ff'), DerError)
  assert.throws(() => value(tags.printableString, 'e4'), DerError)
  assert.throws(() => value(tags.bmpString, '00'), DerError)
})

test('names are the same only byte by byte, because one text can stand for two names', () => {
  const printable = derSequence(
    derSet(derSequence(derOid(oids.commonName), derElement(tags.printableString, Buffer.from('a')))),
  )
  assert.ok(isSameName(buildName('a'), buildName('a')))
  assert.ok(!isSameName(buildName('a'), printable))
})
