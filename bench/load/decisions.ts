/**
 * Decisions of a compiled policy and the guard on its way of PUBLISH packets, in this process: by the code of the gate, without
 * TLS, socket and broker. Every topic is asked about once, as a string that nothing has looked at before.
 */
import { parseIdentityId } from '../../src/core/identity/id.ts'
import { limits } from '../../src/core/limits.ts'
import { matches, type TopicFilter } from '../../src/core/mqtt/filter.ts'
import { encodePublish } from '../../src/core/mqtt/publish.ts'
import { PacketSplitter } from '../../src/core/mqtt/splitter.ts'
import type { TopicName } from '../../src/core/mqtt/topic.ts'
import { Violation } from '../../src/core/mqtt/violation.ts'
import { compilePolicy, defaultPolicy } from '../../src/core/policy/compile.ts'
import type { Binding, Policy, Role, Statement } from '../../src/core/policy/model.ts'
import type { Rights, Subject } from '../../src/core/policy/rights.ts'
import { Guard } from '../../src/gate/guard.ts'
import { PacketRun } from '../../src/gate/packet-run.ts'
import type { Tasks } from './tasks.ts'

type Request = Tasks['decide']['request']

/** Topics of which every one is also judged by going through all statements, one by one. */
const comparedTopics = 500

const here = { line: 0, column: 0 }
const nowMs = Date.UTC(2026, 0, 1)

export function decide(request: Request): Tasks['decide']['answer'] {
  const policy = plantPolicy(request)
  const compiled = compilePolicy(policy)
  const rights = compiled.rightsOf(subject, nowMs)
  compare(policy, request, rights)
  const topics = topicsOf(request)
  switch (request.what) {
    case 'decision':
      return timed(topics.length, () => countAllowed(rights, topics))
    case 'rights':
      return timed(request.applicable, () => {
        let decided = 0
        // As often as statements apply: one set of rights costs as much as many decisions. What an action needs is made too.
        for (let i = 0; i < request.applicable; i++) {
          if (compiled.rightsOf(subject, nowMs).mayPublish('elsewhere' as TopicName)) decided++
        }
        return decided
      })
    case 'guard':
      return guard(rights, topics, request.batch)
  }
}

function timed(count: number, work: () => number): Tasks['decide']['answer'] {
  const before = process.cpuUsage()
  const startMs = performance.now()
  const allowed = work()
  const seconds = (performance.now() - startMs) / 1000
  const { user, system } = process.cpuUsage(before)
  return { seconds, cpuMicros: user + system, count, allowed }
}

function countAllowed(rights: Rights, topics: readonly TopicName[]): number {
  let allowed = 0
  for (const topic of topics) if (rights.mayPublish(topic)) allowed++
  return allowed
}

function guard(rights: Rights, topics: readonly TopicName[], batch: number): Tasks['decide']['answer'] {
  const payload = Buffer.alloc(100)
  const packets = topics.map((topic) =>
    encodePublish({ topic, qos: 0, retain: false, dup: false, packetId: 0, properties: [], payload }, 5),
  )
  const chunks: Buffer[] = []
  for (let at = 0; at < packets.length; at += batch) chunks.push(Buffer.concat(packets.slice(at, at + batch)))

  let denied = 0
  let passed = 0
  const run = new PacketRun((bytes) => {
    passed += bytes.length
  })
  const judge = new Guard(
    { version: 5, wantsReasons: true, packetBytesMax: 1024 * 1024, sessionExpirySec: 0 },
    rights,
    {
      abilities: { protocolVersions: new Set([4, 5]), qosMax: 2, retain: true, sharedSubscriptions: true },
      limits,
      receiveMaximum: limits.receiveMaximum,
      deniedPublishV3: 'close',
      added: null,
    },
    { toBroker: (packet) => run.add(packet), toClient: () => {}, onDenied: () => denied++ },
  )
  const splitter = new PacketSplitter(1024 * 1024)
  const answer = timed(topics.length, () => {
    for (const chunk of chunks) {
      splitter.feed(chunk)
      for (let packet = splitter.take(); packet !== null; packet = splitter.take()) {
        if (packet instanceof Violation) throw new Error(packet.sentence)
        const verdict = judge.fromClient(packet)
        if (verdict !== null) throw new Error(`the guard ends the session: ${JSON.stringify(verdict)}`)
      }
      run.flush()
    }
    return topics.length - denied
  })
  if (denied > 0 || passed === 0) throw new Error(`the guard has denied ${denied} messages`)
  return answer
}

