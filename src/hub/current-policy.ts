/** The policy that decides now, compiled, and the one that decides beside it and is only listened to. */
import { limits } from '../core/limits.ts'
import { type CompiledPolicy, compilePolicy, defaultPolicy } from '../core/policy/compile.ts'
import type { IdentificationRule, Policy } from '../core/policy/model.ts'
import type { Action, Rights, Subject } from '../core/policy/rights.ts'
import { ShadowedRights } from '../core/policy/shadowed-rights.ts'
import { policyIn } from './policy-files/read.ts'
import type { Clock } from './ports/clock.ts'
import type { HubEvent } from './ports/events.ts'
import type { Log } from './ports/log.ts'
import type { Observer } from './ports/observer.ts'
import type { PolicyRow } from './ports/policies.ts'
import type { Store } from './ports/store.ts'
import type { ShadowListener } from './shadow-differences.ts'

export interface CurrentPolicy {
  rightsOf(subject: Subject): Rights
  /** Those of the active policy, in their order. */
  identificationRules(): readonly IdentificationRule[]
  /** The number of the active version, or null where the default decides. */
  number(): number | null
  compiled(): CompiledPolicy
  /** Reads again what the registry says. */
  refresh(): Promise<void>
}

interface Hub {
  readonly store: Pick<Store, 'policies'>
  readonly clock: Clock
  readonly log: Log
  readonly observer: Pick<Observer, 'shadowDiffered'> & ShadowListener
}

interface Loaded {
  readonly number: number | null
  readonly policy: Policy
  readonly compiled: CompiledPolicy
}

export async function openCurrentPolicy(hub: Hub): Promise<CurrentPolicy> {
  const { clock, log, observer } = hub
  let active: Loaded = await loaded(null)
  let shadow: Loaded | null = null
  /** What was told of the shadow: each difference of an identity once. */
  let told = new Set<string>()

  async function read(): Promise<void> {
    const [now, beside] = await Promise.all([
      hub.store.policies.inState('active'),
      hub.store.policies.inState('shadow'),
    ])
    if ((now?.number ?? null) !== active.number) active = await loadedOrClosed(now)
    if ((beside?.number ?? null) !== (shadow?.number ?? null)) {
      shadow = beside === null ? null : await loadedOrClosed(beside)
      told = new Set()
    }
  }

  /** An older Handfast may have taken what this one does not read: then nobody may do anything until an operator has mended it. */
  async function loadedOrClosed(row: PolicyRow | null): Promise<Loaded> {
    try {
      return await loaded(row)
    } catch (error) {
      log.error('a version of the policy cannot be read: it allows nothing', { version: row?.number ?? null, error })
      const closed = { ...defaultPolicy, bindings: [] }
      return { number: row?.number ?? null, policy: closed, compiled: compilePolicy(closed) }
    }
  }

  // One behind the other, so that what was read first never takes the place of what was read later.
  let reading: Promise<void> = Promise.resolve()
  function refresh(): Promise<void> {
    const mine = reading.then(read)
    reading = mine.catch(() => {})
    return mine
  }

  /** @param other the rights of the shadow */
  function differs(subject: Subject, [rights, other]: readonly [Rights, Rights], asked: Asked): void {
    const { action, allowed } = asked
    observer.shadowDiffered(action, allowed ? 'deny' : 'allow')
    // A topic may have 65,535 bytes, and thousands of them are kept here.
    const topic = cut(asked.topic)
    const key = `${subject.identity.id} ${action} ${topic}`
    if (shadow?.number == null || told.has(key) || told.size >= differencesToldMax) return
    told.add(key)
    const identity = subject.identity.id
    log.warn('the shadow policy decides otherwise', {
      ...{ identity, action, topic, shadow: shadow.number },
      ...{ active: allowed ? 'allow' : 'deny', other: allowed ? 'deny' : 'allow' },
    })
    observer.shadowFound?.({
      ...{ version: shadow.number, active: active.number, identity, action, topic, allowed, atMs: clock.nowMs() },
      because: cut(rights.explain(action, asked.topic).because),
      shadowBecause: cut(other.explain(action, asked.topic).because),
    })
  }

  await refresh()
  return {
    rightsOf(subject) {
      const nowMs = clock.nowMs()
      const rights = active.compiled.rightsOf(subject, nowMs)
      if (shadow === null) return rights
      const other = shadow.compiled.rightsOf(subject, nowMs)
      return new ShadowedRights(rights, other, (action, topic, allowed) => {
        differs(subject, [rights, other], { action, topic, allowed })
      })
    },
    identificationRules: () => active.policy.identify,
    number: () => active.number,
    compiled: () => active.compiled,
    refresh,
  }
}

function cut(text: string): string {
  return text.slice(0, limits.shadowTextCharsMax).toWellFormed()
}

interface Asked {
  readonly action: Action
  readonly topic: string
  readonly allowed: boolean
}

/** Differences that are kept, so that each is told once. */
const differencesToldMax = 10_000

async function loaded(row: PolicyRow | null): Promise<Loaded> {
  const policy = row === null ? defaultPolicy : await policyIn(row.source)
  return { number: row?.number ?? null, policy, compiled: compilePolicy(policy) }
}

/** Whether an event may have changed what anybody may do. */
export function changesPolicy({ type }: Pick<HubEvent, 'type'>): boolean {
  return type === 'policy-activated' || type === 'policy-shadowed'
}
