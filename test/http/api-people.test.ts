/** People who come to the admin API with their client certificates, over TLS. */
import assert from 'node:assert/strict'
import { Agent, request } from 'node:https'
import type { AddressInfo } from 'node:net'
import { describe, type TestContext, test } from 'node:test'
import type { CallerView, NewApiKeyView } from '../../src/api-schema/access.ts'
import type { RoleGrant } from '../../src/core/authorisation/role.ts'
import type { Credential } from '../../src/core/identity/credential.ts'
import { type IdentityKind, parseIdentityId } from '../../src/core/identity/id.ts'
import { profilesOfKind } from '../../src/core/identity/identity.ts'
import { encodePem } from '../../src/core/x509/pem.ts'
import { apiServer } from '../../src/http/api/api-server.ts'
import { tlsOptions } from '../../src/http/listen.ts'
import { personAdmission } from '../../src/hub/admit.ts'
import { changeDeviceState, revokeCertificate } from '../../src/hub/change-identity.ts'
import { enrol } from '../../src/hub/enrol.ts'
import { FailureLimiter } from '../../src/hub/failure-limiter.ts'
import { peopleOf } from '../../src/hub/people.ts'
import type { NewAttempt } from '../../src/hub/ports/attempts.ts'
import { newToken } from '../../src/hub/registration.ts'
import { currentServerCertificate } from '../../src/hub/server-certificate.ts'
import { ShadowDifferences } from '../../src/hub/shadow-differences.ts'
import { fakeIdentity } from '../contract/store-fakes.ts'
import { deviceRequest } from '../support/hub-parts.ts'
import { type ApiParts, anchorCrlsOf, apiParts, ask, deskOf } from './api-parts.ts'
import { assertProblem } from './problem.ts'

/** What a client has in hand. */
interface Papers {
  readonly key: string
  readonly cert: string
}

interface Holder extends Papers {
  readonly credential: Credential
}

interface Answer {
  readonly status: number
  readonly body: string
  readonly headers: Readonly<Record<string, unknown>>
}

interface AskOptions {
  readonly method?: 'GET' | 'POST'
  readonly body?: object
  readonly headers?: Readonly<Record<string, string>>
  readonly agent?: Agent
}

class People {
  readonly api: ApiParts
  readonly attempts: NewAttempt[] = []
  readonly #port: number
  readonly #exchange: () => Promise<void>

  private constructor(api: ApiParts, port: number, exchange: () => Promise<void>, attempts: NewAttempt[]) {
    this.api = api
    this.#port = port
    this.#exchange = exchange
    this.attempts = attempts
  }

  static async start(t: TestContext): Promise<People> {
    const api = await apiParts(t)
    const { hub } = api
    const names = { dnsNames: ['localhost'], ipAddresses: ['127.0.0.1'] }
    const tls = await currentServerCertificate(hub, names)
    const attempts: NewAttempt[] = []
    const people = peopleOf({ store: hub.store, keys: hub.keys, admission: personAdmission(hub) })
    const app = apiServer({
      anchorCrls: anchorCrlsOf(hub),
      differences: new ShadowDifferences(),
      hub,
      desk: deskOf(hub),
      limiter: new FailureLimiter(hub.clock),
      log: hub.log,
      flushAttempts: async () => {},
      describeHub: api.describeHub,
      tls,
      entrance: { people, attempts: { record: (attempt) => void attempts.push(attempt) } },
    })
    t.after(() => app.close())
    await app.listen({ host: '127.0.0.1', port: 0 })
    const exchange = async () => {
      const { server } = app as unknown as { server: { setSecureContext(options: object): void } }
      server.setSecureContext(tlsOptions(tls))
    }
    return new People(api, (app.server.address() as AddressInfo).port, exchange, attempts)
  }

  /** Exchanges the certificate of the listener, as a renewal does. */
  exchangeCertificate(): Promise<void> {
    return this.#exchange()
  }

  async holder(name: string, kind: IdentityKind, ...grants: readonly RoleGrant[]): Promise<Holder> {
    const { hub } = this.api
    const id = parseIdentityId(name)
    const { token, text } = newToken(hub, id, 3_600)
    await hub.store.write(async (tx) => {
      if ((await tx.identities.find(id)) === null) {
        await tx.identities.insert(fakeIdentity(name, { kind, state: 'active', profiles: profilesOfKind[kind] }))
      }
      await tx.tokens.insert({ ...token, profile: profilesOfKind[kind][0] ?? '' })
      for (const { role, groups, mayRegister } of grants) {
        for (const group of groups.length === 0 ? [null] : groups) {
          await tx.roleGrants.insert({ identityId: id, role, group, mayRegister })
        }
      }
    })
    const { key, certificateRequest } = deviceRequest(name)
    const credential = await enrol(hub, { tokenText: text, claimedId: name, certificateRequest })
    return { credential, key: key.reveal(), cert: encodePem('CERTIFICATE', credential.certificate) }
  }

