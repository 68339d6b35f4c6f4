import assert from 'node:assert/strict'
import { test } from 'node:test'
import { HubError } from '../../../src/core/errors.ts'
import { isNamed, parseHosts } from '../../../src/device/attach/hosts.ts'

const cases: readonly (readonly [hosts: string, host: string, port: number | null, isNamed: boolean])[] = [
  ['hub.example', 'hub.example', 8883, true],
  ['hub.example', 'HUB.example.', null, true],
  ['hub.example', 'hub.example.evil', 8883, false],
  ['hub.example', 'a.hub.example', 8883, false],
  ['hub.example', 'example', 8883, false],
  ['hub.example:8883', 'hub.example', 8883, true],
  ['hub.example:8883', 'hub.example', 443, false],
  ['hub.example:8883', 'hub.example', null, false],
  ['a.example, b.example  c.example', 'c.example', 1, true],
  ['*.plant.example', 'hub.plant.example', 8883, true],
  ['*.plant.example', 'plant.example', 8883, false],
  ['*.plant.example', 'a.b.plant.example', 8883, false],
  ['*.plant.example:443', 'hub.plant.example', 8883, false],
  ['*.0.0.example', '10.0.0.example', 1, true],
  ['10.3.0.1', '10.3.0.1', 8883, true],
  ['10.3.0.1:8883', '10.3.0.1', 8884, false],
  ['fd00::1', 'fd00:0:0::1', 8883, true],
  ['[fd00::1]', '[FD00::1]', 8883, true],
  ['[fd00::1]:8883', 'fd00::1', 8884, false],
  ['localhost', '127.0.0.1', 8883, false],
]

for (const [hosts, host, port, expected] of cases) {
  test(`${hosts} ${expected ? 'names' : 'does not name'} ${host} on port ${port ?? 'unknown'}`, () => {
    assert.equal(isNamed(parseHosts(hosts), host, port), expected)
  })
}

const unreadable = [
  ...[
    '',
    ' , ',
    '*',
    '*.example',
    '*.10.0.0.1',
    'hub.example:0',
    'hub.example:65536',
    'hub.example:',
    'https://hub.example',
  ],
  ...['hub_.-', 'a..b', '[::1', 'hub example/x', `${'a'.repeat(64)}.example`, 'a*.example', 'häb.example'],
  Array.from({ length: 65 }, (_, at) => `h${at}.example`).join(),
]

for (const text of unreadable) {
  test(`${JSON.stringify(text.slice(0, 40))} is refused`, () => {
    assert.throws(
      () => parseHosts(text),
      (error) => error instanceof HubError && error.code === 'attachment-misconfigured',
    )
  })
}
