/** A gate on a free port with fakes behind it. */
import { randomBytes } from 'node:crypto'
import type { TestContext } from 'node:test'
import type { FailureName } from '../../src/core/failure/catalogue.ts'
import { defaultListener, type ListenerSettings } from '../../src/core/listener/listener-settings.ts'
import { Secret } from '../../src/core/secret.ts'
import { type Gate, type GateLimits, type GateOptions, startGate } from '../../src/gate/gate.ts'
import type { NewAttempt } from '../../src/hub/ports/attempts.ts'
import type { SessionEnd } from '../../src/hub/ports/observer.ts'
import { pump, serverCertificate, type TestCertificate } from './certificates.ts'
import { FakeAdmission } from './fake-admission.ts'
import { FakeUpstream } from './fake-upstream.ts'
import { type RawClient, rawClient } from './raw-client.ts'

export interface TestGate {
  readonly gate: Gate
  readonly port: number
  readonly admission: FakeAdmission
  readonly upstream: FakeUpstream
  readonly attempts: Attempts
  /** Why sessions have ended, in order. */
  readonly sessionEnds: readonly SessionEnd[]
  /** Denials after which a session went on. */
  readonly denials: readonly FailureName[]
  readonly clock: { nowMs(): number; offsetMs: number }
  /** A client with its session; its CONNACK has been taken. */
  session(version: 4 | 5, fields?: object, certificate?: TestCertificate): Promise<RawClient>
}

export class Attempts {
  readonly all: NewAttempt[] = []
  #waiting: (() => void)[] = []

  record(attempt: NewAttempt): void {
    this.all.push(attempt)
    const waiting = this.#waiting
    this.#waiting = []
    for (const resolve of waiting) resolve()
  }

  /** The first attempt with a code (null for an admission) that has come or comes. */
  async with(code: FailureName | null): Promise<NewAttempt> {
    for (;;) {
      const found = this.all.find((attempt) => attempt.code === code)
      if (found !== undefined) return found
      await new Promise<void>((resolve) => this.#waiting.push(resolve))
    }
  }
}

const silent = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} }

/** Starts a gate that admits {@link pump} as `pump-7`, and stops it after the test. */
export async function testGate(
  context: TestContext,
  options: {
    limits?: Partial<GateLimits>
    sessionTickets?: boolean
    listener?: Partial<ListenerSettings>
    /** Beside that one; each with a name. */
    more?: readonly (Partial<ListenerSettings> & { readonly name: string })[]
  } & Pick<GateOptions, 'rightsOf' | 'deniedPublishV3' | 'identityInMessages' | 'passwords'> = {},
): Promise<TestGate> {
  const admission = new FakeAdmission()
  admission.admit(pump, 'pump-7')
  const upstream = new FakeUpstream()
  const attempts = new Attempts()
  const sessionEnds: SessionEnd[] = []
  const denials: FailureName[] = []
  const clock = { offsetMs: 0, nowMs: () => Date.now() + clock.offsetMs }
  const gate = await startGate({
    listeners: [options.listener ?? {}, ...(options.more ?? [])].map((each) => ({
      ...defaultListener('127.0.0.1', 0),
      ...each,
    })),
    certificate: { key: new Secret(serverCertificate.key), chain: serverCertificate.cert },
    sessionTickets: options.sessionTickets ?? false,
    admission,
    attempts,
    observer: { sessionEnded: (cause) => sessionEnds.push(cause), packetDenied: (code) => denials.push(code) },
    upstream,
    clock,
    random: { bytes: (count) => randomBytes(count) },
    log: silent,
    ...(options.rightsOf === undefined ? {} : { rightsOf: options.rightsOf }),
    ...(options.deniedPublishV3 === undefined ? {} : { deniedPublishV3: options.deniedPublishV3 }),
    ...(options.identityInMessages === undefined ? {} : { identityInMessages: options.identityInMessages }),
    ...(options.passwords === undefined ? {} : { passwords: options.passwords }),
    limits: { farewellMs: 300, drainMs: 500, ...options.limits },
  })
  context.after(() => gate.stop())
  const { port } = gate.address
  const session = async (version: 4 | 5, fields: object = {}, certificate: TestCertificate = pump) => {
    const client = await rawClient(port, certificate, version)
    client.connect(fields)
    const connack = await client.next('connack')
    if ((connack.returnCode ?? connack.reasonCode) !== 0) throw new Error(`refused: ${JSON.stringify(connack)}`)
    return client
  }
  return { gate, port, admission, upstream, attempts, sessionEnds, denials, clock, session }
}
