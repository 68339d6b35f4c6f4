import assert from 'node:assert/strict'
import { test } from 'node:test'
import { csrAttributes } from '../../../src/core/x509/csr-attributes.ts'
import { type DerReader, oidText, openSingle } from '../../../src/core/x509/der-reader.ts'
import { contextConstructed, tags } from '../../../src/core/x509/der-tags.ts'
import { oids } from '../../../src/core/x509/oids.ts'

const device = { keyTypes: ['P-256', 'RSA'], commonName: null, extensionsToFill: [] } as const

function attributeValue(reader: DerReader, oid: string): DerReader {
  const attribute = reader.enter(tags.sequence, 'an attribute')
  assert.equal(oidText(attribute.take(tags.oid, 'its type')), oid)
  const values = attribute.enter(tags.set, 'its values')
  attribute.assertEnd('the attribute')
  return values
}

test('a choice of keys stands in front in the order of preference, then the signature that goes with the first', () => {
  const list = openSingle(csrAttributes(device), tags.sequence, 'CsrAttrs')
  const curve = attributeValue(list, oids.ecPublicKey)
  assert.equal(oidText(curve.take(tags.oid, 'the curve')), oids.p256)
  const bits = attributeValue(list, oids.rsaEncryption)
  assert.equal(Buffer.from(bits.take(tags.integer, 'the length').content).toString('hex'), '0800')
  assert.equal(oidText(list.take(tags.oid, 'the signature')), oids.ecdsaWithSha256)
  attributeValue(list, oids.requestInfoTemplate)
  list.assertEnd('CsrAttrs')
})

test('the template leaves the name to a client that is not known, and the key to one that has a choice', () => {
  const template = templateOf(csrAttributes(device))
  const name = template
    .enter(tags.sequence, 'the subject')
    .enter(tags.set, 'its part')
    .enter(tags.sequence, 'its attribute')
  assert.equal(oidText(name.take(tags.oid, 'its type')), oids.commonName)
  name.assertEnd('a name without a value')
  assert.ok(template.enter(contextConstructed(1), 'the attributes').atEnd)
  template.assertEnd('the template')
})

test('the template names a known client, the only key there is, and what is left to fill in', () => {
  const wish = { keyTypes: ['RSA'], commonName: 'pump-7', extensionsToFill: [oids.subjectAltName] } as const
  const template = templateOf(csrAttributes(wish))
  const name = template.enter(tags.sequence, 'subject').enter(tags.set, 'part').enter(tags.sequence, 'attribute')
  name.take(tags.oid, 'its type')
  assert.equal(Buffer.from(name.take(tags.utf8String, 'its value').content).toString(), 'pump-7')
  const algorithm = template.enter(contextConstructed(0), 'the key').enter(tags.sequence, 'its algorithm')
  assert.equal(oidText(algorithm.take(tags.oid, 'its algorithm')), oids.rsaEncryption)
  const asked = attributeValue(template.enter(contextConstructed(1), 'attributes'), oids.extensionRequestTemplate)
  const extension = asked.enter(tags.sequence, 'the extensions').enter(tags.sequence, 'an extension')
  assert.equal(oidText(extension.take(tags.oid, 'its type')), oids.subjectAltName)
  extension.assertEnd('an extension without a value')
})

function templateOf(der: Uint8Array): DerReader {
  const list = openSingle(der, tags.sequence, 'CsrAttrs')
  for (;;) {
    const { tag, content, bytes } = list.next('an element')
    if (tag !== tags.sequence || !Buffer.from(content).includes(Buffer.from('2a864886f70d010910023d', 'hex'))) continue
    const template = attributeValue(openSequence(bytes), oids.requestInfoTemplate).enter(tags.sequence, 'the template')
    assert.equal(template.take(tags.integer, 'its version').content[0], 0)
    return template
  }
}

/** A reader that stands in front of these bytes. */
function openSequence(bytes: Uint8Array): DerReader {
  return openSingle(Buffer.concat([Buffer.from([0x30, bytes.length]), bytes]), tags.sequence, 'a list')
}
