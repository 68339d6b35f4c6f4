import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { HubError } from '../../../src/core/errors.ts'
import { type Bootstrap, formatBootstrap, parseBootstrap } from '../../../src/core/identity/bootstrap.ts'
import { isIdentityId, parseIdentityId, parseRealm, spiffeId } from '../../../src/core/identity/id.ts'
import { parseAttributes, parseGroup } from '../../../src/core/identity/identity.ts'
import { Secret } from '../../../src/core/secret.ts'

function refuses(code: string): (error: unknown) => boolean {
  return (error) => error instanceof HubError && error.code === code
}

test('an id that is accepted carries nothing with a meaning in a topic, a path or a name', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme', maxLength: 80 }), (text) => {
      if (!isIdentityId(text)) return
      // biome-ignore lint/suspicious/noControlCharactersInRegex: their absence is the point
      assert.doesNotMatch(text, /[+#/$\s,=\u0000-\u001f]/)
      assert.ok(text.length >= 1 && text.length <= 64)
    }),
    { numRuns: 2_000 },
  )
})

test('ids of one and of 64 characters pass, empty and longer ones do not', () => {
  assert.equal(isIdentityId('a'), true)
  assert.equal(isIdentityId('a'.repeat(64)), true)
  assert.equal(isIdentityId(''), false)
  assert.equal(isIdentityId('a'.repeat(65)), false)
  for (const bad of ['-a', '.a', '_a', 'a/b', 'a+b', 'a#', 'a b', 'ä', 'a\n'])
    assert.equal(isIdentityId(bad), false, bad)
})

test('a refused id is quoted with its control characters escaped', () => {
  assert.throws(
    () => parseIdentityId('pump\u0007\n7'),
    (error: unknown) => error instanceof HubError && error.message === '"pump\\u0007\\n7" is not an identity id',
  )
})

test('an identity is named by one SPIFFE ID', () => {
  assert.equal(
    spiffeId(parseRealm('plant.example'), 'device', parseIdentityId('pump-7')),
    'spiffe://plant.example/device/pump-7',
  )
})

test('a realm with upper case or a colon is refused', () => {
  for (const bad of ['Plant', 'a:b', '', '-a', 'a/b']) assert.throws(() => parseRealm(bad), refuses('config-invalid'))
})

test('groups and attributes that would reach into topics are refused', () => {
  for (const bad of ['', 'a/b', '#', '+', 'a\u0000', 'x'.repeat(65)]) {
    assert.throws(() => parseGroup(bad), refuses('request-invalid'))
  }
  assert.throws(() => parseAttributes({ 'a b': '1' }), refuses('request-invalid'))
  assert.throws(() => parseAttributes({ site: 'a/b' }), refuses('request-invalid'))
  assert.deepEqual(parseAttributes({ site: 'north 2' }), { site: 'north 2' })
})

test('groups and attributes that are no Unicode are refused, because no database keeps them as they are', () => {
  assert.throws(() => parseGroup('hall \ud83c'), refuses('request-invalid'))
  assert.throws(() => parseAttributes({ site: '\udf31 2' }), refuses('request-invalid'))
  assert.equal(parseGroup('hall \ud83c\udf31'), 'hall \ud83c\udf31')
})

const example: Bootstrap = {
  host: 'hub.plant.example',
  httpsPort: 8443,
  mqttPort: 8883,
  id: parseIdentityId('pump-7'),
  rootFingerprint: 'ab'.repeat(32),
  token: new Secret(`${'0'.repeat(16)}.${'A'.repeat(43)}`),
}

test('a bootstrap string reads back as what was written, also with an IPv6 address or port 443', () => {
  for (const host of ['hub.plant.example', '10.3.0.11', '2001:db8::7', 'localhost']) {
    for (const httpsPort of [443, 8443]) {
      const bootstrap = { ...example, host, httpsPort }
      const read = parseBootstrap(new Secret(`  ${formatBootstrap(bootstrap).reveal()}\n`))
      assert.deepEqual({ ...read, token: read.token.reveal() }, { ...bootstrap, token: bootstrap.token.reveal() })
    }
  }
})

test('a bootstrap string needs no quotes in a shell', () => {
  assert.match(formatBootstrap(example).reveal(), /^[A-Za-z0-9:/._-]+$/)
})

test('a damaged bootstrap string is refused by the part at fault and never repeats the token', () => {
  const whole = formatBootstrap(example).reveal()
  const damaged = [
    'https://example',
    whole.replace('handfast', 'http'),
    whole.replace('/pump-7', '/pump+7'),
    whole.replace('/abab', '/zzab'),
    whole.replace('/8883', '/0'),
    whole.slice(0, whole.indexOf('abab')),
    whole.slice(0, whole.lastIndexOf('/')),
    whole.slice(0, -3),
    `${whole}x`,
    `${whole}/x`,
    `${whole}?x`,
    '',
  ]
  for (const text of damaged) {
    assert.throws(
      () => parseBootstrap(new Secret(text)),
      (error: unknown) =>
        error instanceof HubError &&
        error.code === 'enrolment-bootstrap-invalid' &&
        !error.message.includes('A'.repeat(20)),
      text,
    )
  }
})