  ask(papers: Papers | null, path: string, options: AskOptions = {}): Promise<Answer> {
    const { method = 'GET', body, headers = {}, agent } = options
    const text = body === undefined ? undefined : JSON.stringify(body)
    return new Promise((resolve, reject) => {
      const outgoing = request(
        {
          ...{ host: '127.0.0.1', port: this.#port, path: `/api/v1${path}`, method },
          // The hub stands in 2026, and this client in whatever year it is.
          rejectUnauthorized: false,
          ...(papers === null ? {} : { key: papers.key, cert: papers.cert }),
          agent: agent ?? false,
          headers: { ...headers, ...(text === undefined ? {} : { 'content-type': 'application/json' }) },
        },
        (incoming) => {
          const chunks: Buffer[] = []
          incoming.on('data', (chunk: Buffer) => chunks.push(chunk))
          incoming.on('end', () => {
            const { statusCode: status = 0, headers: got } = incoming
            resolve({ status, body: Buffer.concat(chunks).toString('utf8'), headers: got })
          })
        },
      )
      outgoing.on('error', reject)
      outgoing.end(text)
    })
  }
}

const owner: RoleGrant = { role: 'owner', groups: ['line-2'], mayRegister: false }
const admin: RoleGrant = { role: 'admin', groups: [], mayRegister: false }

function codeOf({ body }: Answer): string {
  return (JSON.parse(body) as { code: string }).code
}

describe('a person with a client certificate', () => {
  test('comes in with its roles and is named in the audit log', async (t) => {
    const people = await People.start(t)
    const alice = await people.holder('alice', 'user', owner)
    const { status, body } = await people.ask(alice, '/caller')
    assert.equal(status, 200, body)
    const caller = JSON.parse(body) as CallerView
    assert.deepEqual([caller.actor, caller.roles], ['user:alice', [owner]])
    const made = await people.ask(alice, '/devices', { method: 'POST', body: { id: 'pump-7', group: 'line-2' } })
    assert.equal(made.status, 201, made.body)
    const elsewhere = await people.ask(alice, '/devices', { method: 'POST', body: { id: 'pump-8', group: 'line-3' } })
    assert.equal(codeOf(elsewhere), 'group-forbids')
    const entries = await people.api.hub.store.audit.list({ after: null, limit: 9 })
    const acts = entries.items.filter(({ actor }) => actor === 'user:alice').map(({ act }) => act)
    assert.deepEqual(acts.toSorted(), ['credential.activate', 'identity.register', 'token.create'])
  })

  test('with its first request has used the certificate', async (t) => {
    const people = await People.start(t)
    const alice = await people.holder('alice', 'user', admin)
    assert.equal(alice.credential.state, 'pending')
    await people.ask(alice, '/caller')
    const used = await people.api.hub.store.credentials.find(alice.credential.fingerprint)
    assert.equal(used?.state, 'active')
  })

  test('may nothing without a role', async (t) => {
    const people = await People.start(t)
    const bob = await people.holder('bob', 'user')
    const answer = await people.ask(bob, '/caller')
    assert.deepEqual([answer.status, codeOf(answer)], [403, 'role-forbids'])
  })

  test('has no role taken that it does not hold', async (t) => {
    const people = await People.start(t)
    await people.holder('alice', 'user', owner)
    const { app, key } = people.api
    const body = { role: 'auditor', groups: [] }
    assertProblem(await ask({ app, key }, 'POST', '/users/alice/roles/withdraw', body), 404, 'role-not-held')
  })

  test('is out with the next request once the role is withdrawn or the certificate revoked, on the same connection', async (t) => {
    const people = await People.start(t)
    const { hub } = people.api
    const alice = await people.holder('alice', 'user', admin, owner)
    const agent = new Agent({ keepAlive: true, maxSockets: 1 })
    t.after(() => agent.destroy())
    assert.equal((await people.ask(alice, '/audit', { agent })).status, 200)
    await hub.store.write((tx) =>
      tx.roleGrants.remove({ identityId: alice.credential.identityId, role: 'admin', group: null }),
    )
    assert.equal(codeOf(await people.ask(alice, '/audit', { agent })), 'role-forbids')
    assert.equal((await people.ask(alice, '/devices', { agent })).status, 200)
    await revokeCertificate(hub, hub.actor, alice.credential.serialNumber, 'keyCompromise')
    const refused = await people.ask(alice, '/devices', { agent })
    assert.deepEqual([refused.status, codeOf(refused)], [401, 'caller-refused'])
    assert.equal(refused.headers['www-authenticate'], 'Bearer realm="handfast"')
    assert.equal(people.attempts.at(-1)?.code, 'certificate-revoked')
  })

  test('reads one general sentence where it is refused, and the operator the cause', async (t) => {
    const people = await People.start(t)
    const { hub } = people.api
    const pump = await people.holder('pump-7', 'device')
    const alice = await people.holder('alice', 'user', admin)
    await hub.store.write(async (tx) => {
      const identity = await tx.identities.find(alice.credential.identityId)
      assert.ok(identity !== null)
      await tx.identities.update({ ...identity, state: 'disabled' })
    })
    const late = await people.holder('late', 'user', admin)
    hub.clock.advance(3 * 365 * 86_400_000)
    const stranger = await (await People.start(t)).holder('alice', 'user', admin)
    const told = new Set<string>()
    for (const papers of [pump, alice, late, stranger]) {
      const { status, body } = await people.ask(papers, '/devices')
      assert.equal(status, 401, body)
      const { instance: _instance, ...rest } = JSON.parse(body)
      told.add(JSON.stringify(rest))
    }
    assert.equal(told.size, 1, [...told].join('\n'))
    const causes = people.attempts.map(({ listener, code, identityId }) => [listener, code, identityId])
    assert.deepEqual(causes, [
      ['api', 'certificate-expired', 'pump-7'],
      ['api', 'certificate-expired', 'alice'],
      ['api', 'certificate-expired', 'late'],
      ['api', 'certificate-foreign-authority', null],
    ])
  })

  test('is not a device, not a service, and not in quarantine', async (t) => {
    const people = await People.start(t)
    const { hub } = people.api
    const pump = await people.holder('pump-7', 'device', admin)
    const carol = await people.holder('carol', 'user', admin)
    await hub.store.write(async (tx) => {
      const credential = await tx.credentials.find(carol.credential.fingerprint)
      assert.ok(credential !== null)
      await tx.credentials.update({ ...credential, state: 'quarantined' })
    })
    for (const papers of [pump, carol]) assert.equal(codeOf(await people.ask(papers, '/caller')), 'caller-refused')
    assert.deepEqual(
      people.attempts.map(({ code }) => code),
      ['certificate-wrong-usage', 'certificate-wrong-usage'],
    )
    await changeDeviceState(hub, hub.actor, pump.credential.identityId, 'disabled')
    await people.ask(pump, '/caller')
    assert.equal(people.attempts.at(-1)?.outcome, 'refused')
  })

  test('is not asked for where a key is shown: the key says who asks, good or bad', async (t) => {
    const people = await People.start(t)
    const alice = await people.holder('alice', 'user', admin)
    const withKey = (text: string) => ({ headers: { authorization: `Bearer ${text}` } })
    const { body } = await people.ask(alice, '/caller', withKey(people.api.key))
    assert.equal((JSON.parse(body) as CallerView).actor, 'key:test')
    const wrong = `${'0'.repeat(16)}.${'A'.repeat(43)}`
    assert.equal(codeOf(await people.ask(alice, '/caller', withKey(wrong))), 'key-invalid')
    const other = await people.ask(alice, '/caller', { headers: { authorization: 'Basic YTpi' } })
    assert.equal(codeOf(other), 'key-missing')
    assert.equal(codeOf(await people.ask(null, '/caller')), 'key-missing')
  })

  test('gets the answer to an idempotency key again, and nobody else does', async (t) => {
    const people = await People.start(t)
    const [alice, bob] = [await people.holder('alice', 'user', admin), await people.holder('bob', 'user', admin)]
    const body = { name: 'station', role: 'requester', groups: ['line-2'] }
    const post = (papers: Papers) =>
      people.ask(papers, '/keys', { method: 'POST', body, headers: { 'idempotency-key': 'k1' } })
    const first = await post(alice)
    assert.equal(first.status, 201, first.body)
    const again = await post(alice)
    assert.deepEqual([again.status, again.body], [201, first.body])
    assert.equal(again.headers['idempotency-replayed'], 'true')
    const { secret } = JSON.parse(first.body) as NewApiKeyView
    const other = await post(bob)
    assert.equal(codeOf(other), 'key-exists')
    assert.ok(!other.body.includes(secret))
  })

  test('comes in after the certificate of the listener was exchanged, too', async (t) => {
    const people = await People.start(t)
    const alice = await people.holder('alice', 'user', admin)
    await people.exchangeCertificate()
    assert.equal((await people.ask(alice, '/caller')).status, 200)
  })
})
