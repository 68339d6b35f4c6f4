import assert from 'node:assert/strict'
import { test } from 'node:test'
import { HubError } from '../../../src/core/errors.ts'
import { localAddressText, parseLocalAddress } from '../../../src/device/proxy/local-address.ts'

const readable: readonly (readonly [text: string, means: string])[] = [
  ['127.0.0.1:1883', '127.0.0.1:1883'],
  ['127.3.2.1:0', '127.3.2.1:0'],
  ['localhost:1883', '127.0.0.1:1883'],
  ['LOCALHOST:1883', '127.0.0.1:1883'],
  ['1883', '127.0.0.1:1883'],
  ['[::1]:1883', '[::1]:1883'],
  ['unix:/run/mqtt.sock', 'unix:/run/mqtt.sock'],
  ['/run/mqtt.sock', 'unix:/run/mqtt.sock'],
]
for (const [text, means] of readable) {
  test(`${text} is ${means}`, () => assert.equal(localAddressText(parseLocalAddress(text)), means))
}

const refused = [
  ...['', '0.0.0.0:1883', '[::]:1883', '10.0.0.1:1883', '128.0.0.1:1883', '127.1:1883', 'example.org:1883', '::1:1883'],
  ...['127.0.0.1', '127.0.0.1:', '127.0.0.1:65536', 'unix:', 'unix:run/mqtt.sock', `/${'x'.repeat(107)}`],
]
for (const text of refused) {
  test(`${JSON.stringify(text.slice(0, 30))} is refused`, () => {
    assert.throws(
      () => parseLocalAddress(text),
      (error) => error instanceof HubError && error.code === 'proxy-address-unusable',
    )
  })
}
