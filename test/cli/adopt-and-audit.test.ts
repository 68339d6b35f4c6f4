/** `handfast adopt` and the chain of `handfast audit`, against a hub that answers as it is told. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { describe, type TestContext, test } from 'node:test'
import type { AdoptionView, AuditEntryView } from '../../src/api-schema/views.ts'
import { auditChainStart, auditHash } from '../../src/core/audit/chain.ts'
import { type Finished, run } from '../support/run.ts'
import { shellBlocks } from '../support/shell-page.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'
import { type ApiAnswer, type ApiRequest, FakeHub, problem } from './fake-hub.ts'

const launcher = join(import.meta.dirname, '../../bin/handfast.js')

async function hub(t: TestContext, answer: (request: ApiRequest) => ApiAnswer): Promise<FakeHub> {
  const started = await FakeHub.start(join(temporaryFolder(t), 'data'), answer)
  t.after(() => started.stop())
  return started
}

function handfast({ data }: FakeHub, args: readonly string[]): Promise<Finished> {
  return run(process.execPath, [launcher, ...args, '--data', data])
}

function waiting(id: string): AdoptionView {
  const at = '2026-11-21T12:00:00.000Z'
  const kept = {
    group: null,
    attributes: {},
    profiles: ['device'],
    dnsNames: [],
    ipAddresses: [],
    emails: [],
    keyStorage: null,
  }
  const device = { id, kind: 'device' as const, ...kept, version: 1, createdAt: at, updatedAt: at }
  return {
    device: { ...device, state: 'pending' },
    becomes: { state: 'active', ...kept },
    credentials: [],
  }
}

const ids = Array.from({ length: 60 }, (_, n) => `pump-${n}`)

/** A hub with sixty devices that wait, on two pages; one of them was adopted by somebody else meanwhile. */
function adopting(request: ApiRequest): ApiAnswer {
  const url = new URL(request.url, 'http://hub')
  const only = url.searchParams.get('device')
  if (only !== null) return { status: 200, body: { items: ids.includes(only) ? [waiting(only)] : [], next: null } }
  if (url.pathname === '/api/v1/adoptions') {
    const isSecond = url.searchParams.get('after') === 'page-2'
    const items = (isSecond ? ids.slice(40) : ids.slice(0, 40)).map(waiting)
    return { status: 200, body: { items, next: isSecond ? null : 'page-2' } }
  }
  if (url.pathname === '/api/v1/devices/pump-9/adopt')
    return problem(404, 'nothing-to-adopt', 'nothing waits', 'see what waits')
  return { status: 200, body: {} }
}

function adopted({ requests }: FakeHub): readonly string[] {
  return requests.filter(({ method }) => method === 'POST').map(({ url }) => url)
}

describe('handfast adopt', () => {
  test('shows what waits and, where nobody can be asked, changes nothing', async (t) => {
    const started = await hub(t, adopting)
    const { status, stdout } = await handfast(started, ['adopt'])
    assert.equal(status, 0)
    assert.match(stdout, /^DEVICE +STATE +CERTIFICATES +NEWEST ISSUED\npump-0 +pending → active +0 +-\n/)
    assert.match(stdout, /\n… and 10 more devices; --json has all\n60 devices with 0 certificates/)
    assert.match(stdout, /\nNothing was changed. To adopt all of this: npx handfast adopt --yes\n$/)
    assert.deepEqual(adopted(started), [])
  })

  test('adopts all with --yes, and counts what it did itself', async (t) => {
    const started = await hub(t, adopting)
    const { status, stdout } = await handfast(started, ['adopt', '--yes'])
    assert.equal(status, 0)
    assert.match(stdout, /\n59 devices adopted: /)
    assert.equal(new Set(adopted(started)).size, 60)
  })

  test('adopts one device', async (t) => {
    const started = await hub(t, adopting)
    assert.equal((await handfast(started, ['adopt', '--device', 'pump-7', '--yes'])).status, 0)
    assert.deepEqual(adopted(started), ['/api/v1/devices/pump-7/adopt'])
    const { status, stderr } = await handfast(started, ['adopt', '--device', 'fan-1', '--yes'])
    assert.equal(status, 4)
    assert.match(stderr, /nothing-to-adopt/)
  })

  test('a dry run is one, whatever else is said, and JSON has everything', async (t) => {
    const started = await hub(t, adopting)
    const { stdout } = await handfast(started, ['adopt', '--dry-run', '--yes', '--json'])
    const answer = JSON.parse(stdout) as { waiting: AdoptionView[]; adopted: number }
    assert.deepEqual([answer.waiting.length, answer.adopted], [60, 0])
    assert.deepEqual(adopted(started), [])
  })

  test('a failure on the way ends it with that failure', async (t) => {
    const started = await hub(t, (request) =>
      request.method === 'POST'
        ? problem(503, 'journal-unavailable', 'the journal cannot be written', 'free space')
        : adopting(request),
    )
    const { status, stderr } = await handfast(started, ['adopt', '--yes'])
    assert.equal(status, 6)
    assert.match(stderr, /HF-9120/)
  })
})

function chainOf(count: number): readonly AuditEntryView[] {
  let hash = auditChainStart
  return Array.from({ length: count }, (_, index) => {
    const atMs = Date.UTC(2026, 10, 21) + index
    const subject = `pump "${index}" Köln\\ 100% $(id) 'x'`
    const entry = { number: index + 1, actor: 'hub', act: 'test', subject, before: null, after: { n: [index, 'ü'] } }
    hash = auditHash(hash, { ...entry, atMs })
    return { ...entry, at: new Date(atMs).toISOString(), hash }
  })
}

