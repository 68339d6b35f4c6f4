/** The key of a root leaves and comes back, and a root of one's own certifies an issuing authority; OpenSSL keeps both. */
import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, type TestContext, test } from 'node:test'
import type {
  AuthorityListView,
  AuthorityRequestView,
  AuthorityView,
  ExportedKeyView,
} from '../../src/api-schema/authority-views.ts'
import { readCrl } from '../../src/core/x509/crl-reader.ts'
import { currentCrl, fullScope } from '../../src/hub/publish-crl.ts'
import { needs } from '../support/programs.ts'
import { run } from '../support/run.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'
import { type ApiParts, answered, apiParts, ask, enrolled } from './api-parts.ts'
import { assertProblem } from './problem.ts'

const passphrase = 'correct horse battery'
const day = 86_400_000

async function exported(api: ApiParts): Promise<{ readonly id: string; readonly key: string }> {
  const { id } = api.hub.authorities.root()
  return answered<ExportedKeyView>(ask(api, 'POST', `/authorities/${id}/key/export`, { passphrase }))
}

describe('the key of a root', () => {
  test('is exported so that its passphrase alone opens it, and is removed only for a copy that opens', async (t) => {
    const api = await apiParts(t)
    const { id, key } = await exported(api)
    const remove = (body: object) => ask(api, 'POST', `/authorities/${id}/key/remove`, body)
    assert.match(key, /BEGIN ENCRYPTED PRIVATE KEY/)
    assertProblem(await remove({ key, passphrase: 'another passphrase' }), 400, 'key-import-refused')
    assertProblem(await remove({ key: 'no key', passphrase }), 400, 'key-import-refused')
    assert.equal(await api.hub.keys.has(id), true)
    const gone = await answered<AuthorityView>(remove({ key, passphrase }))
    assert.equal(gone.keyPlace, 'offline')
    assert.equal(await api.hub.keys.has(id), false)
    assertProblem(await remove({ key, passphrase }), 503, 'authority-key-offline')
    const back = await answered<AuthorityView>(ask(api, 'POST', `/authorities/${id}/key/import`, { key, passphrase }))
    assert.equal(back.keyPlace, 'hub')
    assertProblem(
      await ask(api, 'POST', `/authorities/${id}/key/import`, { key, passphrase }),
      409,
      'authority-key-here',
    )
    const acts = (await api.hub.store.audit.list({ after: null, limit: 9 })).items.map(({ act }) => act)
    assert.deepEqual(acts.slice(0, 3), ['authority.key-import', 'authority.key-remove', 'authority.key-export'])
  })

  test('is missed by nobody but by who needs it: devices enrol, an issuing authority waits for it', async (t) => {
    const api = await apiParts(t)
    const { id, key } = await exported(api)
    await answered(ask(api, 'POST', `/authorities/${id}/key/remove`, { key, passphrase }))
    await enrolled(api, 'pump-1')
    assertProblem(await ask(api, 'POST', '/roll-overs', { role: 'issuing' }), 503, 'authority-key-offline')
    await answered(ask(api, 'POST', `/authorities/${id}/key/import`, { key, passphrase }))
    await answered(ask(api, 'POST', '/roll-overs', { role: 'issuing' }), 201)
    await answered(ask(api, 'POST', `/authorities/${id}/key/remove`, { key, passphrase }))
  })

  test('stays while the root is changed for another', async (t) => {
    const api = await apiParts(t)
    const { id, key } = await exported(api)
    await answered(ask(api, 'POST', '/roll-overs', { role: 'root', isPaused: true }), 201)
    assertProblem(await ask(api, 'POST', `/authorities/${id}/key/remove`, { key, passphrase }), 409, 'roll-over-open')
  })

  test('leaves a CRL that lasts until it is back', async (t) => {
    const api = await apiParts(t)
    const { id, key } = await exported(api)
    await answered(ask(api, 'POST', `/authorities/${id}/key/remove`, { key, passphrase }))
    api.hub.clock.advance(300 * day)
    const { crl } = await currentCrl(api.hub, fullScope(id))
    assert.ok(readCrl(crl).nextUpdateSec * 1000 > api.hub.clock.nowMs())
  })

  test('does not leave where it is needed every day', async (t) => {
    const api = await apiParts(t)
    const { id } = api.hub.authorities.issuing()
    assertProblem(await ask(api, 'POST', `/authorities/${id}/key/export`, { passphrase }), 409, 'authority-key-needed')
    assertProblem(await ask(api, 'POST', '/authorities/none/key/export', { passphrase }), 404, 'not-found')
    const short = { passphrase: 'short' }
    assertProblem(await ask(api, 'POST', `/authorities/${id}/key/export`, short), 400, 'request-invalid')
  })
})

