import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { HubError } from '../../../src/core/errors.ts'
import {
  isDnsName,
  parseDnsName,
  parseEmail,
  parseIdentityNames,
  parseIpAddress,
} from '../../../src/core/identity/names.ts'
import { limits } from '../../../src/core/limits.ts'

function refuses(parse: (value: string) => unknown, value: string, words: RegExp): void {
  assert.throws(
    () => parse(value),
    (error) => error instanceof HubError && error.code === 'name-invalid' && words.test(error.message),
    JSON.stringify(value),
  )
}

describe('a DNS name', () => {
  test('is read into lower case', () => {
    for (const name of ['localhost', 'hub.plant.example', 'xn--strae-oqa.example', 'a--b.example', '1a.2b']) {
      assert.equal(parseDnsName(name), name)
    }
    assert.equal(parseDnsName('HUB.Plant.Example'), 'hub.plant.example')
    assert.equal(parseDnsName(`${'a'.repeat(63)}.example`), `${'a'.repeat(63)}.example`)
  })

  test('is never a wildcard', () => {
    for (const value of ['*', '*.plant.example', 'hub.*', 'h*b.example']) refuses(parseDnsName, value, /wildcards/)
  })

  test('is never an address in any spelling', () => {
    for (const value of ['10.0.0.1', '1', '127.1', '0x7f.1', '0x7f000001', 'hub.0x', 'a.b.3']) {
      refuses(parseDnsName, value, /ends in a number/)
    }
  })

  test('holds nothing but letters, digits and inner hyphens', () => {
    const odd = [
      '-a',
      'a-',
      'a..b',
      'a.',
      '.a',
      'a_b',
      'a b',
      'a\u0000b',
      'a\n',
      'é.example',
      'ｈub',
      'a/b',
      'a:1',
      'ſ.example',
    ]
    for (const value of odd) refuses(parseDnsName, value, /is not made of letters, digits and inner hyphens/)
    refuses(parseDnsName, '', /empty/)
    refuses(parseDnsName, `${'a'.repeat(64)}.example`, /longer than 63/)
    refuses(parseDnsName, Array.from({ length: 64 }, () => 'abc').join('.'), /longer than 253/)
  })

  test('is refused or is one label after another, whatever text it is made of', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string({ unit: 'binary' }), fc.domain()), (value) => {
        let name: string
        try {
          name = parseDnsName(value)
        } catch (error) {
          assert.ok(error instanceof HubError && error.code === 'name-invalid')
          return
        }
        assert.match(name, /^[a-z0-9-]+(\.[a-z0-9-]+)*$/)
        assert.equal(name, value.toLowerCase())
        assert.ok(isDnsName(name))
      }),
    )
  })
})

describe('an IP address', () => {
  test('is read into its usual spelling', () => {
    assert.equal(parseIpAddress('10.3.0.11'), '10.3.0.11')
    assert.equal(parseIpAddress('2001:DB8:0:0:0:0:0:7'), '2001:db8::7')
    assert.equal(parseIpAddress('0123::1'), '123::1')
  })

  test('of no one host is refused', () => {
    for (const value of ['0.0.0.0', '::', '0:0:0:0:0:0:0:0']) refuses(parseIpAddress, value, /means any host/)
    for (const value of ['224.0.0.1', '255.255.255.255', '240.0.0.1', 'ff02::1']) {
      refuses(parseIpAddress, value, /not for one host/)
    }
  })

  test('has no second spelling that would pass by a bound on networks', () => {
    for (const value of ['::ffff:10.0.0.1', '::ffff:a00:1']) refuses(parseIpAddress, value, /clothes of IPv6/)
    for (const value of [
      '010.0.0.1',
      '10.1',
      '0x0a.0.0.1',
      '167772161',
      '10.0.0.256',
      'fe80::1%eth0',
      '10.0.0.1/8',
      '',
    ]) {
      refuses(parseIpAddress, value, /another form/)
    }
  })
})

describe('an e-mail address', () => {
  test('keeps the case of its local part and loses that of its domain', () => {
    assert.equal(parseEmail('Ada.Lovelace+mqtt@Plant.Example'), 'Ada.Lovelace+mqtt@plant.example')
  })

  test('with anything that mail programs read in two ways is refused', () => {
    const odd = ['"a b"@x.example', 'a@b@x.example', '.a@x.example', 'a..b@x.example', 'a\n@x.example', 'ä@x.example']
    for (const value of [...odd, '@x.example', '*@x.example', 'a@*.example', 'a@[10.0.0.1]', 'a@10.0.0.1', 'a@']) {
      refuses(parseEmail, value, /is not an e-mail address/)
    }
    refuses(parseEmail, 'plant.example', /no @/)
    refuses(parseEmail, `${'a'.repeat(65)}@x.example`, /too long/)
  })
})

test('names of an identity are kept once each, in the order given, and only so many', () => {
  assert.deepEqual(parseIdentityNames({ dnsNames: ['b.example', 'A.example', 'B.example'], ipAddresses: ['::1'] }), {
    dnsNames: ['b.example', 'a.example'],
    ipAddresses: ['::1'],
    emails: [],
  })
  const many = Array.from({ length: limits.identityNamesMax + 1 }, (_, index) => `a${index}.example`)
  assert.throws(
    () => parseIdentityNames({ dnsNames: many }),
    (error) => error instanceof HubError && error.code === 'name-invalid' && /17 names/.test(error.message),
  )
})
