import assert from 'node:assert/strict'
import { test } from 'node:test'
import { libcryptoIn, loadedOpenssl, opensslIn } from '../../bench/peers/openssl.ts'

test('a memory map tells which libcrypto was loaded, whatever the loader was asked for', () => {
  const maps = [
    '55d0c0a00000-55d0c0a2e000 r--p 00000000 fe:00 1234    /usr/sbin/mosquitto',
    '7f1200000000-7f12000c0000 r--p 00000000 fe:00 5678    /home/me/my cache/openssl-3.5.5/libcrypto.so.3',
    '7f1200400000-7f1200480000 r--p 00000000 fe:00 9012    /lib/x86_64-linux-gnu/libc.so.6',
    '7ffc00000000-7ffc00021000 rw-p 00000000 00:00 0       [stack]',
  ].join('\n')
  assert.equal(libcryptoIn(maps), '/home/me/my cache/openssl-3.5.5/libcrypto.so.3')
  assert.equal(libcryptoIn(maps.replaceAll('libcrypto', 'libother')), null)
})

test('a library tells its version, and of its flags those for speed and hardening', () => {
  const bytes = Buffer.from(
    [
      'OpenSSL 3.0 is mentioned',
      'OpenSSL 3.0.19 27 Jan 2026',
      'compiler: ',
      'compiler: gcc -fPIC -m64 -Wall -fzero-call-used-regs=used-gpr -g -O2 -ffile-prefix-map=/build=. -DNDEBUG -O2',
    ].join('\0'),
  )
  assert.deepEqual(opensslIn(bytes), { version: '3.0.19', flags: '-fzero-call-used-regs=used-gpr -O2' })
  assert.equal(opensslIn(Buffer.from('OpenSSL, somewhere')), null)
})

test('Node has its OpenSSL in itself', () => {
  assert.equal(loadedOpenssl(process.pid).version, process.versions.openssl)
})