describe('a root of one’s own', needs('openssl'), () => {
  interface Company {
    readonly root: string
    /** What the company signs for a request, with these extensions. */
    sign(request: string, extensions: string, digest?: string): Promise<string>
  }

  async function company(t: TestContext, constraints = 'critical,CA:TRUE'): Promise<Company> {
    const folder = temporaryFolder(t)
    const [key, root] = [join(folder, 'root.key'), join(folder, 'root.pem')]
    await run('openssl', [
      ...['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-384', '-noenc', '-keyout', key],
      ...[
        '-out',
        root,
        '-days',
        '3650',
        '-subj',
        '/O=Plant/CN=Plant root',
        '-addext',
        `basicConstraints=${constraints}`,
      ],
      ...['-addext', 'keyUsage=critical,keyCertSign,cRLSign'],
    ])
    return {
      root: readFileSync(root, 'utf8'),
      async sign(request, extensions, digest = '-sha384') {
        const [csr, ext, out] = ['csr.pem', 'ext', 'out.pem'].map((name) => join(folder, name))
        writeFileSync(csr ?? '', request)
        writeFileSync(ext ?? '', extensions)
        await run('openssl', [
          ...['x509', '-req', '-in', csr ?? '', '-CA', root, '-CAkey', key, '-days', '1800', digest],
          ...['-extfile', ext ?? '', '-out', out ?? ''],
        ])
        return readFileSync(out ?? '', 'utf8')
      },
    }
  }

  const asAuthority =
    'basicConstraints=critical,CA:TRUE,pathlen:0\nkeyUsage=critical,keyCertSign,cRLSign\nsubjectKeyIdentifier=hash\nauthorityKeyIdentifier=keyid\n'

  async function realHub(t: TestContext): Promise<ApiParts> {
    // OpenSSL dates its certificates by the machine's clock.
    const api = await apiParts(t)
    api.hub.clock.advance(Date.now() + 60_000 - api.hub.clock.nowMs())
    return api
  }

  const asked = (api: ApiParts) =>
    answered<AuthorityRequestView>(ask(api, 'POST', '/authority-requests', { chain: 'company' }), 201)
  const install = (api: ApiParts, body: object) => ask(api, 'POST', '/authority-requests/company/install', body)

  test('signs a request, and the chain issues from then on', async (t) => {
    const [api, plant] = [await realHub(t), await company(t)]
    const { request } = await asked(api)
    const certificate = await plant.sign(request, asAuthority)
    const { items } = await answered<AuthorityListView>(install(api, { certificate, root: plant.root }), 201)
    assert.deepEqual(
      items.map(({ role, chain, state, keyPlace }) => [role, chain, state, keyPlace]),
      [
        ['root', 'company', 'active', 'offline'],
        ['issuing', 'company', 'active', 'hub'],
      ],
    )
    assert.equal(api.hub.authorities.roots().length, 2)
    assert.equal(api.hub.authorities.issuing('company').isOpen, true)
    assertProblem(await install(api, { certificate, root: plant.root }), 409, 'chain-exists')
    assertProblem(await ask(api, 'POST', '/authority-requests', { chain: 'company' }), 409, 'chain-exists')
  })

  test('is refused for each thing that devices would refuse', async (t) => {
    const [api, plant, other] = [await realHub(t), await company(t), await company(t)]
    assertProblem(await install(api, { certificate: plant.root, root: plant.root }), 404, 'own-root-missing')
    const first = await asked(api)
    const { request } = await asked(api)
    const good = await plant.sign(request, asAuthority)
    const narrow = await company(t, 'critical,CA:TRUE,pathlen:0')
    const cases: readonly (readonly [RegExp, string, string])[] = [
      [/for another key/, await plant.sign(first.request, asAuthority), plant.root],
      [
        /not for an authority/,
        await plant.sign(request, 'basicConstraints=CA:FALSE\nsubjectKeyIdentifier=hash'),
        plant.root,
      ],
      [/may not sign certificates/, await plant.sign(request, asAuthority.replace('keyCertSign,', '')), plant.root],
      [/may not sign CRLs/, await plant.sign(request, asAuthority.replace(',cRLSign', '')), plant.root],
      [/has not signed the certificate/, good, other.root],
      [/has not signed itself/, good, good],
      [/path length 0/, await narrow.sign(request, asAuthority), narrow.root],
      [/by an algorithm that devices refuse/, await plant.sign(request, asAuthority, '-sha1'), plant.root],
      [
        /not both clients and servers/,
        await plant.sign(request, `${asAuthority}extendedKeyUsage=serverAuth`),
        plant.root,
      ],
      [
        /critical extension 2\.5\.29\.30/,
        await plant.sign(request, `${asAuthority}nameConstraints=critical,permitted;DNS:example.com`),
        plant.root,
      ],
      [/no certificate in PEM/, 'nothing', plant.root],
      [/holds 2 certificates/, good, plant.root + plant.root],
    ]
    for (const [words, certificate, root] of cases) {
      const answer = await install(api, { certificate, root })
      assertProblem(answer, 400, 'own-root-refused')
      assert.match(answer.body, words)
    }
    assert.equal(api.hub.authorities.all().length, 2)
    await answered(install(api, { certificate: good, root: plant.root }), 201)
  })

  test('asked for anew makes the request before void, and its key goes', async (t) => {
    const api = await realHub(t)
    const [first, second] = [await asked(api), await asked(api)]
    assert.equal(await api.hub.keys.has(first.id), false)
    assert.equal(await api.hub.keys.has(second.id), true)
  })
})
