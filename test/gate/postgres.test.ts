/** A gate that reads a registry on a real PostgreSQL, as the user that `handfast gate sql` makes. */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { noSources } from '../../src/core/identification/revocation-sources.ts'
import type { Fingerprint } from '../../src/core/identity/credential.ts'
import { parseIdentityId } from '../../src/core/identity/id.ts'
import { basicConstraints, keyUsage } from '../../src/core/x509/extensions.ts'
import { addAnchor, distrustAnchor } from '../../src/hub/change-anchors.ts'
import { changeDeviceState, revokeDevice } from '../../src/hub/change-identity.ts'
import { activatePolicy, addPolicy } from '../../src/hub/change-policy.ts'
import { revokePasswords, setPassword } from '../../src/hub/passwords/change.ts'
import { pinCertificate, unpinCertificate } from '../../src/hub/pin-certificates.ts'
import { registerDevice } from '../../src/hub/register-device.ts'
import { type OwnCertificate, ownCertificate } from '../support/own-certificate.ts'
import { needsPostgres, type PostgresServer, startPostgres } from '../support/postgres.ts'
import { pump, type TestCertificate } from './certificates.ts'
import { gateOnPostgres, graceMs, type WritingHub } from './postgres-bed.ts'
import { type RawClient, rawClient } from './raw-client.ts'

const policy = `
identify:
  - name: acme
    anchors: [acme]
    from: cn
    match: '(?<id>[a-z0-9-]+)'
    identity: '\${id}'
    onUnknown: create
bindings:
  - roles: [own-topics]
    to: everyone
`
const closed = 'bindings: []\n'

/** What CONNACK says for "server unavailable". */
const serverUnavailable = { 4: 3, 5: 0x88 } as const

describe('a gate on PostgreSQL', needsPostgres, () => {
  let server: PostgresServer
  const endings: (() => Promise<void>)[] = []
  before(async () => {
    server = await startPostgres({ after: (step) => void endings.push(step) })
  })
  after(async () => {
    for (const step of endings) await step()
  })

  async function answer(port: number, certificate: TestCertificate | null, fields: object = {}, version: 4 | 5 = 5) {
    const client = await rawClient(port, certificate, version)
    client.connect(fields)
    const { returnCode, reasonCode } = await client.next('connack')
    return { client, code: returnCode ?? reasonCode }
  }

  async function session(...args: Parameters<typeof answer>): Promise<RawClient> {
    const { client, code } = await answer(...args)
    assert.equal(code, 0)
    return client
  }

  test('lets in every kind of entrant with no more than the rights of its user, and hears what ends them', async (t) => {
    const maker = ownCertificate('ACME', { extensions: [basicConstraints(1), keyUsage(['keyCertSign', 'cRLSign'])] })
    const { hub, gate, enrolled } = await gateOnPostgres(t, server, {
      listener: { clientCertificate: 'optional', anchors: ['acme'] },
      async prepare(writing) {
        const order = { id: 'acme', certificates: [maker.der], revocation: 'prefer', isUnproven: true } as const
        await addAnchor(writing, writing.actor, { ...order, sources: noSources })
        await activate(writing, policy)
      },
    })
    const { port } = gate.address
    const own = ownCertificate('whatever')
    for (const id of ['pinned-1', 'worded-1']) await registered(hub, id)
    const [pinnedId, wordedId] = [parseIdentityId('pinned-1'), parseIdentityId('worded-1')]
    const pin = { certificate: own.der, slot: 'primary', datesCount: true, replace: false } as const
    await pinCertificate(hub, hub.actor, pinnedId, pin)
    await changeDeviceState(hub, hub.actor, wordedId, 'active')
    const { text } = await setPassword(hub, hub.actor, wordedId, null)

    const certificate = await enrolled('issued-1')
    const issued = await session(port, certificate)
    const pinned = await session(port, filesOf(own))
    const anchored = await session(port, filesOf(ownCertificate('mill-9', { issuer: maker })))
    const login = { username: 'worded-1', password: text.reveal() }
    const worded = await session(port, null, login)
    // What the hub wrote for it: the first use of the one, the registration of the other.
    const standing = await hub.store.credentials.findAll([certificate.fingerprint as Fingerprint])
    assert.deepEqual(
      standing.map(({ state }) => state),
      ['active'],
    )
    assert.equal((await hub.store.identities.find(parseIdentityId('mill-9')))?.state, 'active')

    await revokeDevice(hub, hub.actor, parseIdentityId('issued-1'), 'keyCompromise')
    await issued.closed
    await unpinCertificate(hub, hub.actor, pinnedId, 'primary')
    await pinned.closed
    await revokePasswords(hub, hub.actor, wordedId, null)
    await worded.closed
    assert.notEqual((await answer(port, null, login)).code, 0)
    await distrustAnchor(hub, hub.actor, 'acme')
    await anchored.closed
  })

  test('asks for rights anew when another policy is activated', async (t) => {
    const { hub, gate, enrolled } = await gateOnPostgres(t, server)
    const client = await session(gate.address.port, await enrolled('pump-7'))
    await activate(hub, closed)
    await client.closed
  })

  test('tells new clients that the server is unavailable while the registry is, and lets sessions live for the time that is said', async (t) => {
    const { gate, attempts, sweep, sweepClock, enrolled } = await gateOnPostgres(t, server, {
      limits: { databaseRetryMs: 100, databaseConnectMs: 1_000 },
    })
    const { port } = gate.address
    const [known, fresh] = [await enrolled('pump-7'), await enrolled('pump-8')]
    const living = await session(port, known)
    assert.equal(await sweep.look(), 0)
    await server.kill()

    for (const version of [4, 5] as const) {
      for (const certificate of [known, fresh, pump]) {
        const { client, code } = await answer(port, certificate, { clientId: 'late' }, version)
        assert.equal(code, serverUnavailable[version])
        await client.closed
      }
    }
    assert.equal((await attempts.with('store-unavailable')).outcome, 'refused')
    sweepClock.advance(graceMs - 1)
    assert.equal(await sweep.look(), 0)
    living.send({ cmd: 'pingreq' })
    await living.next('pingresp')

    sweepClock.advance(1)
    assert.equal(await sweep.look(), 1)
    const { reasonCode } = await living.next('disconnect')
    assert.equal(reasonCode, 0x89)
    await living.closed

    await server.start()
    await session(port, known, { clientId: 'again' })
    await session(port, fresh, { clientId: 'first' }, 4)
    sweepClock.advance(graceMs)
    assert.equal(await sweep.look(), 0, 'the registry answers again')
  })

  test('closes what was revoked while it could not hear of it, once the registry answers', async (t) => {
    const { hub, gate, enrolled } = await gateOnPostgres(t, server)
    const client = await session(gate.address.port, await enrolled('pump-7'))
    await server.kill()
    await server.start()
    await revokeDevice(hub, hub.actor, parseIdentityId('pump-7'), 'keyCompromise')
    await client.closed
  })
})

async function activate(hub: WritingHub, source: string): Promise<void> {
  const { row } = await addPolicy(hub, hub.actor, { source, note: '' })
  await activatePolicy(hub, hub.actor, row.number)
}

function registered(hub: WritingHub, id: string) {
  return registerDevice(hub, hub.actor, { id, group: null, attributes: {}, tokenLifetimeSec: 60 })
}

function filesOf({ pem, privateKey }: OwnCertificate): TestCertificate {
  return { cert: pem, key: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(), fingerprint: '' }
}
