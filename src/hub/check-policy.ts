/** Looks at a policy file with the eyes of this hub, and writes nothing down. */

import type { AnchorState } from '../core/identification/anchor.ts'
import { limits } from '../core/limits.ts'
import { compilePolicy } from '../core/policy/compile.ts'
import type { Problem } from '../core/policy/file/problems.ts'
import { FleetCount } from '../core/policy/lint/fleet.ts'
import { lintPolicy } from '../core/policy/lint/lint.ts'
import type { Finding, Fleet } from '../core/policy/lint/rule.ts'
import { policyFileRead } from './policy-files/read.ts'
import { failedTests } from './policy-files/try.ts'
import type { Clock } from './ports/clock.ts'
import type { Store, Transaction } from './ports/store.ts'

export interface PolicyCheck {
  /** Why it does not read; nothing else is looked at then. */
  readonly problems: readonly Problem[]
  /** Its tests that do not come out, of whom the registry knows. */
  readonly failed: readonly Problem[]
  readonly warnings: readonly Finding[]
}

export async function checkPolicy(
  { store, clock }: { readonly store: Pick<Store, 'identities' | 'anchors'>; readonly clock: Clock },
  source: string,
): Promise<PolicyCheck> {
  const { policy, problems } = await policyFileRead(source)
  if (problems.length > 0) return { problems, failed: [], warnings: [] }
  const nowMs = clock.nowMs()
  const failed = await failedTests(store, { policy, compiled: compilePolicy(policy) }, nowMs)
  const surroundings = { fleet: await registeredFleet(store), anchors: await anchorStates(store) }
  return { problems, failed, warnings: lintPolicy(policy, surroundings, nowMs) }
}

/** Trust anchors by id. */
export async function anchorStates({
  anchors,
}: Pick<Store | Transaction, 'anchors'>): Promise<ReadonlyMap<string, AnchorState>> {
  return new Map((await anchors.all()).map(({ id, state }) => [id, state]))
}

/** Whom the registry knows, page after page. Who is retired never connects again and counts no more. */
async function registeredFleet({ identities }: Pick<Store, 'identities'>): Promise<Fleet> {
  const count = new FleetCount()
  let after: string | null = null
  do {
    const page: Awaited<ReturnType<typeof identities.list>> = await identities.list({
      after,
      limit: limits.pageRowsMax,
    })
    for (const identity of page.items) if (identity.state !== 'retired') count.add(identity)
    after = page.next
  } while (after !== null)
  return count
}
