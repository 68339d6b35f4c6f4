/** A policy made ready for decisions: everything that depends on the policy alone is done once, here. */
import { HubError, quote } from '../errors.ts'
import type { IdentityId, IdentityKind } from '../identity/id.ts'
import type { Identity } from '../identity/identity.ts'
import { isQuarantined } from '../identity/proof.ts'
import { type Applicable, ApplicableRights } from './applicable-rights.ts'
import { conditionsHeld } from './conditions.ts'
import type { Binding, BoundRole, Conditions, Policy, Role, RoleLimits, Statement } from './model.ts'
import { readyMadeRoles } from './ready-made.ts'
import type { Rights, Subject } from './rights.ts'
import { fill, parseTemplate, type Template } from './template.ts'
import { mayChangeAtMs } from './time-window.ts'

export interface CompiledPolicy {
  /** What somebody may do on a connection, now; see `changesAtMs` of the rights. */
  rightsOf(subject: Subject, nowMs: number): Rights
  /** Names of the roles that an identity is given by the bindings, each once. */
  rolesOf(identity: Identity): readonly string[]
}

/** What everybody has where no policy is active: the topics below `devices/<id>/`. */
export const defaultPolicy: Policy = {
  identify: [],
  roles: new Map(),
  bindings: [
    {
      roles: [{ name: 'own-topics', parameters: new Map() }],
      to: { kind: 'everyone' },
      place: { line: 0, column: 0 },
    },
  ],
  subjects: new Map(),
  expectations: [],
}

interface CompiledStatement {
  readonly statement: Statement
  readonly topics: readonly Template[]
  /** As in `role own-topics, statement 1`. */
  readonly label: string
  readonly hasConditions: boolean
  /** What it is for everybody, where it depends on nobody; else null. Sessions share it. */
  readonly fixed: Applicable | null
}

interface CompiledRole {
  readonly role: Role
  readonly statements: readonly CompiledStatement[]
  readonly clientId: Template | null
}

/** A role as a binding gives it. */
interface CompiledBound {
  readonly role: CompiledRole
  readonly parameters: ReadonlyMap<string, Template>
}

/**
 * @throws HubError `policy-invalid` for a role that there is not, a parameter that it has not, or a variable that nobody
 *   knows; whoever reads a policy from a file says so with its place before this is asked
 */
export function compilePolicy(policy: Policy): CompiledPolicy {
  const roles = new Map([...readyMadeRoles, ...policy.roles].map(([name, role]) => [name, compiledRole(role)]))
  const bound = (each: BoundRole): CompiledBound => compiledBound(roles, each)
  const quarantine = compiledRole(readyMadeRoles.get('quarantine') as Role)
  const quarantined: readonly CompiledBound[] = [{ role: quarantine, parameters: new Map() }]
  const index = new BindingIndex(policy.bindings, bound)

  return {
    rightsOf(subject, nowMs) {
      const given = isQuarantined(subject.proof) ? quarantined : index.boundTo(subject.identity)
      return rightsFrom(given, subject, nowMs)
    },
    rolesOf: (identity) => [...new Set(index.boundTo(identity).map(({ role }) => role.role.name))],
  }
}

function compiledRole(role: Role): CompiledRole {
  const parameters = [...role.parameters.keys()]
  const statements = role.statements.map((statement, i) => {
    const line = statement.place.line === 0 ? '' : ` (line ${statement.place.line})`
    const topics = statement.topics.map((topic) => parseTemplate(topic, parameters))
    const label = `role ${role.name}, statement ${i + 1}${line}`
    const hasConditions = Object.keys(statement.when).length > 0
    return { statement, topics, label, hasConditions, fixed: hasConditions ? null : fixedOf(statement, topics, label) }
  })
  const { clientId } = role.limits
  return { role, statements, clientId: clientId === undefined ? null : parseTemplate(clientId, parameters) }
}

function fixedOf(
  { effect, actions, topics: texts }: Statement,
  topics: readonly Template[],
  label: string,
): Applicable | null {
  const isPlain = topics.every((template) => template.every((part) => 'text' in part))
  return isPlain ? { effect, actions, topics: texts, label, ...always } : null
}

function compiledBound(roles: ReadonlyMap<string, CompiledRole>, { name, parameters }: BoundRole): CompiledBound {
  const role = roles.get(name)
  if (role === undefined)
    throw new HubError('policy-invalid', `a binding names the role ${quote(name)}, which there is not`)
  const stray = [...parameters.keys()].find((each) => !role.role.parameters.has(each))
  if (stray !== undefined) {
    throw new HubError(
      'policy-invalid',
      `a binding sets ${quote(stray)}, which is no parameter of the role ${quote(name)}`,
    )
  }
  const texts = [...role.role.parameters].map(([each, standard]) => [each, parameters.get(each) ?? standard] as const)
  return { role, parameters: new Map(texts.map(([each, text]) => [each, parseTemplate(text)])) }
}

