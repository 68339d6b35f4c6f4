/**
 * Mutated packets against the whole of the gate behind TLS: connection, session, guard. Every connection brings packets of one
 * version, some whole and some changed, in pieces of any size; both streams that come of it are judged.
 */
import { randomBytes } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import { limits as catalogue } from '../../src/core/limits.ts'
import { defaultListener } from '../../src/core/listener/listener-settings.ts'
import { compilePolicy, defaultPolicy } from '../../src/core/policy/compile.ts'
import type { Policy, RoleLimits, Statement } from '../../src/core/policy/model.ts'
import { actions, type Rights, type Subject } from '../../src/core/policy/rights.ts'
import { serveConnection } from '../../src/gate/connection.ts'
import { DelayedWills } from '../../src/gate/delayed-wills.ts'
import { HalfOpen } from '../../src/gate/half-open.ts'
import { KeptSessions } from '../../src/gate/kept-sessions.ts'
import { LiveConnections } from '../../src/gate/live-connections.ts'
import type { GateContext } from '../../src/gate/options.ts'
import { Traffic } from '../../src/gate/traffic.ts'
import { TwoPlaces } from '../../src/gate/two-places.ts'
import type { Upstream } from '../../src/hub/ports/upstream.ts'
import { pump } from '../gate/certificates.ts'
import { FakeAdmission } from '../gate/fake-admission.ts'
import { Judge } from './judge.ts'
import { JudgingUpstream } from './judging-upstream.ts'
import { mutated } from './mutations.ts'
import { connectPacket, type Level, sessionPacket } from './packets.ts'
import { PlainSocket } from './plain-socket.ts'
import { Seeded } from './seeded.ts'

export interface FuzzOptions {
  /** Mutated packets to send at least. */
  readonly packets: number
  readonly seed: number
  /** What gets the packets that were judged; left out, the judge answers. */
  readonly broker?: Upstream
  /** Called about every thousand connections. */
  readonly progress?: (figures: FuzzFigures) => void
}

export interface FuzzFigures {
  mutated: number
  whole: number
  connections: number
  sessions: number
  /** Sessions that are open, and connections to the broker, in the end. */
  left: number
  /** How connections ended, by the code of the failure. */
  readonly endings: Map<string, number>
  /** Packets that have reached the broker, by kind. */
  readonly reached: ReadonlyMap<string, number>
  /** What was wrong in what the gate has sent, to either side; the first hundred. */
  readonly faults: string[]
}

/** Small enough for a run to come to them. */
const limits = {
  ...catalogue,
  ...{ sessionsPerIdentityMax: 1_000, receiveMaximum: 8, clientBufferBytesMax: 80 * 1024 },
  ...{ farewellMs: 200, clientStallMs: 100 },
}

/** Connections at one time. */
const CONNECTIONS = 32
const FAULTS_KEPT = 100
const certificate = Buffer.from(pump.cert.replace(/-----[A-Z ]+-----/g, ''), 'base64')
const turn = () => new Promise<void>((resolve) => setImmediate(resolve))

/** Runs until as many packets were sent; rejects where the gate throws. */
export async function runFuzz({ packets, seed, broker, progress }: FuzzOptions): Promise<FuzzFigures> {
  const bed = new FuzzBed(seed, broker ?? null)
  const { figures } = bed
  let next = 0
  const slot = async () => {
    while (figures.mutated < packets && figures.faults.length < FAULTS_KEPT) {
      await bed.converse(next++)
      if (next % 1000 === 0) progress?.(figures)
    }
  }
  await Promise.all(Array.from({ length: CONNECTIONS }, slot))
  await bed.settle()
  return figures
}

class FuzzBed {
  readonly figures: FuzzFigures
  readonly #seed: number
  readonly #live = new LiveConnections(limits)
  readonly #upstream: JudgingUpstream
  readonly #admission = new FakeAdmission()
  readonly #context: GateContext
  #isStrict = false

