/** Identification rules: who a certificate speaks for, and what names nobody. */
import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { identify, ruleFault } from '../../../src/core/identification/identify.ts'
import type { IdentificationRule } from '../../../src/core/policy/model.ts'
import type { CertificateFields } from '../../../src/core/x509/certificate.ts'
import { tags } from '../../../src/core/x509/der-tags.ts'
import { oids } from '../../../src/core/x509/oids.ts'

const place = { line: 1, column: 1 }
const uriRule: IdentificationRule = {
  ...{ name: 'by-uri', anchors: ['acme'], listeners: [], from: 'san.uri', match: 'urn:acme:(?<id>.+)' },
  ...{ identity: '${id}', onUnknown: 'deny', group: null, place },
}
const cnRule: IdentificationRule = { ...uriRule, name: 'by-cn', from: 'cn', match: '(?<id>[a-z0-9+#/-]+)' }

interface Names {
  readonly cn?: readonly string[]
  readonly serial?: string
  readonly uris?: readonly string[]
  readonly dnsNames?: readonly string[]
  readonly emails?: readonly string[]
  readonly tag?: number
}

function leaf({ cn = [], serial, uris = [], dnsNames = [], emails = [], tag = tags.utf8String }: Names) {
  const attributes = [
    ...cn.map((value, rdn) => ({ oid: oids.commonName, value, tag, rdn })),
    ...(serial === undefined ? [] : [{ oid: oids.serialNumberAttribute, value: serial, tag, rdn: 9 }]),
  ]
  const fields = { subject: { der: new Uint8Array(), attributes }, uris, dnsNames, emails }
  return {
    fields: fields as unknown as CertificateFields,
    fingerprint: 'ab'.repeat(32),
    anchorId: 'acme',
    listener: 'mqtt',
  }
}

function told(rules: readonly IdentificationRule[], names: Names): string {
  const found = identify(rules, leaf(names))
  return found.kind === 'found' ? `${found.identityId} by ${found.rule.name}` : found.kind
}

suite('an identification rule', () => {
  test('reads the field that it names and no other', () => {
    assert.equal(told([uriRule], { uris: ['urn:acme:m1'], cn: ['m2'] }), 'm1 by by-uri')
    assert.equal(told([uriRule], { cn: ['urn:acme:m1'], dnsNames: ['urn:acme:m1'] }), 'none')
    assert.equal(told([{ ...cnRule, from: 'subject.serialNumber' }], { serial: '4711', cn: ['m2'] }), '4711 by by-cn')
    assert.equal(told([{ ...cnRule, from: 'san.dns' }], { dnsNames: ['m3'] }), 'm3 by by-cn')
    assert.equal(
      told([{ ...cnRule, from: 'san.email', match: '(?<id>[a-z]+)@acme\\.example' }], { emails: ['eva@acme.example'] }),
      'eva by by-cn',
    )
    const byThumbprint = { ...cnRule, from: 'thumbprint' as const, match: `${'ab'.repeat(32)}`, identity: 'the-one' }
    assert.equal(told([byThumbprint], {}), 'the-one by by-cn')
  })

  test('is tried in its order, and the first that matches decides', () => {
    const rules = [{ ...cnRule, name: 'mills', match: 'mill-(?<id>.*)', identity: 'mill.${id}' }, cnRule]
    assert.equal(told(rules, { cn: ['mill-3'] }), 'mill.3 by mills')
    assert.equal(told(rules, { cn: ['pump-3'] }), 'pump-3 by by-cn')
    assert.equal(told(rules.toReversed(), { cn: ['mill-3'] }), 'mill-3 by by-cn')
  })

  test('is bound to its anchors and listeners', () => {
    assert.equal(told([{ ...cnRule, anchors: ['other'] }], { cn: ['m1'] }), 'none')
    assert.equal(told([{ ...cnRule, listeners: ['factory'] }], { cn: ['m1'] }), 'none')
    assert.equal(told([{ ...cnRule, listeners: ['mqtt'] }], { cn: ['m1'] }), 'm1 by by-cn')
  })

  test('refuses a field that comes with two values, whatever a later rule would say', () => {
    assert.equal(told([uriRule, cnRule], { uris: ['urn:acme:m1', 'urn:acme:m2'], cn: ['m1'] }), 'unfit')
    assert.equal(told([cnRule], { cn: ['m1', 'm2'] }), 'unfit')
    assert.equal(told([uriRule], { uris: ['urn:acme:m1', 'urn:acme:m1'] }), 'm1 by by-uri')
  })

  const hostile = ['m1\0x', 'm1\u202e', 'm\u0065\u0301', 'm+1', 'm#', 'a/b', '', ' m', '$SYS', 'm1\n']
  for (const name of hostile) {
    test(`names nobody by ${JSON.stringify(name)}`, () => {
      assert.equal(told([{ ...cnRule, match: '(?<id>.*)' }], { cn: [name] }), 'unfit')
    })
  }

  test('names nobody by a string that programs read in different ways', () => {
    assert.equal(told([cnRule], { cn: ['m1'], tag: tags.teletexString }), 'unfit')
    assert.equal(told([cnRule], { cn: ['m1'], tag: tags.bmpString }), 'unfit')
  })

  test('names nobody where a part of the id was not in the name', () => {
    assert.equal(told([{ ...cnRule, match: 'a|b-(?<id>.)' }], { cn: ['a'] }), 'unfit')
  })

  test('takes any certificate only where that is written out', () => {
    assert.equal(told([{ ...cnRule, from: null, match: null, identity: 'guest' }], {}), 'guest by by-cn')
  })

  test('is refused in a policy that it could never work in', () => {
    assert.equal(ruleFault(uriRule), null)
    assert.match(ruleFault({ ...uriRule, match: '(a)' }) ?? '', /a group without a name/)
    assert.match(ruleFault({ ...uriRule, identity: '${name}' }) ?? '', /no group \(\?<name>/)
    assert.match(ruleFault({ ...uriRule, identity: '${id}/x' }) ?? '', /no identity id/)
    assert.match(ruleFault({ ...uriRule, from: null, match: null }) ?? '', /no group/)
  })
})
