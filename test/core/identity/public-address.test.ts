import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isPublicAddress } from '../../../src/core/identity/public-address.ts'

test('addresses of the public internet are told from all others', () => {
  for (const address of ['8.8.8.8', '93.184.215.14', '172.32.0.1', '11.0.0.1', '2606:2800:220:1::1', '2a00:1450::1']) {
    assert.equal(isPublicAddress(address), true, address)
  }
  const others = [
    ...[
      '127.0.0.1',
      '10.1.2.3',
      '172.16.0.1',
      '172.31.255.255',
      '192.168.1.1',
      '169.254.169.254',
      '100.64.0.1',
      '0.0.0.0',
    ],
    ...['224.0.0.1', '255.255.255.255', '192.0.2.1', '198.18.0.1', '240.0.0.1'],
    ...[
      '::1',
      '::',
      '::ffff:127.0.0.1',
      '::ffff:8.8.8.8',
      '64:ff9b::7f00:1',
      'fe80::1',
      'fc00::1',
      'fd12::1',
      'ff02::1',
    ],
    ...['2001:db8::1', '2001::1', '2002:7f00:1::1', '3fff::1', '4000::1'],
    ...['', 'localhost', 'pki.plant', '127.1', '8.8.8.8.8', '[2606::1]'],
  ]
  for (const address of others) assert.equal(isPublicAddress(address), false, address)
})
