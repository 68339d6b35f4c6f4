/** A policy file on trial: it reads, it compiles, and it holds what it expects. */
import { setImmediate as nextTurn } from 'node:timers/promises'
import { HubError } from '../../core/errors.ts'
import { isIdentityId } from '../../core/identity/id.ts'
import type { Identity } from '../../core/identity/identity.ts'
import { limits } from '../../core/limits.ts'
import { type CompiledPolicy, compilePolicy } from '../../core/policy/compile.ts'
import { outcomesOf, subjectsOf } from '../../core/policy/expectations.ts'
import { type Problem, policyInvalid, problemLine } from '../../core/policy/file/problems.ts'
import type { Policy } from '../../core/policy/model.ts'
import type { IdentityReader, Transaction } from '../ports/store.ts'
import { policyIn } from './read.ts'

/** A policy that reads and compiles; whether it holds what it expects is another question. */
export interface CompiledFile {
  readonly policy: Policy
  readonly compiled: CompiledPolicy
}

/** @throws HubError `policy-invalid` */
export async function compiledFile(source: string): Promise<CompiledFile> {
  const policy = await policyIn(source)
  return { policy, compiled: compilePolicy(policy) }
}

/**
 * Runs the tests of a policy against the registry as it is now.
 *
 * @throws HubError `policy-test-failed`
 */
export async function assertHolds(
  registry: Pick<Transaction, 'identities'>,
  file: CompiledFile,
  nowMs: number,
): Promise<void> {
  const failed = await failedTests(registry, file, nowMs)
  const [first] = failed
  if (first === undefined) return
  const others = failed.length > 1 ? ` (and ${failed.length - 1} more)` : ''
  throw new HubError('policy-test-failed', `${problemLine(first)}${others}`, { faults: policyInvalid(failed).faults })
}

/** The tests of a policy that do not come out. Whatever waits has its turn between them. */
export async function failedTests(
  { identities }: { readonly identities: Pick<IdentityReader, 'findAll'> },
  { policy, compiled }: CompiledFile,
  nowMs: number,
): Promise<readonly Problem[]> {
  const ids = subjectsOf(policy).filter(isIdentityId)
  const known = new Map<string, Identity>()
  for (let start = 0; start < ids.length; start += limits.bulkRowsMax) {
    for (const identity of await identities.findAll(ids.slice(start, start + limits.bulkRowsMax))) {
      known.set(identity.id, identity)
    }
  }
  const failed: Problem[] = []
  let turnBegan = performance.now()
  for (const problem of outcomesOf(policy, compiled, known, nowMs)) {
    if (problem !== null) failed.push(problem)
    if (performance.now() - turnBegan < limits.policyTriedForMs) continue
    await nextTurn()
    turnBegan = performance.now()
  }
  return failed
}