/** A hub with that log, on pages of four. */
function telling(log: readonly AuditEntryView[], head = log.at(-1)): (request: ApiRequest) => ApiAnswer {
  return ({ url }) => {
    const { pathname, searchParams } = new URL(url, 'http://hub')
    const shown = { number: head?.number ?? 0, hash: head?.hash ?? auditChainStart }
    if (pathname === '/api/v1/audit/head') return { status: 200, body: shown }
    const since = Number(searchParams.get('since'))
    const items = log.filter(({ number }) => number > since).slice(0, 4)
    return { status: 200, body: { items, head: shown } }
  }
}

describe('handfast audit', () => {
  const log = chainOf(11)

  test('verifies the whole chain, and that a head which was kept is in it', async (t) => {
    const started = await hub(t, telling(log))
    const { stdout: head } = await handfast(started, ['audit', 'head'])
    assert.equal(head, `11:${log[10]?.hash}\n`)
    const { status, stdout } = await handfast(started, ['audit', 'verify', '--head', `6:${log[5]?.hash}`])
    assert.equal(status, 0)
    assert.equal(stdout, `11 acts, each continues the chain\nthe head that was kept is act 6 of it\nhead ${head}`)
    const empty = await hub(t, telling([]))
    assert.match((await handfast(empty, ['audit', 'verify'])).stdout, /^0 acts/)
  })

  const lies: Readonly<Record<string, readonly [readonly AuditEntryView[], string]>> = {
    'an entry that was changed': [
      log.map((each) => (each.number === 6 ? { ...each, actor: 'nobody' } : each)),
      'act 6',
    ],
    'an entry that was left out': [log.filter(({ number }) => number !== 6), 'act 7'],
    'a log that begins later': [log.slice(2), 'act 3'],
  }
  for (const [what, [entries, message]] of Object.entries(lies)) {
    test(`finds ${what}`, async (t) => {
      const { status, stderr } = await handfast(await hub(t, telling(entries)), ['audit', 'verify'])
      assert.equal(status, 1)
      assert.match(stderr, new RegExp(`${message} does not continue the chain\\n  code: HF-9160 audit-broken`))
    })
  }

  test('finds a head that does not belong to the log', async (t) => {
    const started = await hub(t, telling(log))
    const verify = (head: string) => handfast(started, ['audit', 'verify', '--head', head])
    assert.match((await verify(`6:${log[6]?.hash}`)).stderr, /act 6 has another hash.*\n {2}code: HF-9160/)
    const beyond = await verify(`12:${log[6]?.hash}`)
    assert.equal(beyond.status, 5)
    assert.match(beyond.stderr, /ends with act 11, and the head that was kept is act 12\n {2}code: HF-9161/)
    assert.equal((await verify('6')).status, 2)
    const other = await hub(t, telling(log, { ...log[10], hash: auditChainStart } as AuditEntryView))
    assert.match((await handfast(other, ['audit', 'verify'])).stderr, /names another head/)
  })

  test('exports what the script of docs/audit.md checks with sha256sum', async (t) => {
    const started = await hub(t, telling(log))
    const { stdout } = await handfast(started, ['audit', 'export'])
    const lines = stdout.trimEnd().split('\n')
    assert.equal(lines.length, 11)
    assert.deepEqual(JSON.parse(lines[5] ?? '').entry[0], 6)
    const script = [...shellBlocks('docs/audit.md').values()].find((block) => block.includes('sha256sum'))
    assert.ok(script !== undefined)
    const check = (text: string): string => {
      const folder = temporaryFolder(t)
      const commands = `cat > audit.ndjson <<'EOF-LOG'\n${text}EOF-LOG\n${script}\necho "$previous"`
      return spawnSync('sh', ['-c', commands], { cwd: folder, encoding: 'utf8' }).stdout
    }
    assert.equal(check(stdout), `${log[10]?.hash}\n`)
    assert.match(check(stdout.replace('"n":[5', '"n":[7')), /^broken: .*"n":\[7/)
    const rest = await handfast(started, ['audit', 'export', '--after', '9'])
    assert.deepEqual(rest.stdout.trimEnd().split('\n'), lines.slice(9))
  })
})

describe('commands that work on a registry itself', () => {
  test('refuse what cannot be, before they touch anything', async (t) => {
    const data = join(temporaryFolder(t), 'none')
    const codes: Readonly<Record<string, readonly string[]>> = {
      usage: ['backup', 'b', '--encrypt-to', 'bob'],
      'config-invalid': ['backup', 'b', '--encrypt-passphrase-file', join(data, 'words')],
      'database-unusable': ['backup', 'b'],
      'journal-missing': ['journal'],
      'backup-damaged': ['restore', '--check', join(data, 'b')],
      'data-directory-unusable': ['journal', 'new'],
    }
    for (const [code, args] of Object.entries(codes)) {
      const { stderr } = await run(process.execPath, [launcher, ...args, '--data', data, '--json'])
      assert.equal(JSON.parse(stderr).error.code, code, args.join(' '))
    }
    const both = ['--encrypt-to', `age1${'q'.repeat(58)}`, '--encrypt-passphrase-file', 'words']
    assert.equal((await run(process.execPath, [launcher, 'backup', 'b', ...both])).status, 2)
  })
})
