/** A gate that stands alone: it reads a registry on a real PostgreSQL as the user of gates, and a hub beside it writes. */

import { Closing } from '../../src/compose/closing.ts'
import { confirmerOver, openGate } from '../../src/compose/gates/open-gate.ts'
import { parseIdentityId, parseRealm } from '../../src/core/identity/id.ts'
import { defaultListener, type ListenerSettings } from '../../src/core/listener/listener-settings.ts'
import { Secret } from '../../src/core/secret.ts'
import { encodePem } from '../../src/core/x509/pem.ts'
import type { Gate } from '../../src/gate/gate.ts'
import { openAuthorities } from '../../src/hub/authorities.ts'
import { statusPlaces } from '../../src/hub/crl-places.ts'
import { enrol } from '../../src/hub/enrol.ts'
import { EnrolmentRates } from '../../src/hub/enrolment-rates.ts'
import { establishAuthorities } from '../../src/hub/establish-authorities.ts'
import { followEvents } from '../../src/hub/follow-events.ts'
import { PasswordHashing } from '../../src/hub/passwords/hashing.ts'
import { registerDevice } from '../../src/hub/register-device.ts'
import { type SessionSweep, sweepSessions } from '../../src/hub/sweep-sessions.ts'
import { systemClock as clock, systemRandom as random } from '../../src/machine/system.ts'
import { parseDatabaseUrl } from '../../src/store/postgres/address.ts'
import type { DatabaseLimits } from '../../src/store/postgres/connections.ts'
import { gateRoleSql } from '../../src/store/postgres/gate-role.ts'
import { checkGateRole } from '../../src/store/postgres/gate-role-check.ts'
import { openPostgresReader, openPostgresStore } from '../../src/store/postgres/postgres-store.ts'
import { deviceRequest, LogBook, MemoryKeys, ObserverBook, StandingClock, statusBase } from '../support/hub-parts.ts'
import type { PostgresServer } from '../support/postgres.ts'
import { serverCertificate, type TestCertificate } from './certificates.ts'
import { FakeUpstream } from './fake-upstream.ts'
import { Attempts } from './test-gate.ts'

interface Context {
  after(step: () => unknown): void
}

/** Of the time for which sessions live on without the registry. */
export const graceMs = 300_000

export type WritingHub = Awaited<ReturnType<typeof writingHub>>

async function writingHub(t: Context, url: string) {
  const log = new LogBook()
  const store = await openPostgresStore({ address: addressOf(url), clock, log, instance: 'hub' })
  t.after(() => store.close())
  const realm = parseRealm('plant.example')
  const authorities = await establishAuthorities({ store, keys: new MemoryKeys(), clock, random, realm })
  await store.write((tx) => tx.settings.set('realm', realm))
  return {
    ...{ store, clock, random, realm, authorities, log, actor: 'key:test', instance: 'hub' },
    ...{ observer: new ObserverBook(), rates: new EnrolmentRates(clock), hashing: new PasswordHashing(random) },
    statusPlaces: statusPlaces({ store }, statusBase),
  }
}

export interface GateOnPostgres {
  readonly hub: WritingHub
  readonly gate: Gate
  readonly attempts: Attempts
  readonly upstream: FakeUpstream
  readonly log: LogBook
  /** Its clock is `sweepClock`; it looks when it is told to. */
  readonly sweep: SessionSweep
  readonly sweepClock: StandingClock
  /** Registers a device and answers with its certificate. */
  enrolled(id: string): Promise<TestCertificate>
}

/**
 * @param prepare what the hub does before the gate reads for the first time
 * @param limits of the gate's reader
 */
export async function gateOnPostgres(
  t: Context,
  server: PostgresServer,
  options: {
    readonly listener?: Partial<ListenerSettings>
    readonly limits?: Partial<DatabaseLimits>
    prepare?(hub: WritingHub): Promise<void>
  } = {},
): Promise<GateOnPostgres> {
  const url = await server.makeDatabase()
  const hub = await writingHub(t, url)
  await options.prepare?.(hub)
  const address = await gateAddress(server, url)
  const log = new LogBook()
  const { store } = openPostgresReader({ address, clock, log, ...(options.limits ? { limits: options.limits } : {}) })
  const closing = new Closing(log)
  t.after(() => closing.run())
  closing.add('registry', () => store.close())
  const lastEvent = await store.events.last()
  const [attempts, upstream] = [new Attempts(), new FakeUpstream()]
  const door = await openGate(
    {
      config: {
        listeners: [{ ...defaultListener('127.0.0.1', 0), ...options.listener }],
        ...{
          sessionTickets: false,
          deniedPublish: 'close',
          brokerUserProperties: 'connections',
          registryGraceMinutes: graceMs / 60_000,
        },
      },
      ...{ store, log, upstream, attempts, authorities: await openAuthorities(store, null) },
      certificate: { key: new Secret(serverCertificate.key), chain: serverCertificate.cert, forRsa: null },
      certificateFor: () => null,
      wantCrl: () => {},
      observer: new ObserverBook(),
      confirmUse: confirmerOver(hub),
    },
    closing,
  )
  const follower = followEvents({ store, log }, lastEvent, (event) => door.apply(event))
  closing.add('events', () => follower.stop())
  const sweepClock = new StandingClock(0)
  const foreign = { refresh: async () => {}, renew: async () => {}, endOf: () => null }
  const sweep = sweepSessions({ store, clock: sweepClock, log, foreign }, door.gate, follower, graceMs)
  closing.add('sweep', () => sweep.stop())
  return { hub, gate: door.gate, attempts, upstream, log, sweep, sweepClock, enrolled: (id) => enrolled(hub, id) }
}

/** Makes the user of gates as an operator does, and has it looked at as a gate does. */
async function gateAddress(server: PostgresServer, url: string) {
  const database = new URL(url).pathname.slice(1)
  const role = `${database}_gate`
  await server.script(gateRoleSql({ role, withPasswords: true, connectionsMax: 20 }), database)
  await server.admin(`alter role ${role} password 'gate'`)
  const address = addressOf(Object.assign(new URL(url), { username: role, password: 'gate' }).href)
  await checkGateRole({ address, withPasswords: true })
  return address
}

async function enrolled(hub: WritingHub, id: string): Promise<TestCertificate> {
  const order = { id, group: null, attributes: {}, tokenLifetimeSec: 86_400 }
  const { tokenText } = await registerDevice(hub, hub.actor, order)
  const { key, certificateRequest } = deviceRequest(parseIdentityId(id))
  const { certificate, fingerprint } = await enrol(hub, { tokenText, claimedId: id, certificateRequest })
  return { key: key.reveal(), cert: encodePem('CERTIFICATE', certificate), fingerprint }
}

function addressOf(url: string) {
  return parseDatabaseUrl(new Secret(url), 'the test')
}
