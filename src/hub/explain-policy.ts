/** What the policy decides about a question, without anybody doing it. */
import { HubError, quote } from '../core/errors.ts'
import { parseIdentityId } from '../core/identity/id.ts'
import type { Identity } from '../core/identity/identity.ts'
import { parseTopicFilter } from '../core/mqtt/filter.ts'
import { parseTopicName } from '../core/mqtt/topic.ts'
import { Violation } from '../core/mqtt/violation.ts'
import { compilePolicy, defaultPolicy } from '../core/policy/compile.ts'
import type { Action, Decision, Subject } from '../core/policy/rights.ts'
import { imaginedIdentity, usualSubject } from '../core/policy/subjects.ts'
import { policyIn } from './policy-files/read.ts'
import type { Clock } from './ports/clock.ts'
import type { Store } from './ports/store.ts'

export interface PolicyQuestion {
  readonly identity: string
  readonly action: Action
  readonly topic: string
  /** Null for the id of the identity. */
  readonly clientId: string | null
  /** Null where it is not known. */
  readonly address: string | null
  readonly tlsVersion: string
  /** Null for what decides now. */
  readonly version: number | null
}

export interface PolicyAnswer extends Decision {
  readonly roles: readonly string[]
  readonly policy: number | null
  readonly isKnown: boolean
}

/**
 * @param mayKnow whether whoever asks may know of an identity: of others is answered as of what is not registered
 * @throws HubError `policy-not-found`, `identity-id-invalid`, `request-invalid` for a topic or filter that is none
 */
export async function explainPolicy(
  { store, clock }: { readonly store: Pick<Store, 'policies' | 'identities' | 'credentials'>; readonly clock: Clock },
  question: PolicyQuestion,
  mayKnow: (identity: Identity) => boolean = () => true,
): Promise<PolicyAnswer> {
  const { action, topic, version } = question
  assertTopic(action, topic)
  const id = parseIdentityId(question.identity)
  const row = version === null ? await store.policies.inState('active') : await store.policies.find(version)
  if (row === null && version !== null) {
    throw new HubError('policy-not-found', `there is no version ${version} of the policy`)
  }
  const compiled = compilePolicy(row === null ? defaultPolicy : await policyIn(row.source))
  const found = await store.identities.find(id)
  const known = found !== null && mayKnow(found) ? found : null
  const subject = usualSubject(known ?? imaginedIdentity(id), question.clientId ?? id)
  // Of those that it could show, the one that it shows most likely.
  const held = known === null ? [] : await store.credentials.ofIdentityIn(id, ['active', 'pending', 'quarantined'])
  const shown = held.at(0)
  const asked: Subject = {
    ...subject,
    proof: shown === undefined ? subject.proof : { kind: 'issued', credential: shown },
    connection: { ...subject.connection, address: question.address ?? 'unknown', tlsVersion: question.tlsVersion },
  }
  return {
    ...compiled.rightsOf(asked, clock.nowMs()).explain(action, topic),
    roles: compiled.rolesOf(asked.identity),
    policy: row?.number ?? null,
    isKnown: known !== null,
  }
}

function assertTopic(action: Action, topic: string): void {
  if (action === 'connect') {
    if (topic === '') return
    throw new HubError('request-invalid', `${quote(topic)} stands behind connect, which has no topic`)
  }
  const parsed = action === 'subscribe' ? parseTopicFilter(topic) : parseTopicName(topic)
  if (!(parsed instanceof Violation)) return
  throw new HubError('request-invalid', `${quote(topic)}: ${parsed.sentence}`, {
    hint: action === 'subscribe' ? 'give a topic filter' : 'give a topic name; only `subscribe` takes wildcards',
  })
}
