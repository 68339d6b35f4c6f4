import assert from 'node:assert/strict'
import { test } from 'node:test'
import { explainAtOnce, meansSomethingAtOnce } from '../../../src/core/failure/at-once.ts'
import { failure, failureNames } from '../../../src/core/failure/catalogue.ts'

const fourteen = { identities: 14, certificates: 0, networks: 0 }

test('fourteen devices of an authority that is not trusted are told in one sentence, with whose fault it is', () => {
  const { sentence, owner, likelihood } = explainAtOnce({
    ...{ code: 'certificate-foreign-authority', listener: 'plant', issuer: 'CN=issuing-2' },
    ...{ parties: fourteen, isSudden: true, endedAtMs: null },
  })
  assert.equal(
    sentence,
    '14 devices are refused on the listener plant: the authority CN=issuing-2 is not trusted there',
  )
  assert.equal(owner, 'operator')
  assert.doesNotMatch(likelihood, /strangers/)
  const over = {
    code: 'identity-disabled',
    listener: 'plant',
    issuer: null,
    parties: fourteen,
    isSudden: true,
  } as const
  assert.match(explainAtOnce({ ...over, endedAtMs: 1 }).sentence, /^14 devices were refused/)
})

test('the same failure is the device’s where each has it for itself, and not where many have it at once', () => {
  const code = 'certificate-expired'
  const refused = { code, listener: 'mqtt', issuer: null, parties: fourteen, endedAtMs: null } as const
  const each = explainAtOnce({ ...refused, isSudden: false })
  const together = explainAtOnce({ ...refused, isSudden: true })
  assert.equal(each.owner, failure(code).owner)
  assert.equal(each.cure, failure(code).cure)
  assert.equal(together.owner, 'operator')
  assert.notEqual(together.cure, each.cure)
})

test('who has proved nothing is not called a device, and may be a stranger', () => {
  const { sentence, likelihood } = explainAtOnce({
    ...{ code: 'certificate-self-signed', listener: 'mqtt', issuer: null, isSudden: true, endedAtMs: null },
    parties: { identities: 0, certificates: 4, networks: 1 },
  })
  assert.match(sentence, /^4 unknown certificates and clients of 1 network are refused/)
  assert.match(likelihood, /strangers/)
  const guessed = { code: 'password-wrong', listener: 'mqtt', issuer: null, parties: fourteen } as const
  assert.match(explainAtOnce({ ...guessed, isSudden: true, endedAtMs: null }).likelihood, /strangers/)
})

test('people are refused at the API, and devices elsewhere', () => {
  const who = (listener: string) =>
    explainAtOnce({
      code: 'certificate-expired',
      listener,
      issuer: null,
      parties: fourteen,
      isSudden: false,
      endedAtMs: null,
    }).sentence
  assert.match(who('api'), /^14 people/)
  assert.match(who('est'), /^14 devices/)
})

test('every failure can befall many, and then it is nobody’s device that is to be looked at', () => {
  for (const code of failureNames) {
    const { sentence, owner, cure } = explainAtOnce({
      ...{ code, listener: 'mqtt', issuer: 'CN=x', parties: fourteen, isSudden: true, endedAtMs: null },
    })
    assert.notEqual(owner, 'device', code)
    assert.ok(sentence.length > 40 && cure.length > 10, code)
  }
})

test('what networks do to connections means nothing at once, but for clients that close instead of saying why', () => {
  const meaning = ['certificate-expired', 'tls-closed-early', 'closed-before-connect'] as const
  const none = ['connection-lost', 'keep-alive-timeout', 'closed-unused', 'not-tls', 'address-failing'] as const
  for (const code of meaning) assert.ok(meansSomethingAtOnce(code), code)
  for (const code of none) assert.ok(!meansSomethingAtOnce(code), code)
})
