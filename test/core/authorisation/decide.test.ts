/** Who may do what: properties that hold for every holder, every act and every target. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { type Act, actNames, acts } from '../../../src/core/authorisation/act.ts'
import { type Holder, reachOf, refusalOf, type Target } from '../../../src/core/authorisation/decide.ts'
import { adminGrant, parseRoleGrant, type RoleGrant, roles } from '../../../src/core/authorisation/role.ts'
import { identityKinds } from '../../../src/core/identity/id.ts'

const group = fc.constantFrom('line-1', 'line-2', 'line-3', 'line-4')
const groups = fc.uniqueArray(group, { minLength: 1, maxLength: 3 })
const requester = fc
  .record({ groups, mayRegister: fc.boolean() })
  .map((grant): RoleGrant => ({ role: 'requester', ...grant }))
const owner = groups.map((owned): RoleGrant => ({ role: 'owner', groups: owned, mayRegister: false }))
const auditor: RoleGrant = { role: 'auditor', groups: [], mayRegister: false }
const bound = fc.oneof(owner, requester)
const anyGrant = fc.oneof(owner, requester, fc.constant(auditor), fc.constant(adminGrant))
const end = fc.option(fc.integer({ min: 1, max: 9 }))
const holderOf = (grant: fc.Arbitrary<RoleGrant>): fc.Arbitrary<Holder> =>
  fc.record({ grants: fc.array(grant, { maxLength: 3 }), endsAtMs: end })
const act = fc.constantFrom(...actNames)
const identity = fc.record({ kind: fc.constantFrom(...identityKinds), group: fc.option(group) })
const target: fc.Arbitrary<Target> = fc.oneof(
  fc.constant({ kind: 'hub' } as const),
  identity.map((each) => ({ kind: 'identity', identity: each }) as const),
  fc.option(group).map((each) => ({ kind: 'group', group: each }) as const),
  anyGrant.map((grant) => ({ kind: 'held', grant }) as const),
  fc.record({ kind: fc.constant('given' as const), grant: anyGrant, endsAtMs: end }),
)

const may = (holder: Holder, what: Act, to: Target): boolean => refusalOf(holder, what, to) === null
const isOf = (grants: readonly RoleGrant[], name: string | null): boolean =>
  grants.some((grant) => name !== null && grant.groups.includes(name))

describe('roles', () => {
  test('whoever has no role may nothing', () => {
    fc.assert(fc.property(act, target, (what, to) => refusalOf({ grants: [], endsAtMs: null }, what, to) === 'role'))
  })

  test('an admin may everything, but give what outlives itself', () => {
    fc.assert(
      fc.property(act, target, end, (what, to, endsAtMs) => {
        const isTooLong = to.kind === 'given' && endsAtMs !== null && (to.endsAtMs === null || to.endsAtMs > endsAtMs)
        return may({ grants: [adminGrant], endsAtMs }, what, to) === !isTooLong
      }),
    )
  })

  test('an auditor reads everything and changes nothing', () => {
    fc.assert(
      fc.property(act, target, (what, to) => {
        const isReading = what.endsWith('.read')
        return may({ grants: [auditor], endsAtMs: null }, what, to) === isReading
      }),
    )
  })

  test('owners and requesters never reach an identity outside of their groups, nor a person', () => {
    fc.assert(
      fc.property(holderOf(bound), act, identity, (holder, what, each) => {
        if (!may(holder, what, { kind: 'identity', identity: each })) return true
        return isOf(holder.grants, each.group) && each.kind !== 'user'
      }),
    )
  })

  test('owners and requesters bring nothing into a group that is not theirs, nor into none', () => {
    fc.assert(
      fc.property(holderOf(bound), act, fc.option(group), (holder, what, name) => {
        return !may(holder, what, { kind: 'group', group: name }) || isOf(holder.grants, name)
      }),
    )
  })

  test('a list shows an owner or a requester exactly what single reads do', () => {
    fc.assert(
      fc.property(holderOf(bound), group, (holder, name) => {
        const device = { kind: 'device', group: name } as const
        const shown = reachOf(holder, 'device.read')
        assert.ok(shown !== null, 'a list of everything')
        return shown.includes(name) === may(holder, 'device.read', { kind: 'identity', identity: device })
      }),
    )
  })

  test('a requester takes nothing away, changes nothing and approves nothing', () => {
    const allowed = actNames.filter((what) =>
      acts[what].roles.some((each) => each === 'requester' || each === 'registering'),
    )
    assert.deepEqual(allowed, [
      'device.read',
      'device.register',
      'device.request',
      'certificate.read',
      'certificate.issue',
      'profile.read',
      'authority.read',
      'hub.read',
      'caller.read',
    ])
  })

  test('a requester registers devices only where its grant says so', () => {
    fc.assert(
      fc.property(holderOf(requester), group, (holder, name) => {
        const registers = holder.grants.some((grant) => grant.mayRegister && grant.groups.includes(name))
        return may(holder, 'device.register', { kind: 'group', group: name }) === registers
      }),
    )
  })

  test('nobody gives more than they have: whatever the new holder may, the giver may', () => {
    const giver = holderOf(anyGrant)
    fc.assert(
      fc.property(giver, anyGrant, end, act, target, (holder, grant, endsAtMs, what, to) => {
        if (!may(holder, 'key.add', { kind: 'given', grant, endsAtMs })) return true
        const isInTime = holder.endsAtMs === null || (endsAtMs !== null && endsAtMs <= holder.endsAtMs)
        assert.ok(isInTime)
        return !may({ grants: [grant], endsAtMs }, what, to) || may(holder, what, to)
      }),
      { numRuns: 2_000 },
    )
  })

  test('nobody but an admin makes their like', () => {
    fc.assert(
      fc.property(holderOf(fc.oneof(bound, fc.constant(auditor))), anyGrant, end, (holder, grant, endsAtMs) => {
        const gives = may(holder, 'key.add', { kind: 'given', grant, endsAtMs })
        return !gives || (grant.role === 'requester' && holder.grants.some(({ role }) => role === 'owner'))
      }),
    )
  })

  test('more grants never allow less', () => {
    fc.assert(
      fc.property(holderOf(anyGrant), anyGrant, act, target, (holder, more, what, to) => {
        return !may(holder, what, to) || may({ ...holder, grants: [...holder.grants, more] }, what, to)
      }),
    )
  })
})

describe('a grant', () => {
  test('of an owner or requester names groups, each once and in order', () => {
    const grant = parseRoleGrant({ role: 'owner', groups: ['b', 'a', 'b'], mayRegister: false })
    assert.deepEqual(grant.groups, ['a', 'b'])
  })

  test('is refused where it says what its role cannot be', () => {
    const wrong = [
      { role: 'owner', groups: [], mayRegister: false },
      { role: 'requester', groups: [], mayRegister: true },
      { role: 'admin', groups: ['a'], mayRegister: false },
      { role: 'auditor', groups: ['a'], mayRegister: false },
      { role: 'owner', groups: ['a'], mayRegister: true },
      { role: 'admin', groups: [], mayRegister: true },
      { role: 'owner', groups: ['a/b'], mayRegister: false },
      { role: 'owner', groups: Array.from({ length: 33 }, (_, index) => `g${index}`), mayRegister: false },
    ] as const
    for (const each of wrong)
      assert.throws(() => parseRoleGrant(each), { code: 'request-invalid' }, JSON.stringify(each))
    assert.deepEqual(roles, ['admin', 'owner', 'requester', 'auditor'])
  })
})
