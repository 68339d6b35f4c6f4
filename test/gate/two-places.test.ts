/** A certificate that is in use from two addresses. */
import assert from 'node:assert/strict'
import { connect as tcpConnect } from 'node:net'
import { suite, test } from 'node:test'
import { connect as tlsConnect } from 'node:tls'
import { areApart, TwoPlaces } from '../../src/gate/two-places.ts'
import { pump, serverCertificate } from './certificates.ts'
import { RawClient } from './raw-client.ts'
import { type TestGate, testGate } from './test-gate.ts'

const limits = { contestedCertificatesMax: 2, contestForgottenMs: 600_000 }
const at = (address: string, fingerprint: string | null = 'f') => ({ address, fingerprint })
const [field, thief] = [at('192.0.2.1'), at('198.51.100.1')]

suite('takeovers between two addresses', () => {
  test('are those of a clone once the one that was put out has come back twice', () => {
    const places = new TwoPlaces(limits)
    assert.equal(places.takeover(field, thief, 0), 'session-taken-over')
    assert.equal(places.takeover(thief, field, 1_000), 'session-taken-over')
    assert.equal(places.takeover(field, thief, 2_000), 'certificate-in-two-places')
    assert.equal(places.takeover(thief, field, 3_000), 'certificate-in-two-places')
  })

  test('are those of one device that moves on, comes back after hours, or stays where it is', () => {
    const places = new TwoPlaces(limits)
    for (const [from, to] of [
      [1, 2],
      [2, 3],
      [3, 4],
      [4, 1],
    ] as const) {
      assert.equal(places.takeover(at(`192.0.2.${from}`), at(`192.0.2.${to}`), 0), 'session-taken-over')
    }
    for (let hour = 1; hour < 9; hour++) {
      const [from, to] = hour % 2 === 0 ? [field, thief] : [thief, field]
      assert.equal(places.takeover(from, to, hour * 3_600_000), 'session-taken-over')
    }
    for (let n = 0; n < 9; n++) assert.equal(places.takeover(field, field, n), 'session-taken-over')
  })

  test('count for one certificate, and not for two of one identity or for passwords', () => {
    const places = new TwoPlaces(limits)
    for (let n = 0; n < 9; n++) {
      assert.equal(places.takeover(at('192.0.2.1', 'a'), at('198.51.100.1', 'b'), n), 'session-taken-over')
      assert.equal(places.takeover(at('192.0.2.1', null), at('198.51.100.1', null), n), 'session-taken-over')
    }
  })

  test('of more certificates than are remembered begin anew', () => {
    const places = new TwoPlaces(limits)
    for (let n = 0; n < 3; n++) {
      for (const fingerprint of ['a', 'b', 'c']) {
        const [one, two] = [at('192.0.2.1', fingerprint), at('198.51.100.1', fingerprint)]
        assert.equal(n % 2 === 0 ? places.takeover(one, two, n) : places.takeover(two, one, n), 'session-taken-over')
      }
    }
  })
})

test('addresses of two families, of one network of 64 bits, and of this machine may be those of one device', () => {
  assert.equal(areApart('192.0.2.1', '192.0.2.2'), true)
  assert.equal(areApart('2001:db8:1::1', '2001:db8:2::1'), true)
  for (const [one, other] of [
    ['192.0.2.1', '192.0.2.1'],
    ['192.0.2.1', '2001:db8::1'],
    ['2001:db8::1', '2001:db8::2'],
    ['192.0.2.1', '127.0.0.1'],
    ['192.0.2.1', 'unknown'],
  ] as const) {
    assert.equal(areApart(one, other), false, `${one} ${other}`)
  }
})

suite('at the gate', { timeout: 20_000 }, () => {
  const behindProxy = { listener: { proxyProtocol: { networks: ['127.0.0.0/8'] } } }

  /** A client of the certificate of pump-7 that comes from 192.0.2.`last`; its CONNACK has been taken. */
  async function from(gate: TestGate, last: number, clientId: string): Promise<RawClient> {
    const header = `0d0a0d0a000d0a515549540a2111000cc00002${last.toString(16).padStart(2, '0')}0a000001123422b3`
    const raw = tcpConnect({ host: '127.0.0.1', port: gate.port })
    raw.write(Buffer.from(header, 'hex'))
    const { key, cert } = pump
    const tls = tlsConnect({ socket: raw, key, cert, ca: serverCertificate.cert, servername: 'localhost' })
    const client = new RawClient(tls, 5)
    client.connect({ clientId })
    assert.equal((await client.next('connack')).reasonCode, 0)
    return client
  }

  test('two that put each other out are told, and so is the operator, with both addresses', async (t) => {
    const gate = await testGate(t, behindProxy)
    for (const last of [1, 2, 1]) await from(gate, last, 'pump-7')
    assert.ok(gate.attempts.all.every(({ code }) => code !== 'certificate-in-two-places'))
    const loser = await from(gate, 2, 'pump-7')
    await from(gate, 1, 'pump-7')
    const { reasonCode, properties } = await loser.next('disconnect')
    assert.equal(reasonCode, 0x8e)
    assert.match(JSON.stringify(properties), /HF-2161/)
    const told = gate.attempts.all.filter(({ code }) => code === 'certificate-in-two-places')
    const admitted = told.find(({ outcome }) => outcome === 'admitted')
    assert.match(admitted?.sentence ?? '', /pump-7 connected .*; the same certificate is in use from 192\.0\.2\.1/)
    assert.ok(told.some(({ outcome, address }) => outcome === 'refused' && address === '192.0.2.2'))
  })

  test('two that live beside each other under different client ids are let in and noted', async (t) => {
    const gate = await testGate(t, behindProxy)
    await from(gate, 1, 'one')
    await from(gate, 1, 'two')
    assert.ok(gate.attempts.all.every(({ code }) => code === null))
    const other = await from(gate, 2, 'three')
    const attempt = await gate.attempts.with('certificate-in-two-places')
    assert.deepEqual([attempt.outcome, attempt.address], ['admitted', '192.0.2.2'])
    other.send({ cmd: 'pingreq' })
    await other.next('pingresp')
  })
})