/** Finds the bindings of somebody without going through all of them. */
class BindingIndex {
  readonly #everyone: CompiledBound[] = []
  readonly #byId = new Map<string, CompiledBound[]>()
  readonly #byGroup = new Map<string, CompiledBound[]>()
  readonly #byKind = new Map<string, CompiledBound[]>()

  constructor(bindings: readonly Binding[], compiled: (bound: BoundRole) => CompiledBound) {
    for (const { roles, to } of bindings) {
      const given = roles.map(compiled)
      switch (to.kind) {
        case 'everyone':
          this.#everyone.push(...given)
          break
        case 'identities':
          addAll(this.#byId, to.ids, given)
          break
        case 'groups':
          addAll(this.#byGroup, to.groups, given)
          break
        case 'kinds':
          addAll(this.#byKind, to.kinds, given)
          break
      }
    }
  }

  boundTo({ id, group, kind }: { id: IdentityId; group: string | null; kind: IdentityKind }): readonly CompiledBound[] {
    const own = this.#byId.get(id)
    const ofGroup = group === null ? undefined : this.#byGroup.get(group)
    const ofKind = this.#byKind.get(kind)
    if (own === undefined && ofGroup === undefined && ofKind === undefined) return this.#everyone
    return [...this.#everyone, ...(own ?? []), ...(ofGroup ?? []), ...(ofKind ?? [])]
  }
}

function addAll<Value>(index: Map<string, Value[]>, keys: readonly string[], values: readonly Value[]): void {
  for (const key of keys) {
    const present = index.get(key)
    if (present === undefined) index.set(key, [...values])
    else present.push(...values)
  }
}

function rightsFrom(given: readonly CompiledBound[], subject: Subject, nowMs: number): Rights {
  const applicable: Applicable[] = []
  let changesAtMs = Number.POSITIVE_INFINITY
  let clientIdFault: string | null = null
  for (const { role, parameters } of given) {
    const values = filledParameters(parameters, subject)
    for (const { statement, topics, label, hasConditions, fixed } of role.statements) {
      if (fixed !== null) {
        applicable.push(fixed)
        continue
      }
      const { held, why } = hasConditions ? conditionsHeld(statement.when, subject, nowMs) : always
      changesAtMs = Math.min(changesAtMs, changeOf(statement.when, nowMs))
      applicable.push({
        effect: statement.effect,
        actions: statement.actions,
        // A deny of what nobody knows denies all that it is about.
        topics: topics.map((template) => fill(template, subject, values)),
        label,
        held,
        why,
      })
    }
    clientIdFault ??= faultOfClientId(role, subject, values)
  }
  return new ApplicableRights(
    applicable,
    mergedLimits(given.map(({ role }) => role.role.limits)),
    clientIdFault,
    Number.isFinite(changesAtMs) ? changesAtMs : null,
  )
}

const always = { held: 'yes', why: '' } as const

function filledParameters(
  parameters: ReadonlyMap<string, Template>,
  subject: Subject,
): ReadonlyMap<string, string | null> {
  if (parameters.size === 0) return nothing
  return new Map([...parameters].map(([name, template]) => [name, fill(template, subject)]))
}

const nothing: ReadonlyMap<string, string | null> = new Map()

function changeOf({ time }: Conditions, nowMs: number): number {
  return (time === undefined ? null : mayChangeAtMs(time, nowMs)) ?? Number.POSITIVE_INFINITY
}

function faultOfClientId(
  { role, clientId }: CompiledRole,
  subject: Subject,
  values: ReadonlyMap<string, string | null>,
): string | null {
  if (clientId === null) return null
  const wanted = fill(clientId, subject, values)
  if (wanted === subject.clientId) return null
  const what = wanted === null ? 'one that is not defined for this identity' : quote(wanted)
  return `role ${role.name} wants the client id to be ${what}, and it is ${quote(subject.clientId)}`
}

function mergedLimits(all: readonly RoleLimits[]): Rights['limits'] {
  const smallest = (name: Exclude<keyof RoleLimits, 'clientId'>): number | null => {
    let least: number | null = null
    for (const limits of all) {
      const value = limits[name]
      if (value !== undefined && (least === null || value < least)) least = value
    }
    return least
  }
  return {
    qosMax: smallest('qosMax') as 0 | 1 | 2 | null,
    payloadBytesMax: smallest('payloadBytesMax'),
    publishesPerSecondMax: smallest('publishesPerSecondMax'),
    subscriptionsMax: smallest('subscriptionsMax'),
    sessionsMax: smallest('sessionsMax'),
  }
}
