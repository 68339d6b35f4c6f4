// needs: openssl
/** What a gate counts: connections, packets, and why sessions end. */
import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { pump } from './certificates.ts'
import { rawClient } from './raw-client.ts'
import { testGate } from './test-gate.ts'

suite('the figures of a gate', { timeout: 20_000 }, () => {
  test('count connections from accept to CONNECT, and sessions from CONNACK to their end', async (t) => {
    const { gate, port, session, attempts } = await testGate(t)
    const waiting = await rawClient(port, pump)
    assert.equal(gate.figures().halfOpen, 1)
    const client = await session(5)
    const during = gate.figures()
    assert.deepEqual([during.connectionsAccepted, during.halfOpen, during.sessions], [2, 1, 1])
    waiting.socket.destroy()
    await attempts.with('closed-before-connect')
    client.socket.destroy()
    await client.closed
    while (gate.figures().sessions > 0) await new Promise((resolve) => setImmediate(resolve))
    const after = gate.figures()
    assert.deepEqual([after.connectionsAccepted, after.halfOpen, after.sessions], [2, 0, 0])
  })

  test('count packets and bytes of sessions both ways', async (t) => {
    const { gate, session, upstream } = await testGate(t)
    const client = await session(5)
    const before = gate.figures()
    const publish = { cmd: 'publish', topic: 'devices/pump-7/x', payload: Buffer.alloc(100), qos: 0 }
    client.send({ ...publish, retain: false, dup: false })
    client.send({ cmd: 'pingreq' })
    await client.next('pingresp')
    upstream.last.say({ ...publish, topic: 'devices/pump-7/y' })
    await client.next('publish')
    const { packetsFromClients, bytesFromClients, packetsToClients, bytesToClients } = gate.figures()
    assert.equal(packetsFromClients - before.packetsFromClients, 2)
    assert.ok(bytesFromClients - before.bytesFromClients > 116 && bytesFromClients - before.bytesFromClients < 140)
    assert.equal(packetsToClients - before.packetsToClients, 2)
    assert.ok(bytesToClients - before.bytesToClients > 116)
  })

  test('tell each session once, with why it ended', async (t) => {
    const { gate, session, sessionEnds } = await testGate(t)
    const ends = async (count: number): Promise<void> => {
      while (sessionEnds.length < count) await new Promise((resolve) => setImmediate(resolve))
    }
    const polite = await session(5)
    polite.send({ cmd: 'disconnect', reasonCode: 0 })
    await ends(1)
    const lost = await session(5)
    lost.socket.destroy()
    await ends(2)
    const revoked = await session(5)
    gate.closeCredential(pump.fingerprint, 'certificate-revoked')
    gate.closeIdentity('pump-7', 'identity-disabled')
    await revoked.closed
    assert.deepEqual(sessionEnds, ['client-disconnect', 'connection-lost', 'certificate-revoked'])
  })
})
