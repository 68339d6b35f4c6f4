/** A registry with a life behind it passes the check; one that is damaged is told what is wrong, by the rule that says so. */
import assert from 'node:assert/strict'
import { copyFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { after, before, describe, test } from 'node:test'
import {
  type CheckReport,
  checkRegistry,
  identityRules,
  issuanceRules,
  registryRules,
} from '../../src/check/check-registry.ts'
import { noSources } from '../../src/core/identification/revocation-sources.ts'
import { limits } from '../../src/core/limits.ts'
import { deviceProfile } from '../../src/core/profile/built-in.ts'
import { certificateContent } from '../../src/core/profile/certificate-content.ts'
import { createApiKey } from '../../src/hub/api-keys.ts'
import { addAnchor } from '../../src/hub/change-anchors.ts'
import { changeDeviceState, revokeDevice } from '../../src/hub/change-identity.ts'
import { enrol } from '../../src/hub/enrol.ts'
import { issueCredential } from '../../src/hub/issue-credential.ts'
import type { KeyStore } from '../../src/hub/ports/signer.ts'
import { fullScope, publishCrl } from '../../src/hub/publish-crl.ts'
import { grantToken, registerDevice } from '../../src/hub/register-device.ts'
import { currentServerCertificate } from '../../src/hub/server-certificate.ts'
import { revokeLapsedIntents } from '../../src/hub/sweep-intents.ts'
import { openSqliteSnapshot } from '../../src/store/sqlite/sqlite-snapshot.ts'
import { fakePassword } from '../contract/store-fakes.ts'
import { ecKey, makeRoot } from '../core/x509/support.ts'
import { authority } from '../support/anchor-bed.ts'
import { deviceRequest, MemoryKeys, registered } from '../support/hub-parts.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'
import { TimeMachine } from '../support/time-machine.ts'

const actor = 'key:test'

describe('the check of a registry', () => {
  let folder: string
  let whole: string
  let keys: MemoryKeys
  let copies = 0

  // What is begun in a hook must outlive it.
  const ends: (() => unknown)[] = []
  const suite = { after: (step: () => unknown) => ends.push(step) }
  after(async () => {
    for (const end of ends.reverse()) await end()
  })

  before(async () => {
    folder = temporaryFolder(suite)
    const machine = await TimeMachine.start(suite)
    keys = machine.hub.keys
    await fill(machine)
    whole = await machine.backUp()
  })

  async function checked(path: string, keyStore: KeyStore | null): Promise<CheckReport> {
    const snapshot = await openSqliteSnapshot(path)
    try {
      return await checkRegistry(snapshot, keyStore)
    } finally {
      await snapshot.close()
    }
  }

  /** The rules that find something after a change, in the order of the check. */
  async function rulesAfter(statements: string, keyStore: KeyStore | null = keys): Promise<readonly string[]> {
    const path = join(folder, `${++copies}.db`)
    copyFileSync(whole, path)
    const database = new DatabaseSync(path, { enableForeignKeyConstraints: false })
    for (const table of ['audit', 'events']) {
      database.exec(`drop trigger ${table}_refuses_update; drop trigger ${table}_refuses_delete`)
    }
    database.exec(statements)
    database.close()
    const { findings, rules } = await checked(path, keyStore)
    assert.deepEqual(
      [...new Set(findings.map(({ rule }) => rule))].sort(),
      rules.flatMap(({ name, problems }) => (problems > 0 ? [name] : [])).sort(),
    )
    return [...new Set(findings.map(({ rule }) => rule))]
  }

  test('finds nothing in a registry with devices in every state, renewals, revocations and a restore', async () => {
    const report = await checked(whole, keys)
    assert.deepEqual(report.findings, [])
    assert.deepEqual(report.leftOut, [])
    assert.equal(report.rules.length, identityRules.length + registryRules.length)
    assert.ok(report.identities > 5 && report.credentials > 5)
  })

  test('looks at what was issued alone where that is asked for', async () => {
    const snapshot = await openSqliteSnapshot(whole)
    const { rules, findings, intents } = await checkRegistry(snapshot, keys, issuanceRules)
    await snapshot.close()
    assert.deepEqual(rules.map(({ name }) => name).sort(), [...issuanceRules].sort())
    assert.deepEqual([findings, intents], [[], 1])
  })

  test('says which rules it left out for lack of the passphrase', async () => {
    assert.deepEqual((await checked(whole, null)).leftOut, ['authority-keys-open'])
  })

  const one = (table: string) => `(select number from ${table} where identity_id = 'pump' and state = 'active')`
  const damages: Readonly<Record<string, Readonly<Record<string, string>>>> = {
    'identity-well-formed': {
      'an unknown state': `update identities set state = 'asleep' where id = 'idle'`,
      'an unknown kind': `update identities set kind = 'ghost' where id = 'idle'`,
      'attributes that are no JSON': `update identities set attributes = '{' where id = 'idle'`,
      'a group that reaches into topics': `update identities set group_name = 'a/#' where id = 'idle'`,
      'an id that is none': `insert into identities select 'a b', kind, state, group_name, attributes, 1, 1, 1, profiles, names, null from identities where id = 'idle'`,
      'a version below 1': `update identities set version = 0 where id = 'idle'`,
      'a profile that there is not': `update identities set profiles = '["device","none"]' where id = 'idle'`,
      'grants that are no list': `update identities set profiles = '{}' where id = 'idle'`,
      'a wildcard among its names': `update identities set names = '{"dnsNames":["*.example"],"ipAddresses":[],"emails":[]}' where id = 'idle'`,
    },
    'profile-well-formed': {
      'a definition that is no JSON': `insert into profiles values ('plc', '{', 1, 1, 1)`,
      'a definition of an authority': `insert into profiles values ('plc', '{"name":"plc","keyUsage":["keyCertSign"]}', 1, 1, 1)`,
      'a definition of another name': `insert into profiles values ('plc', '{"name":"plc-2"}', 1, 1, 1)`,
      'a version below 1': `insert into profiles values ('plc', '{"name":"plc"}', 0, 1, 1)`,
    },
    'policy-well-formed': {
      'a file that cannot be read': `insert into policies (number, state, created_at_ms, created_by, note, changed_at_ms, activated_at_ms, source) values (1, 'draft', 1, 'x', '', 1, null, 'bindings: {')`,
      'an unknown state': `insert into policies (number, state, created_at_ms, created_by, note, changed_at_ms, activated_at_ms, source) values (1, 'asleep', 1, 'x', '', 1, null, 'bindings: []')`,
      'an active one without a date': `insert into policies (number, state, created_at_ms, created_by, note, changed_at_ms, activated_at_ms, source) values (1, 'active', 1, 'x', '', 1, null, 'bindings: []')`,
      'two that decide': `insert into policies (number, state, created_at_ms, created_by, note, changed_at_ms, activated_at_ms, source) values (1, 'active', 1, 'x', '', 1, 1, 'bindings: []'), (2, 'active', 1, 'x', '', 1, 1, 'bindings: []')`,
    },
    'references-exist': {
      'an identity that was deleted': `delete from identities where id = 'pump'`,
    },
    'credential-state-legal': {
      'an unknown state': `update credentials set state = 'good' where number = ${one('credentials')}`,
      'a revocation without a date': `update credentials set revoked_at_ms = null where state = 'revoked'`,
      'a revoked certificate made active again': `update credentials set state = 'superseded' where state = 'revoked' and identity_id = 'stolen'`,
      'an unknown reason': `update credentials set revocation_reason = 'whim' where state = 'revoked'`,
      'an unknown profile': `update credentials set profile = 'super' where identity_id = 'waits'`,
      'a superseded one without a date': `update credentials set superseded_at_ms = null where state = 'superseded'`,
      'one in use with the date of its end': `update credentials set superseded_at_ms = 1 where number = ${one('credentials')}`,
      'an active one that was never used': `update credentials set activated_at_ms = null where number = ${one('credentials')}`,
    },
    'credential-matches-row': {
      'another end': `update credentials set not_after_sec = not_after_sec + 86400 where number = ${one('credentials')}`,
      'another serial number': `update credentials set serial_number = '01ff' where number = ${one('credentials')}`,
      'another key': `update credentials set public_key_hash = 'aa' where number = ${one('credentials')}`,
      'another fingerprint': `update credentials set fingerprint = 'bb' where number = ${one('credentials')}`,
    },
    'credential-lints': {
      'a device that is said to be a server': `update credentials set profile = 'server' where number = ${one('credentials')}`,
      'one that was made long before it begins': `update credentials set issued_at_ms = issued_at_ms - 86400000 where number = ${one('credentials')}`,
      'one that was made long after it begins': `update credentials set issued_at_ms = issued_at_ms + 86400000 where number = ${one('credentials')}`,
    },
    'authority-lints': {
      'a root that was made long after it begins': `update authorities set created_at_ms = created_at_ms + 86400000 where role = 'root'`,
    },
    'signing-recorded': {
      'a certificate that was deleted': `delete from credentials where number = ${one('credentials')}`,
      'all certificates deleted': `delete from credentials`,
      'another certificate in its place': `update credentials set certificate = (select certificate from credentials where identity_id = 'waits') where number = ${one('credentials')}`,
    },
    'credential-names-identity': {
      'a certificate given to another': `update credentials set identity_id = 'idle' where number = ${one('credentials')}`,
    },
    'credential-signed': {
      'an authority that there is not': `update credentials set authority_id = 'issuing-x' where number = ${one('credentials')}`,
      'the wrong authority': `update credentials set authority_id = (select id from authorities where role = 'root') where number = ${one('credentials')}`,
    },
    'lineage-whole': {
      'a parent that the device does not have': `update credentials set parent_serial = '01ff' where number = ${one('credentials')}`,
      'a parent of another device': `update credentials set parent_serial = (select serial_number from credentials where identity_id = 'stolen') where number = ${one('credentials')}`,
      'a parent that is younger': `update credentials set parent_serial = (select serial_number from credentials where number = ${one('credentials')}) where identity_id = 'pump' and state = 'superseded'`,
    },
    'one-active-credential': {
      'two that are active': `update credentials set state = 'active' where identity_id = 'pump' and state = 'superseded'`,
    },
    'retired-holds-nothing': {
      'a retired device whose certificate came back': `update identities set state = 'retired' where id = 'pump'`,
    },
    'password-state-legal': {
      'an unknown state': `update passwords set state = 'lent'`,
      'one that ended without a date': `update passwords set state = 'ended', ended_at_ms = null`,
      'one that was used and is pending': `update passwords set used_at_ms = 1 where state = 'pending'`,
      'a hash that was cut': `update passwords set hash = x'00'`,
      'a cost that says nothing': `update passwords set cost = '{}'`,
      'one of a retired device': `update passwords set identity_id = (select id from identities where state = 'retired' limit 1)`,
    },
    'token-state-legal': {
      'an unknown state': `update tokens set state = 'lent' where state = 'open'`,
      'a used one without a date': `update tokens set used_at_ms = null where state = 'used'`,
      'a used one that is open again': `update tokens set state = 'open', used_at_ms = null where state = 'used'`,
      'a hash that was cut': `update tokens set secret_hash = x'00' where state = 'open'`,
    },
    'unadopted-waits': {
      'an adoption that was lost': `delete from adoptions`,
      'an adoption that cannot be read': `update adoptions set identity = '{}'`,
    },
    'authority-chain': {
      'no root': `update authorities set role = 'issuing'`,
      'a certificate that cannot be read': `update authorities set certificate = x'3000' where role = 'root'`,
    },
    'authority-keys-open': {
      'a key of another name': `update authorities set id = 'root-x' where role = 'root'`,
    },
    'crl-matches-row': {
      'a number that went back': `update crls set number = '5'`,
      'another address than its certificates name': `update crl_shards set base = 'http://elsewhere.example'`,
      'a shard that nobody has opened': `update crls set shard = 77 where shard = 0`,
      'another end': `update crls set next_update_ms = next_update_ms + 1000`,
      'a CRL of another authority': `update crls set crl = (select crl from crls where authority_id like 'root%')`,
      'bytes that are none': `update crls set crl = x'3003020101'`,
    },
    'attributes-searchable': {
      'an attribute that cannot be searched': `delete from identity_attributes`,
      'an attribute that nobody has': `update identity_attributes set value = 'elsewhere'`,
    },
    'events-in-order': {
      'an event that was deleted': `delete from events where number = 3`,
      'an event that cannot be read': `update events set event = 'x' where number = 2`,
    },
    'audit-chain-whole': {
      'an entry that was changed': `update audit set actor = 'nobody' where number = 4`,
      'an entry that was deleted': `delete from audit where number = 4`,
      'entries that were deleted from the start': `delete from audit where number < 4`,
      'an entry that cannot be read': `update audit set after_json = '{' where number = 4`,
    },
    'anchor-well-formed': {
      'an unknown state': `update anchors set state = 'fine'`,
      'revocations that count in no known way': `update anchors set revocation = 'sometimes'`,
      'a proof that nothing is to be': `update anchors set state = 'waiting', code = null`,
      'the certificate of another authority': `update anchors set certificate = (select certificate from authorities where role = 'root')`,
      'a certificate that cannot be read': `update anchors set certificate = x'3000'`,
      'an id that is none': `update anchors set id = 'a/b'`,
      'an authority below that it has not signed': `update anchors set below = '${authority('else').pem}'`,
      'below what is no certificate': `update anchors set below = 'none'`,
      'an address that nothing is fetched from': `update anchors set sources = '{"crlUrls":["file:///x"]}'`,
      'sources that cannot be read': `update anchors set sources = '['`,
    },
    'api-key-well-formed': {
      'a hash that was cut': `update api_keys set secret_hash = x'00'`,
      'an id that is none': `update api_keys set id = 'admin'`,
    },
    'settings-whole': {
      'no realm': `delete from settings where name = 'realm'`,
      'no public name': `delete from settings where name = 'public-name'`,
    },
  }

  test('has a damage for every rule', () => {
    assert.deepEqual(Object.keys(damages).sort(), [...identityRules, ...registryRules].map(({ name }) => name).sort())
  })

  for (const [rule, some] of Object.entries(damages)) {
    for (const [what, statements] of Object.entries(some)) {
      test(`finds ${what}`, async () => {
        const found = await rulesAfter(statements)
        assert.ok(found.includes(rule), `${rule} is not among ${found.join(', ') || 'nothing'}`)
      })
    }
  }

  test('tells the first problems of a rule and counts the rest', async () => {
    const many = `with recursive n(i) as (select 1 union all select i + 1 from n where i < 60)
      insert into identities select 'extra-' || i, 'ghost', 'active', null, '{}', 1, 1, 1, '[]', '{}', null from n`
    const path = join(folder, 'many.db')
    copyFileSync(whole, path)
    const database = new DatabaseSync(path)
    database.exec(many)
    database.close()
    const { findings, rules } = await checked(path, keys)
    assert.equal(rules.find(({ name }) => name === 'identity-well-formed')?.problems, 60)
    assert.equal(findings.length, 20)
  })

  test('finds keys that are not those of the authorities', async () => {
    const strange = new MemoryKeys()
    const { registry, close } = await openSqliteSnapshot(whole)
    for (const { id } of await registry.authorities.all()) await strange.create(id)
    await close()
    const { findings } = await checked(whole, strange)
    assert.deepEqual([...new Set(findings.map(({ rule }) => rule))], ['authority-keys-open'])
  })
})

/** Devices in every state, with a renewal, a revocation, a restore and an adoption behind them. */
async function fill(machine: TimeMachine): Promise<void> {
  const { hub } = machine
  await createApiKey(hub, 'admin')
  const dates = { notBeforeSec: 1_600_000_000, notAfterSec: 2_400_000_000 }
  const anchor = {
    id: 'acme',
    certificates: [makeRoot(dates).der],
    revocation: 'prefer',
    isUnproven: true,
    sources: noSources,
  } as const
  await addAnchor(hub, actor, anchor)
  await currentServerCertificate(hub, { dnsNames: ['hub.plant.example'], ipAddresses: ['10.0.0.1'] })
  const pump = await machine.connected(await registered(hub, 'pump'))
  await machine.connected(await grantToken(hub, actor, pump.identityId, 3_600))
  await registerDevice(hub, actor, {
    id: 'idle',
    group: 'hall 1',
    attributes: { site: 'Köln', line: '4' },
    tokenLifetimeSec: 3_600,
  })
  await hub.store.write(async (tx) => {
    await tx.passwords.insert(fakePassword('5'.repeat(16), pump.identityId))
  })
  await machine.connected(await registered(hub, 'stolen'))
  await machine.enrolled(await registered(hub, 'retired'))
  const copy = await machine.backUp()
  const { identity, tokenText } = await registered(machine.hub, 'waits')
  await enrol(machine.hub, { tokenText, claimedId: '', ...deviceRequest(identity.id) })
  for (const id of ['stolen', 'retired'] as const) {
    const [found] = (await machine.hub.store.identities.list({ after: null, limit: 100 })).items.filter(
      (each) => each.id === id,
    )
    assert.ok(found !== undefined)
    if (id === 'stolen') await revokeDevice(machine.hub, actor, found.id, 'keyCompromise')
    else await changeDeviceState(machine.hub, actor, found.id, 'retired')
  }
  await machine.restore(copy)
  for (const { id } of machine.hub.authorities.signing()) await publishCrl(machine.hub, fullScope(id))
  // One that was about to be signed when the hub died, and one of which that was so long ago that it is revoked.
  for (const isOld of [true, false]) {
    await issueCredential(machine.hub, {
      authority: machine.hub.authorities.issuing(),
      content: certificateContent(deviceProfile, identity, machine.hub.realm),
      ...{ tokenId: null, publicKey: ecKey().spki, actor },
    })
    if (isOld) machine.hub.clock.advance(limits.intentLapsesMs + 1)
    await revokeLapsedIntents(machine.hub)
  }
  const issuing = machine.hub.issuing.id
  for (const { shard } of await machine.hub.store.crls.shards(issuing, 0)) {
    await publishCrl(machine.hub, { authorityId: issuing, shard })
  }
}
