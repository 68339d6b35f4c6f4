/** Policies for tests of the gate: one role that everybody has, and a policy that a test exchanges. */
import { compilePolicy, defaultPolicy } from '../../src/core/policy/compile.ts'
import type { Policy, Role, RoleLimits, Statement } from '../../src/core/policy/model.ts'
import type { Action, Subject } from '../../src/core/policy/rights.ts'
import type { GateOptions } from '../../src/gate/gate.ts'

const place = { line: 1, column: 1 }

export function allow(actions: readonly Action[], topics: readonly string[] = [], when = {}): Statement {
  return { effect: 'allow', actions, topics, when, place }
}

export function policyOf(statements: readonly Statement[], limits: RoleLimits = {}): Policy {
  const role: Role = { name: 'tested', parameters: new Map(), statements, limits }
  return {
    ...defaultPolicy,
    roles: new Map([['tested', role]]),
    bindings: [{ roles: [{ name: 'tested', parameters: new Map() }], to: { kind: 'everyone' }, place }],
  }
}

export const all: readonly Action[] = ['publish', 'subscribe', 'receive', 'retain', 'will']
export const connects = allow(['connect'])

/** A policy that a test exchanges. */
export function changing(first: Policy, nowMs: () => number = Date.now) {
  const held = { policy: first }
  const options: Pick<GateOptions, 'rightsOf'> = {
    rightsOf: (subject: Subject) => compilePolicy(held.policy).rightsOf(subject, nowMs()),
  }
  return { held, options }
}