  constructor(seed: number, broker: Upstream | null) {
    this.#seed = seed
    const onFault = (what: string, bytes: Buffer) => this.#fault(`to the broker: ${what}`, bytes)
    this.#upstream = new JudgingUpstream(new Seeded(seed), onFault, broker)
    this.figures = {
      ...{ mutated: 0, whole: 0, connections: 0, sessions: 0, left: 0 },
      ...{ endings: new Map(), reached: this.#upstream.packets, faults: [] },
    }
    this.#admission.admit(pump, 'pump-7')
    this.#context = {
      ...{ listener: defaultListener('127.0.0.1', 0), sessionTickets: false, admission: this.#admission },
      ...{
        upstream: this.#upstream,
        live: this.#live,
        kept: new KeptSessions(),
        wills: new DelayedWills(),
        traffic: new Traffic(),
      },
      halfOpen: new HalfOpen(limits, { nowMs: Date.now }),
      places: new TwoPlaces(limits),
      attempts: { record: ({ code }) => this.#count(code ?? 'admitted') },
      observer: { sessionEnded: (cause) => this.#count(`session: ${cause}`), packetDenied: () => {} },
      clock: { nowMs: Date.now },
      random: { bytes: (count) => randomBytes(count) },
      log: { debug: () => {}, info: () => {}, warn: () => {}, error: (what, fields) => this.#logged(what, fields) },
      rightsOf: (subject) => this.#rightsOf(subject),
      deniedPublishV3: 'acknowledge',
      limits,
    }
  }

  /** Two policies that both keep to what is the identity's own; sessions are moved from one to the other while they last. */
  #rightsOf(subject: Subject): Rights {
    return (this.#isStrict ? strict : plain).rightsOf(subject, Date.now())
  }

  /** One connection from its CONNECT to its end. */
  async converse(index: number): Promise<void> {
    const random = new Seeded(this.#seed * 1_000_003 + index)
    const level = random.pick<Level>([3, 4, 5, 5])
    const socket = new PlainSocket(certificate)
    const sent: Buffer[] = []
    this.#judgeAnswers(socket, index, sent)
    this.figures.connections++
    const served = serveConnection(this.#context, {
      sockets: socket.sockets(),
      address: '192.0.2.7',
      connected: () => {},
      explain: ({ message: sentence }) => ({ code: 'tls-failed', sentence }),
    })
    if (random.chance(0.02)) socket.isReading = false
    this.#say(socket, random, sent, this.#packet(random, 0.15, connectPacket(random, level, `client-${index}`), level))
    for (let i = 0; i < 4 && !socket.isEnded; i++) await turn()
    const count = 1 + random.below(24)
    for (let i = 0; i < count && !socket.isEnded; i++) {
      this.#say(socket, random, sent, this.#packet(random, 0.6, sessionPacket(random, level), level))
      if (random.chance(0.5)) await turn()
      if (random.chance(0.01)) this.#refresh(random)
    }
    await turn()
    await turn()
    socket.leave(random.chance(0.7))
    await served
    // What it remembers for tests is no memory of the gate.
    this.#admission.judged.length = 0
  }

  #packet(random: Seeded, share: number, packet: Buffer, level: Level): Buffer {
    if (!random.chance(share)) {
      this.figures.whole++
      return packet
    }
    this.figures.mutated++
    return mutated(random, packet, sessionPacket(random, level))
  }

  #say(socket: PlainSocket, random: Seeded, sent: Buffer[], packet: Buffer): void {
    sent.push(packet)
    const cut = random.chance(0.2) ? random.below(packet.length) : packet.length
    socket.say(packet.subarray(0, cut))
    if (cut < packet.length) socket.say(packet.subarray(cut))
  }

  #refresh(random: Seeded): void {
    this.#isStrict = random.chance(0.5)
    this.#live.refresh(null)
  }

  #judgeAnswers(socket: PlainSocket, index: number, sent: readonly Buffer[]): void {
    let judge: Judge | null = null
    socket.onSaid = (bytes) => {
      const said = () => sent.map((packet) => packet.toString('hex')).join(' ')
      const fault = (what: string, at: Buffer) => this.#fault(`to client ${index} after ${said()}: ${what}`, at)
      // A CONNACK of MQTT 3.1.1 has four bytes, one of MQTT 5 more.
      judge ??= new Judge(bytes[1] === 2 ? 4 : 5, 'client', fault, (packet) => {
        if (packet.cmd === 'connack' && (packet.returnCode ?? packet.reasonCode) === 0) this.figures.sessions++
      })
      judge.read(bytes)
    }
  }

  #count(ending: string): void {
    this.figures.endings.set(ending, (this.figures.endings.get(ending) ?? 0) + 1)
  }

  #logged(what: string, fields: unknown): void {
    const { error } = fields as { error?: unknown }
    this.#fault(`${what}: ${error instanceof Error ? error.stack : String(error)}`, Buffer.alloc(0))
  }

  #fault(what: string, bytes: Buffer): void {
    const { faults } = this.figures
    if (faults.length < FAULTS_KEPT) faults.push(`${what} [${bytes.toString('hex')}]`)
  }

  /** Ends what is open, and waits for the last timers of connections that are closing. */
  async settle(): Promise<void> {
    this.#live.closeEvery('hub-stopping')
    const left = () => this.#live.sessionCount() + this.#upstream.openConnections
    for (let i = 0; i < 20; i++) await turn()
    // A broker that has a DISCONNECT is given this time to close.
    for (let i = 0; i < 10 && left() > 0; i++) await delay(limits.farewellMs / 2)
    this.figures.left = left()
  }
}

const place = { line: 1, column: 1 }
const plain = compilePolicy(policyOf({}))
const strict = compilePolicy(policyOf({ qosMax: 1, payloadBytesMax: 60, subscriptionsMax: 2 }))

function policyOf(limits: RoleLimits): Policy {
  const messages = actions.filter((action) => action !== 'connect')
  const statements: Statement[] = [
    { effect: 'allow', actions: ['connect'], topics: [], when: {}, place },
    { effect: 'allow', actions: messages, topics: ['devices/${identity.id}/#'], when: {}, place },
  ]
  return {
    ...defaultPolicy,
    roles: new Map([['tested', { name: 'tested', parameters: new Map(), statements, limits }]]),
    bindings: [{ roles: [{ name: 'tested', parameters: new Map() }], to: { kind: 'everyone' }, place }],
  }
}
