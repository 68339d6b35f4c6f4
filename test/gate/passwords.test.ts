import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { setImmediate } from 'node:timers/promises'
import { connect as tlsConnect } from 'node:tls'
import type { Entrant, Refusal } from '../../src/hub/gate-admission.ts'
import type { OfferedPassword, PasswordAdmission } from '../../src/hub/passwords/admission.ts'
import { fakeIdentity } from '../contract/store-fakes.ts'
import { pump, serverCertificate, stranger } from './certificates.ts'
import { RawClient, rawClient } from './raw-client.ts'
import { type TestGate, testGate } from './test-gate.ts'

/** Admits `pump-7` with the password `right`; what is confirmed can be turned away. */
class FakePasswords implements PasswordAdmission {
  readonly offered: (string | null)[] = []
  confirmed: 'admitted' | 'password-ended' = 'admitted'

  async judge({ username, password, isGone }: OfferedPassword): Promise<Entrant | Refusal> {
    this.offered.push(username)
    while (username === 'impatient' && isGone?.() === false) await setImmediate()
    if (username !== 'pump-7' || password?.reveal() !== 'right') return refusal('password-wrong')
    const identity = fakeIdentity('pump-7', { state: 'active' })
    return { admitted: true, identity, proof: { kind: 'password', passwordId: 'p1' }, summary: null }
  }

  async confirmUse(entrant: Entrant): Promise<Entrant | Refusal> {
    return this.confirmed === 'admitted' ? entrant : refusal(this.confirmed)
  }
}

function refusal(code: 'password-wrong' | 'password-ended'): Refusal {
  return { admitted: false, code, sentence: `${code} in full`, identityId: null, summary: null }
}

function withoutCertificate(port: number, version: 4 | 5 = 5): RawClient {
  const socket = tlsConnect({ host: '127.0.0.1', port, ca: serverCertificate.cert, servername: 'localhost' })
  return new RawClient(socket, version)
}

const right = { username: 'pump-7', password: Buffer.from('right') }

async function open(t: Parameters<typeof testGate>[0], clientCertificate: 'optional' | 'none' | 'required') {
  const passwords = new FakePasswords()
  const served: TestGate = await testGate(t, { listener: { clientCertificate }, passwords })
  return { ...served, passwords }
}

suite('a listener where clients may come without a certificate', { timeout: 20_000 }, () => {
  for (const mode of ['optional', 'none'] as const) {
    test(`${mode}: a right password opens a session`, async (t) => {
      const { port, gate, attempts } = await open(t, mode)
      const client = withoutCertificate(port)
      client.connect(right)
      assert.equal((await client.next('connack')).reasonCode, 0)
      assert.equal(gate.sessionCount(), 1)
      const attempt = await attempts.with(null)
      assert.equal(attempt.identityId, 'pump-7')
      assert.equal(attempt.sentence, 'pump-7 connected with a password')
    })
  }

  test('a wrong one is answered with 0x86, under MQTT 3.1.1 with 4', async (t) => {
    const { port, attempts } = await open(t, 'none')
    const five = withoutCertificate(port)
    five.connect({ ...right, password: Buffer.from('wrong') })
    assert.equal((await five.next('connack')).reasonCode, 0x86)
    const three = withoutCertificate(port, 4)
    three.connect({ ...right, password: Buffer.from('wrong') })
    assert.equal((await three.next('connack')).returnCode, 4)
    await attempts.with('password-wrong')
  })

  test('optional: a certificate that is shown is judged, and a bad one is not made good by a password', async (t) => {
    const { port, passwords } = await open(t, 'optional')
    const known = await rawClient(port, pump)
    known.connect()
    assert.equal((await known.next('connack')).reasonCode, 0)
    const unknown = await rawClient(port, stranger)
    unknown.connect(right)
    assert.notEqual((await unknown.next('connack')).reasonCode, 0)
    assert.deepEqual(passwords.offered, [])
  })

  test('required: a password alone opens nothing', async (t) => {
    const { port, passwords, attempts } = await open(t, 'required')
    const client = withoutCertificate(port)
    client.connect(right)
    assert.notEqual((await client.next('connack')).reasonCode, 0)
    await attempts.with('certificate-missing')
    assert.deepEqual(passwords.offered, [])
  })

  test('a password that ended while it was compared opens nothing', async (t) => {
    const { port, passwords, attempts } = await open(t, 'none')
    passwords.confirmed = 'password-ended'
    const client = withoutCertificate(port)
    client.connect(right)
    assert.equal((await client.next('connack')).reasonCode, 0x86)
    await attempts.with('password-ended')
  })

  test('a client that leaves while its password waits is known to be gone', async (t) => {
    const { port, passwords, attempts } = await open(t, 'none')
    const client = withoutCertificate(port)
    client.connect({ ...right, username: 'impatient' })
    while (passwords.offered.length === 0) await setImmediate()
    client.socket.destroy()
    await attempts.with('password-wrong')
  })

  test('sessions on a password close with it, and with their identity', async (t) => {
    const { port, gate } = await open(t, 'none')
    for (const close of [
      () => gate.closePassword('p1', 'password-ended'),
      () => gate.closeIdentity('pump-7', 'identity-disabled'),
    ]) {
      const client = withoutCertificate(port)
      client.connect(right)
      await client.next('connack')
      assert.deepEqual(gate.livePasswords(), ['p1'])
      assert.equal(close(), 1)
      await client.closed
      assert.deepEqual(gate.livePasswords(), [])
    }
  })

  test('the broker behind the gate never sees a password', async (t) => {
    const { port, upstream } = await open(t, 'none')
    const client = withoutCertificate(port)
    client.connect(right)
    await client.next('connack')
    const [seen] = upstream.last.received
    assert.ok(seen?.cmd === 'connect')
    assert.equal(seen.password, undefined)
  })
})
