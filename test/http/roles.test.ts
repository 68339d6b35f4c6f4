/** Every operation, asked by every role about what is its own and what is not, over HTTP. */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { apiOperations } from '../../src/api-schema/operations.ts'
import type { ProblemView } from '../../src/api-schema/views.ts'
import type { RoleGrant } from '../../src/core/authorisation/role.ts'
import { parseIdentityId } from '../../src/core/identity/id.ts'
import { Access } from '../../src/hub/authorise.ts'
import { addKey } from '../../src/hub/manage-keys.ts'
import type { EnrolmentRequestRow } from '../../src/hub/ports/enrolment-requests.ts'
import { fakeAttempt, fakeIdentity, fakeRefusals } from '../contract/store-fakes.ts'
import { type ApiParts, apiParts, assertAsDocumented, enrolled } from './api-parts.ts'
import {
  type CallerName,
  callerNames,
  matrix,
  type Outcome,
  type Place,
  places,
  type Row,
  type Target,
} from './roles-matrix.ts'

function waitingRequest(id: string, number: number, createdAtMs: number): EnrolmentRequestRow {
  return {
    id: number.toString(16).padStart(16, '0'),
    identityId: parseIdentityId(id),
    tokenId: null,
    parentSerial: null,
    profile: 'device',
    publicKeyHash: 'ab'.repeat(32),
    state: 'waiting',
    createdAtMs,
    decidedAtMs: null,
    decidedBy: null,
  }
}

const own: readonly string[] = [places.own]
const grants: Readonly<Record<CallerName, RoleGrant>> = {
  admin: { role: 'admin', groups: [], mayRegister: false },
  auditor: { role: 'auditor', groups: [], mayRegister: false },
  owner: { role: 'owner', groups: own, mayRegister: false },
  requester: { role: 'requester', groups: own, mayRegister: false },
  registrar: { role: 'requester', groups: own, mayRegister: true },
}

