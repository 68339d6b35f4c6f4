import assert from 'node:assert/strict'
import { Console } from 'node:console'
import { PassThrough } from 'node:stream'
import { test } from 'node:test'
import { inspect } from 'node:util'
import { serialize } from 'node:v8'
import { Secret } from '../../src/core/secret.ts'

const text = 'correct horse battery staple'

test('a secret is shown by no way of turning a value into text, on its own or inside another value', () => {
  const secret = new Secret(text)
  const error = new Error(`about ${secret}`, { cause: { secret } })
  const console = new PassThrough()
  const holders: readonly unknown[] = [secret, [secret], { a: { b: { secret } } }, new Map([[secret, secret]]), error]
  for (const holder of holders) {
    new Console(console).log('%s %o %O %j', holder, holder, holder, holder)
    const shown = [
      String(holder),
      `${holder as string}`,
      JSON.stringify(holder),
      inspect(holder, { depth: 9, showHidden: true, getters: true }),
      inspect(holder, { customInspect: false, showHidden: true, depth: 9 }),
      String(console.read()),
    ]
    for (const each of shown) assert.ok(!each.includes('horse'), each)
  }
  assert.equal(JSON.stringify({ secret }), '{"secret":"[secret]"}')
})

test('a secret does not travel with a copy of what holds it', () => {
  const holder = { secret: new Secret(text) }
  assert.ok(!JSON.stringify(structuredClone(holder)).includes('horse'))
  assert.ok(!serialize(holder).toString('latin1').includes('horse'))
  assert.ok(
    !Object.values({ ...holder.secret })
      .join('')
      .includes('horse'),
  )
})

test('a secret is given out by the one call that asks for it', () => {
  assert.equal(new Secret(text).reveal(), text)
  assert.equal(new Secret(text).length, text.length)
})
