// needs: openssl
import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { after, describe, type TestContext, test } from 'node:test'
import { HubError } from '../../src/core/errors.ts'
import { formatBootstrap } from '../../src/core/identity/bootstrap.ts'
import { parseIdentityId } from '../../src/core/identity/id.ts'
import type { Secret } from '../../src/core/secret.ts'
import {
  type DeviceRegistry,
  type SimulationEvent,
  type SimulationOptions,
  type SimulationSummary,
  simulate,
} from '../../src/simulate/simulate.ts'
import { bootstrapFor, EstServer, honest, OpensslAuthority } from '../device/est-authority.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'
import { FakeGate, type FakeGateOptions, type FakeSession } from './fake-gate.ts'

const authority = new OpensslAuthority()
const tls = authority.endEntity('hub', 'IP:127.0.0.1')
const est = await EstServer.start(tls, honest(authority))
after(() => {
  est.stop()
  authority.remove()
})

const admitted = { reasonCode: 0, reason: '' }

describe('a simulated fleet', () => {
  async function gateWith(context: TestContext, options: Partial<FakeGateOptions> = {}): Promise<FakeGate> {
    const gate = await FakeGate.start({ tls, ca: authority.read('root.pem'), ...options })
    context.after(() => gate.stop())
    return gate
  }

  /** A registry that keeps names and hands out strings for the hub and gate of this test. */
  class FakeRegistry implements DeviceRegistry {
    readonly registered: Set<string> = new Set()
    readonly again: string[] = []
    readonly revoked: string[] = []
    #mqttPort: number
    constructor(mqttPort: number, registered: readonly string[] = []) {
      this.#mqttPort = mqttPort
      for (const id of registered) this.registered.add(id)
    }
    async register(id: string): Promise<Secret> {
      if (this.registered.has(id)) throw new HubError('identity-exists', `${id} exists`)
      this.registered.add(id)
      return this.#bootstrap(id)
    }
    async newBootstrap(id: string): Promise<Secret> {
      this.again.push(id)
      return this.#bootstrap(id)
    }
    at(mqttPort: number): this {
      this.#mqttPort = mqttPort
      return this
    }
    async revoke(id: string): Promise<void> {
      this.revoked.push(id)
    }
    #bootstrap(id: string): Secret {
      return formatBootstrap(bootstrapFor(authority, est.port, { id: parseIdentityId(id), mqttPort: this.#mqttPort }))
    }
  }

  const events: SimulationEvent[] = []
  function run(registry: DeviceRegistry, change: Partial<SimulationOptions> = {}): Promise<SimulationSummary> {
    events.length = 0
    return simulate({
      registry,
      devices: 1,
      prefix: 'sim-',
      count: 2,
      intervalMs: 1,
      durationMs: null,
      renewEveryMs: null,
      revoke: 0,
      clockSkewMs: 0,
      directory: null,
      random: () => 0.99,
      signal: new AbortController().signal,
      report: (event) => events.push(event),
      ...change,
    })
  }

  test('registers, enrols and connects each device under its own certificate, and ends with its count', async (context) => {
    const gate = await gateWith(context)
    const registry = new FakeRegistry(gate.port)

    const summary = await run(registry, { devices: 3 })

    const { acknowledgedMs, ...counted } = summary
    assert.deepEqual(counted, {
      devices: 3,
      enrolled: 3,
      sent: 6,
      renewals: { done: 0, failed: 0 },
      revocations: { asked: 0, out: 0, closedAfterMs: null },
      lost: 0,
      failed: [],
    })
    assert.ok(acknowledgedMs !== null && acknowledgedMs.median > 0 && acknowledgedMs.p99 >= acknowledgedMs.median)
    assert.deepEqual([...registry.registered], ['sim-1', 'sim-2', 'sim-3'])
    assert.deepEqual(gate.connects.map(({ commonName, clientId }) => commonName === clientId && clientId).sort(), [
      'sim-1',
      'sim-2',
      'sim-3',
    ])
    const ofFirst = gate.published.filter(({ topic }) => topic === 'devices/sim-1/messages/events/')
    assert.deepEqual(JSON.parse(String(ofFirst[1]?.payload)), {
      deviceId: 'sim-1',
      messageId: 1,
      temperature: 34,
      humidity: 79,
      temperatureAlert: true,
    })
    assert.equal(ofFirst[1]?.qos, 1)
    assert.equal(ofFirst[1]?.properties?.userProperties?.temperatureAlert, 'true')
  })

  test('a device that is registered already gets a new string', async (context) => {
    const gate = await gateWith(context)
    const registry = new FakeRegistry(gate.port, ['sim-1'])
    assert.equal((await run(registry)).sent, 2)
    assert.deepEqual(registry.again, ['sim-1'])
  })

  test('keys that were kept are used again without a new registration', async (context) => {
    const gate = await gateWith(context)
    const directory = temporaryFolder(context)
    await run(new FakeRegistry(gate.port), { directory })
    assert.ok(existsSync(join(directory, 'sim-1', 'private_key.pem')))

    const second = new FakeRegistry(gate.port)
    assert.equal((await run(second, { directory })).sent, 2)
    assert.equal(second.registered.size, 0)
  })

  test('a device that is refused for good ends with the reason that the hub gave', async (context) => {
    const answer = (): { reasonCode: number; reason: string } => ({ reasonCode: 0x87, reason: 'revoked' })
    const gate = await gateWith(context, { answer })
    const summary = await run(new FakeRegistry(gate.port))
    assert.deepEqual([summary.sent, summary.failed], [0, [{ id: 'sim-1', reason: 'revoked' }]])
    assert.deepEqual(events.at(-1), { id: 'sim-1', kind: 'refused', reason: 'revoked', isFinal: true })
    assert.equal(gate.connects.length, 1, 'it did not try again')
  })

  test('a device that is refused for a while tries again and sends all of its readings', async (context) => {
    const answer = (_id: string, nth: number): { reasonCode: number; reason: string } =>
      nth === 0 ? { reasonCode: 0x88, reason: 'the broker is not available' } : { reasonCode: 0, reason: '' }
    const gate = await gateWith(context, { answer })
    const summary = await run(new FakeRegistry(gate.port), { random: () => 0 })
    assert.equal(summary.sent, 2)
    assert.deepEqual(summary.failed, [])
    assert.ok(events.some((event) => event.kind === 'refused' && !event.isFinal))
  })

  test('a device that is cut off while it sends is refused at its next try, and says both', async (context) => {
    const answer = (_id: string, nth: number): { reasonCode: number; reason: string } =>
      nth === 0 ? { reasonCode: 0, reason: '' } : { reasonCode: 0x87, reason: 'revoked' }
    const gate = await gateWith(context, {
      answer,
      onPublish: (session) => session.disconnect(0x98, 'revoked by its operator'),
    })
    const summary = await run(new FakeRegistry(gate.port), { count: null, random: () => 0 })
    assert.deepEqual(summary.failed, [{ id: 'sim-1', reason: 'revoked' }])
    assert.equal(summary.sent, 1)
    assert.ok(events.some((event) => event.kind === 'lost' && event.reason === 'revoked by its operator'))
  })

  test('a device that cannot enrol does not stop the others', async (context) => {
    const gate = await gateWith(context)
    const registry = new FakeRegistry(gate.port)
    const summary = await run(
      {
        register: (id) =>
          id === 'sim-1'
            ? Promise.reject(new HubError('identity-retired', 'it is retired', { hint: 'take another id' }))
            : registry.register(id),
        newBootstrap: (id) => registry.newBootstrap(id),
        revoke: (id) => registry.revoke(id),
      },
      { devices: 2 },
    )
    assert.deepEqual(
      [summary.enrolled, summary.sent, summary.failed],
      [1, 2, [{ id: 'sim-1', reason: 'it is retired', hint: 'take another id' }]],
    )
  })

  test('a fleet without a count ends when it is told to', async (context) => {
    const stop = new AbortController()
    const gate = await gateWith(context, { onPublish: () => gate.published.length >= 5 && stop.abort() })
    const summary = await run(new FakeRegistry(gate.port), { count: null, signal: stop.signal })
    assert.ok(summary.sent >= 4)
    assert.deepEqual(summary.failed, [])
  })

  test('a device that is revoked while it sends counts as out once it is cut off and refused', async (context) => {
    const sessions = new Map<string, FakeSession>()
    const registry = new (class extends FakeRegistry {
      override async revoke(id: string): Promise<void> {
        await super.revoke(id)
        sessions.get(id)?.disconnect(0x98, 'revoked')
      }
    })(0)
    const gate = await gateWith(context, {
      answer: (id) => (registry.revoked.includes(id) ? { reasonCode: 0x87, reason: 'revoked' } : admitted),
      onPublish: (session) => sessions.set(session.clientId, session),
    })
    const { revocations, failed, lost } = await run(registry.at(gate.port), {
      devices: 2,
      count: null,
      durationMs: 4_000,
      revoke: 1,
      random: () => 0.1,
    })
    assert.deepEqual([revocations.asked, revocations.out, failed, lost], [1, 1, [], 0])
    assert.ok(revocations.closedAfterMs !== null)
  })

  test('a device whose clock is far off refuses the certificate of the hub, and counts as one that was never let in', async (context) => {
    const gate = await gateWith(context)
    const { sent, failed } = await run(new FakeRegistry(gate.port), {
      count: null,
      durationMs: 500,
      clockSkewMs: 4_000 * 86_400_000,
      random: () => 0,
    })
    assert.equal(sent, 0)
    assert.match(
      failed[0]?.reason ?? '',
      /^it was never let in: the certificate of the hub is not valid yet: by the clock of this device it is 201\d-/,
    )
  })
})
