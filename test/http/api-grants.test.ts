/** Profiles and names of devices over the API: an admin gives them, and a change of them is a change of the device. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { NewApiKeyView } from '../../src/api-schema/access.ts'
import type { AuditEntryView, BootstrapView, DeviceView, PageView } from '../../src/api-schema/views.ts'
import { limits } from '../../src/core/limits.ts'
import { type ApiParts, answered, apiParts, ask } from './api-parts.ts'
import { assertProblem } from './problem.ts'

const press = {
  id: 'press-4',
  group: 'line-1',
  profiles: ['device', 'dual'],
  dnsNames: ['Press-4.plant.example'],
  ipAddresses: ['2001:DB8::7'],
}
const grants = {
  profiles: ['device', 'dual'],
  dnsNames: ['press-4.plant.example'],
  ipAddresses: ['2001:db8::7'],
  emails: [],
}

const grantsOf = ({ profiles, dnsNames, ipAddresses, emails }: DeviceView) => ({
  profiles,
  dnsNames,
  ipAddresses,
  emails,
})
const edit = (api: Pick<ApiParts, 'app' | 'key'>, patch: object) =>
  ask(api, 'PATCH', '/devices/press-4', patch, { 'if-match': '*' })

test('more requests of one key at a time than it may have open are refused, and it goes on when they are over', async (t) => {
  const api = await apiParts(t)
  const many = await Promise.all(
    Array.from({ length: limits.requestsPerKeyMax + 1 }, () => ask(api, 'GET', '/devices?limit=1')),
  )
  const refused = many.filter(({ statusCode }) => statusCode !== 200)
  const [one] = refused
  assert.ok(one !== undefined && refused.length === 1)
  assertProblem(one, 429, 'requests-too-many')
  assert.equal((await ask(api, 'GET', '/devices?limit=1')).statusCode, 200)
})

describe('what a device is granted', () => {
  test('is registered with it, in its usual spelling, and the rest is that of every device', async (t) => {
    const api = await apiParts(t)
    const { device } = await answered<BootstrapView>(ask(api, 'POST', '/devices', press), 201)
    assert.deepEqual(grantsOf(device), grants)
    const plain = await answered<BootstrapView>(ask(api, 'POST', '/devices', { id: 'pump-1' }), 201)
    assert.deepEqual(grantsOf(plain.device), { profiles: ['device'], dnsNames: [], ipAddresses: [], emails: [] })
  })

  test('is edited list by list, as a change of the device with what was and what is', async (t) => {
    const api = await apiParts(t)
    await answered(ask(api, 'POST', '/devices', press), 201)
    const edited = await answered<DeviceView>(edit(api, { profiles: ['dual'], ipAddresses: [] }))
    assert.deepEqual([edited.version, grantsOf(edited)], [2, { ...grants, profiles: ['dual'], ipAddresses: [] }])
    const { items } = await answered<PageView<AuditEntryView>>(ask(api, 'GET', '/audit?limit=1'))
    const before = items[0]?.before as { profiles: readonly string[] }
    const after = items[0]?.after as { profiles: readonly string[]; names: { ipAddresses: readonly string[] } }
    assert.deepEqual(
      [items[0]?.act, before.profiles, after.profiles, after.names.ipAddresses],
      ['identity.change', ['device', 'dual'], ['dual'], []],
    )
    assert.equal((await answered<DeviceView>(edit(api, { profiles: ['dual'] }))).version, 2)
  })

  test('is refused where it is none', async (t) => {
    const api = await apiParts(t)
    await answered(ask(api, 'POST', '/devices', press), 201)
    assertProblem(await edit(api, { profiles: ['none'] }), 404, 'profile-not-found')
    assertProblem(await edit(api, { profiles: ['user'] }), 403, 'profile-not-granted')
    assertProblem(await edit(api, { profiles: ['root'] }), 403, 'profile-not-granted')
    for (const name of ['*.plant.example', '10.0.0.1', 'a_b']) {
      assertProblem(await edit(api, { dnsNames: [name] }), 400, 'name-invalid')
    }
    assertProblem(await edit(api, { ipAddresses: ['10.0.0.0/8'] }), 400, 'name-invalid')
    assertProblem(await edit(api, { profiles: Array.from({ length: 100 }, () => 'dual') }), 400, 'request-invalid')
    assertProblem(
      await ask(api, 'POST', '/devices', { ...press, id: 'press-5', tokenProfile: 'server' }),
      403,
      'profile-not-granted',
    )
  })

  test('is for an admin to give: an owner of the group does everything else', async (t) => {
    const api = await apiParts(t)
    await answered(ask(api, 'POST', '/devices', press), 201)
    const asked = { name: 'owner', role: 'owner', groups: ['line-1'] }
    const { secret } = await answered<NewApiKeyView>(ask(api, 'POST', '/keys', asked), 201)
    const owner = { app: api.app, key: secret }
    await answered(edit(owner, { attributes: { site: 'hall-2' } }))
    const forbidden = [
      { profiles: ['device'] },
      { dnsNames: ['bank.example'] },
      { ipAddresses: [] },
      { emails: ['a@b.example'] },
    ]
    for (const patch of forbidden) assertProblem(await edit(owner, patch), 403, 'role-forbids')
    const other = { ...press, id: 'press-5' }
    assertProblem(await ask(owner, 'POST', '/devices', other), 403, 'role-forbids')
    await answered(ask(owner, 'POST', '/devices', { id: 'press-5', group: 'line-1' }), 201)
    const { device } = await answered<BootstrapView>(
      ask(owner, 'POST', '/devices/press-4/tokens', { tokenProfile: 'dual' }),
      201,
    )
    assert.deepEqual(grantsOf(device), grants)
  })
})