describe('what each role may do', () => {
  let api: ApiParts
  let origin = ''
  const steps: (() => unknown)[] = []
  const keys = new Map<CallerName, string>()
  let made = 0

  before(async () => {
    api = await apiParts({ after: (step) => void steps.push(step) })
    origin = await api.app.listen({ host: '127.0.0.1', port: 0 })
    for (const name of callerNames) keys.set(name, await keyOf(`caller-${name}`, grants[name]))
  })
  after(async () => {
    for (const step of steps.reverse()) await step()
  })

  async function keyOf(name: string, grant: RoleGrant): Promise<string> {
    const caller = {
      id: 'key:0',
      actor: 'key:test',
      grants: [grants.admin],
      endsAtMs: null,
      derivedKey: () => Uint8Array.of(),
    }
    const { text } = await addKey(api.hub, new Access(caller, 'key.add'), { name, ...grant, lifetimeSec: null })
    return text.reveal()
  }

  async function targetIn(place: Place, withCertificate: boolean): Promise<Target> {
    made += 1
    const group = places[place]
    const [id, fresh, key, person, service] = ['device', 'fresh', 'key', 'person', 'service'].map(
      (what) => `${what}-${made}`,
    )
    assert.ok(id && fresh && key && person && service)
    const serial = withCertificate ? await enrolled(api, id) : ''
    const grant: RoleGrant =
      group === null ? grants.auditor : { role: 'requester', groups: [group], mayRegister: false }
    await keyOf(key, grant)
    const { hub } = api
    await hub.store.write(async (tx) => {
      // A hub has room for a thousand keys, and there are more targets.
      await tx.apiKeys.removeNamed(`key-${made - 1}`)
      const device = await tx.identities.find(parseIdentityId(id))
      if (device === null) await tx.identities.insert(fakeIdentity(id, { state: 'active', group }))
      else await tx.identities.update({ ...device, group })
      await tx.identities.insert(fakeIdentity(person, { kind: 'user', state: 'active' }))
      await tx.identities.insert(fakeIdentity(service, { kind: 'service', state: 'active', group }))
      await tx.enrolmentRequests.insert(waitingRequest(id, made, hub.clock.nowMs()))
      await tx.attempts.insertAll([{ ...fakeAttempt(1), identityId: id }])
      await tx.cases.addAll([fakeRefusals(id)])
      const place = { identityId: parseIdentityId(person), role: grant.role, group, mayRegister: false }
      await tx.roleGrants.insert(place)
    })
    return { id, serial, fresh, group, key, person, service }
  }

  async function answerTo(row: Row, caller: CallerName, target: Target) {
    const { method, path, body, headers = {} } = row.ask(target)
    const isText = typeof body === 'string'
    const response = await fetch(`${origin}/api/v1${path}`, {
      method,
      headers: {
        authorization: `Bearer ${keys.get(caller)}`,
        ...(body === undefined || isText ? {} : { 'content-type': 'application/json' }),
        ...headers,
      },
      ...(body === undefined ? {} : { body: isText ? body : JSON.stringify(body) }),
    })
    const text = await response.text()
    const answer = { statusCode: response.status, headers: Object.fromEntries(response.headers), body: text }
    assertAsDocumented(method, `/api/v1${path}`, answer)
    return { response, text }
  }

  /** What is somebody else's is told of as what nobody has: the same answer, but for the name that was asked for. */
  async function assertLikeNothing(row: Row, caller: CallerName, target: Target, text: string): Promise<void> {
    if (row.tellsOfPeople === true) return
    const ghost: Target = {
      ...{ id: 'no-device', key: 'no-key', person: 'no-person', service: 'no-service' },
      ...{ serial: 'ab'.repeat(20), fresh: 'no-fresh', group: target.group },
    }
    const { text: nothing } = await answerTo(row, caller, ghost)
    const blank = (body: string, names: Target) =>
      [names.id, names.serial, names.key, names.person, names.service]
        .filter((name) => name !== '')
        .reduce((left, name) => left.replaceAll(name, '#'), body)
        .replace(/"instance":"[^"]*"/, '')
    assert.equal(blank(text, target), blank(nothing, ghost))
  }

  async function outcomeOf(row: Row, caller: CallerName, place: Place): Promise<Outcome> {
    const target = await targetIn(place, row.withCertificate === true)
    const { response, text } = await answerTo(row, caller, target)
    if (response.status < 400) {
      if (!row.outcomes[caller].includes('shown')) return 'done'
      const trace = row.shows?.(target) ?? `"${target.id}"`
      return text.includes(trace) ? 'shown' : 'hidden'
    }
    const { code } = JSON.parse(text) as ProblemView
    if (response.status === 404) {
      // In the group of the caller itself it may be told what is missing.
      if (caller !== 'admin' && place !== 'own') await assertLikeNothing(row, caller, target, text)
      return 'unseen'
    }
    assert.equal(response.status, 403, text)
    const words: Readonly<Record<string, Outcome>> = {
      'role-forbids': 'role',
      'group-forbids': 'group',
      'grant-exceeds': 'exceeds',
    }
    const word = words[code]
    assert.ok(word !== undefined, text)
    return word
  }

  test('stands in a row for every operation that needs a key, and for no other', () => {
    const operations = apiOperations.filter(({ permission }) => permission === 'key').map(({ id }) => id)
    assert.deepEqual(Object.keys(matrix).toSorted(), operations.toSorted())
  })

  test('names an act in every operation that needs a key', () => {
    for (const { id, permission, act } of apiOperations) assert.equal(act !== null, permission === 'key', id)
  })

  for (const [id, row] of Object.entries(matrix)) {
    test(`${id} is for whom its row says, within its groups`, async () => {
      for (const caller of callerNames) {
        const [here = '', elsewhere = here] = row.outcomes[caller].split(' ')
        for (const place of ['own', 'foreign', 'none'] as const) {
          const expected = place === 'own' ? here : elsewhere
          assert.equal(await outcomeOf(row, caller, place), expected, `${caller}, ${place}`)
        }
      }
    })
  }
})