/** As many roles as needed, each given to a group of its own; the subject's group has one of them. */
function plantPolicy({ statements, applicable }: Request): Policy {
  const roles = new Map<string, Role>()
  const bindings: Binding[] = []
  for (let i = 0; i < statements / applicable; i++) {
    const name = `line-${i}`
    roles.set(name, {
      name,
      parameters: new Map(),
      statements: Array.from({ length: applicable }, (_, at) => plantStatement(at)),
      limits: {},
    })
    bindings.push({
      roles: [{ name, parameters: new Map() }],
      to: { kind: 'groups', groups: [name] },
      place: here,
    })
  }
  return { ...defaultPolicy, roles, bindings }
}

/** Nine in ten allow, by every kind of filter; the tenth denies within what others allow. */
function plantStatement(at: number): Statement {
  const site = `plants/\${identity.attr.site}`
  const topics =
    at % 10 === 9
      ? [`plants/+/cell-${at - 1}/+/secret/#`]
      : [`${site}/cell-${at}/#`, `${site}/+/\${identity.id}/cell-${at}`, `shared/cell-${at}/+/state`]
  return { effect: at % 10 === 9 ? 'deny' : 'allow', actions: ['publish', 'receive'], topics, when: {}, place: here }
}

const subject: Subject = {
  identity: {
    id: parseIdentityId('press-7'),
    kind: 'device',
    state: 'active',
    group: 'line-7',
    attributes: { site: 'berlin' },
    profiles: [],
    names: { dnsNames: [], ipAddresses: [], emails: [] },
    keyStorage: null,
    createdAtMs: 0,
    updatedAtMs: 0,
    version: 1,
  },
  proof: { kind: 'password', passwordId: 'bench' },
  clientId: 'press-7',
  connection: { listener: 'mqtt', address: '10.0.0.7', tlsVersion: 'TLSv1.3' },
}

type Form = (cell: number, i: number) => string

/** Allowed by a statement of the cell, by each kind of filter. */
const allowedForms: readonly Form[] = [
  (cell, i) => `plants/berlin/cell-${cell}/motor/${i}`,
  (cell, i) => `shared/cell-${cell}/m${i}/state`,
  (cell, i) => `plants/berlin/cell-${cell}/pump/${i}/temperature`,
  (cell, i) => `plants/berlin/hall-${i}/press-7/cell-${cell}`,
]
const otherForms: readonly Form[] = [
  // Denied within what is allowed.
  (cell, i) => `plants/berlin/cell-${cell - (cell % 10) + 8}/motor/secret/${i}`,
  // Nobody speaks of these.
  (cell, i) => `plants/bremen/cell-${cell}/motor/${i}`,
  (cell, i) => `shared/cell-${cell}/m${i}/state/more`,
  (cell, i) => `other/cell-${cell}/${i}`,
]
const mixedForms = allowedForms.flatMap((form, at) => [form, otherForms[at] ?? form])

function topicsOf({ what, topics, applicable }: Request): readonly TopicName[] {
  const forms = what === 'guard' ? allowedForms : mixedForms
  const allowing = applicable * 0.9
  return Array.from({ length: topics }, (_, i) => {
    const n = Math.floor(i / forms.length) % allowing
    const text = forms[i % forms.length]?.(Math.floor(n / 9) * 10 + (n % 9), i) ?? ''
    // Bytes from a socket become a new string each time, which has no hash yet.
    return Buffer.from(text, 'latin1').toString('latin1') as TopicName
  })
}

/** What is fast must be right too. */
function compare(policy: Policy, request: Request, rights: Rights): void {
  const { statements = [] } = policy.roles.get(subject.identity.group ?? '') ?? {}
  const filled = statements.map(({ effect, topics }) => ({
    effect,
    filters: topics.map(
      (topic) => topic.replace(`\${identity.attr.site}`, 'berlin').replace(`\${identity.id}`, 'press-7') as TopicFilter,
    ),
  }))
  for (const topic of topicsOf({ ...request, topics: comparedTopics })) {
    const about = filled.filter(({ filters }) => filters.some((filter) => matches(filter, topic)))
    const isAllowed = about.length > 0 && about.every(({ effect }) => effect === 'allow')
    if (isAllowed !== rights.mayPublish(topic)) throw new Error(`the decision about ${topic} is wrong`)
  }
}
