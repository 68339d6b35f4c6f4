/** Imports as the command line does them: asked for again where the connection was lost, kept so that nothing is lost. */
import assert from 'node:assert/strict'
import { readFileSync, statSync, writeFileSync } from 'node:fs'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { join } from 'node:path'
import { describe, type TestContext, test } from 'node:test'
import type { ImportRowView } from '../../src/api-schema/bulk.ts'
import type { HubApi } from '../../src/cli/api-client.ts'
import { formatNamed, readInput } from '../../src/cli/import/import-input.ts'
import { type ImportIdentity, openResultsFile } from '../../src/cli/import/results-file.ts'
import { type ImportRun, runImport } from '../../src/cli/import/run-import.ts'
import { Secret } from '../../src/core/secret.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'

interface Asked {
  readonly url: string
  readonly key: string | undefined
  readonly type: string | undefined
  readonly body: string
}

/** A hub that answers imports as a test wants it. */
async function hubThat(
  t: TestContext,
  answer: (response: ServerResponse, attempt: number) => void,
): Promise<{ hub: HubApi; asked: Asked[] }> {
  const asked: Asked[] = []
  const server = createServer((request: IncomingMessage, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      const { 'idempotency-key': key, 'content-type': type } = request.headers
      asked.push({ url: request.url ?? '', key: key?.toString(), type, body: Buffer.concat(chunks).toString() })
      answer(response, asked.length)
    })
  })
  const socketPath = join(temporaryFolder(t), 'hub.sock')
  await new Promise<void>((resolve) => server.listen(socketPath, resolve))
  t.after(() => {
    server.closeAllConnections()
    server.close()
  })
  const location = { kind: 'socket', socketPath, key: new Secret('k'), place: 'test' } as const
  const none = () => Promise.reject(new Error('not asked for'))
  return { hub: { place: 'test', location, get: none, post: none, patch: none }, asked }
}

const row = (n: number, change: Partial<ImportRowView> = {}): ImportRowView => ({
  ...{ row: n, id: `dev-${n}`, result: 'created', bootstrap: `string ${n}` },
  ...change,
})
const line = (value: object): string => `${JSON.stringify(value)}\n`
const rows = (from: number, to: number): string =>
  Array.from({ length: to - from + 1 }, (_, index) => line(row(from + index))).join('')
const summary = { summary: { rows: 4, created: 4, unchanged: 0, conflict: 0, invalid: 0, dryRun: false } }

const text = 'id\ndev-1\ndev-2\ndev-3\ndev-4\n'
const options = { dryRun: false, tokenLifetimeSec: 60 }
const identity: ImportIdentity = { sha256: 'abc', format: 'csv', ...options, hub: 'root' }

async function runOf(
  t: TestContext,
  hub: HubApi,
  change: Partial<ImportRun> = {},
): Promise<ImportRun & { heard: number[] }> {
  const file = join(temporaryFolder(t), 'fleet.csv')
  writeFileSync(file, text)
  const heard: number[] = []
  const onRows = (some: readonly ImportRowView[]): void => void heard.push(...some.map((each) => each.row))
  const input = await readInput(file, null)
  return { hub, input, options, results: null, onRows, againAfterMs: 0, heard, ...change }
}

describe('an import', () => {
  test('sends the file once and tells its rows in order', async (t) => {
    const { hub, asked } = await hubThat(t, (response) => response.end(rows(1, 4) + line(summary)))
    const run = await runOf(t, hub)
    assert.deepEqual(await runImport(run), summary.summary)
    assert.deepEqual(run.heard, [1, 2, 3, 4])
    assert.equal(asked.length, 1)
    assert.equal(asked[0]?.url, '/api/v1/devices/import?dryRun=false&tokens=true&tokenLifetimeSec=60')
    assert.deepEqual([asked[0]?.type, asked[0]?.body], ['text/csv', text])
    assert.match(asked[0]?.key ?? '', /^import-/)
  })

  test('whose connection is lost is asked for again with the same key, and no row is told twice', async (t) => {
    const { hub, asked } = await hubThat(t, (response, attempt) => {
      if (attempt === 1) response.write(rows(1, 2) + rows(3, 3).slice(0, 20), () => response.destroy())
      else response.end(rows(1, 4) + line(summary))
    })
    const run = await runOf(t, hub)
    assert.equal((await runImport(run)).created, 4)
    assert.deepEqual(run.heard, [1, 2, 3, 4])
    assert.equal(asked.length, 2)
    assert.equal(asked[1]?.key, asked[0]?.key)
  })

  test('that is cut off twice, or ends without its last line, says how far it came', async (t) => {
    const { hub, asked } = await hubThat(t, (response, attempt) => {
      if (attempt === 1) response.end(rows(1, 2))
      else response.write(rows(1, 3), () => response.destroy())
    })
    await assert.rejects(runImport(await runOf(t, hub)), { code: 'import-interrupted', message: /3 rows are answered/ })
    assert.equal(asked.length, 2)
  })

  test('that the hub cannot go on with ends with the reason of the hub', async (t) => {
    const problem = { code: 'store-unavailable', detail: 'the disk is full', hint: 'free some space' }
    const { hub, asked } = await hubThat(t, (response) => response.end(rows(1, 2) + line({ problem })))
    await assert.rejects(runImport(await runOf(t, hub)), {
      code: 'store-unavailable',
      message: 'the hub stopped after row 2: the disk is full',
    })
    assert.equal(asked.length, 1)
  })

  test('that the hub refuses as a whole is not asked for again', async (t) => {
    const { hub, asked } = await hubThat(t, (response) => {
      response.writeHead(400, { 'content-type': 'application/problem+json' })
      response.end(JSON.stringify({ code: 'request-invalid', detail: 'no column "id"', hint: 'name it' }))
    })
    await assert.rejects(runImport(await runOf(t, hub)), { code: 'request-invalid', message: 'no column "id"' })
    assert.equal(asked.length, 1)
  })

  test('that is dry has no key, since nothing is done that could be done twice', async (t) => {
    const { hub, asked } = await hubThat(t, (response) => response.end(line(summary)))
    await runImport(await runOf(t, hub, { options: { dryRun: true, tokenLifetimeSec: null } }))
    assert.deepEqual([asked[0]?.key, asked[0]?.url], [undefined, '/api/v1/devices/import?dryRun=true&tokens=false'])
  })

  test('goes on from its results file after the program was ended, with its key and without a row twice', async (t) => {
    const { hub, asked } = await hubThat(t, (response, attempt) => {
      if (attempt < 3) response.write(rows(1, 2), () => response.destroy())
      else response.end(rows(1, 4) + line(summary))
    })
    const path = join(temporaryFolder(t), 'results.ndjson')
    const first = openResultsFile(path, identity, 'the-key')
    await assert.rejects(runImport(await runOf(t, hub, { results: first })), { code: 'import-interrupted' })
    first.close()
    // The process ended while it was writing the third row.
    writeFileSync(path, '{"row":3,"id":"dev', { flag: 'a' })
    const again = openResultsFile(path, identity, 'another-key')
    const run = await runOf(t, hub, { results: again })
    assert.deepEqual(await runImport(run), summary.summary)
    again.close()
    assert.deepEqual(run.heard, [1, 2, 3, 4])
    assert.deepEqual(
      asked.map(({ key }) => key),
      ['the-key', 'the-key', 'the-key'],
    )
    const lines = readFileSync(path, 'utf8')
      .trimEnd()
      .split('\n')
      .map((each) => JSON.parse(each))
    assert.deepEqual(lines.slice(1), [row(1), row(2), row(3), row(4), summary])

    const complete = openResultsFile(path, identity, 'another-key')
    assert.equal(complete.isComplete, true)
    assert.deepEqual(await runImport(await runOf(t, hub, { results: complete })), summary.summary)
    complete.close()
    assert.equal(asked.length, 3, 'a complete import is not asked for')
  })
})

describe('a results file', () => {
  test('is for its owner alone', (t) => {
    const path = join(temporaryFolder(t), 'results.ndjson')
    openResultsFile(path, identity, 'k').close()
    assert.equal(statSync(path).mode & 0o777, 0o600)
  })

  test('of another import, another hub or of something else is left as it is', (t) => {
    const folder = temporaryFolder(t)
    const path = join(folder, 'results.ndjson')
    openResultsFile(path, identity, 'k').close()
    const before = readFileSync(path, 'utf8')
    const others: readonly ImportIdentity[] = [
      { ...identity, sha256: 'def' },
      { ...identity, format: 'ndjson' },
      { ...identity, dryRun: true },
      { ...identity, tokenLifetimeSec: null },
      { ...identity, hub: 'other' },
    ]
    for (const other of others) {
      assert.throws(() => openResultsFile(path, other, 'k'), { code: 'results-file-unusable' })
    }
    assert.equal(readFileSync(path, 'utf8'), before)
    for (const content of ['', 'hello\n', '[]\n', 'null\n', '{"import":{"key":7}}\n', `${line(row(1))}`]) {
      const something = join(folder, 'something')
      writeFileSync(something, content)
      assert.throws(() => openResultsFile(something, identity, 'k'), { code: 'results-file-unusable' }, content)
      assert.equal(readFileSync(something, 'utf8'), content)
    }
    assert.throws(() => openResultsFile(join(folder, 'none', 'x'), identity, 'k'), { code: 'results-file-unusable' })
  })
})

test('the format of a file is told by its name, or else by its first character', async (t) => {
  assert.deepEqual(['a.CSV', 'b.ndjson', 'c.jsonl', 'd.txt'].map(formatNamed), ['csv', 'ndjson', 'ndjson', null])
  const folder = temporaryFolder(t)
  for (const [content, format, count] of [
    ['\ufeff {"id":"a"}\n\n{"id":"b"}', 'ndjson', 2],
    ['id\na\nb\n', 'csv', 2],
    ['', 'csv', 0],
  ] as const) {
    const path = join(folder, 'fleet')
    writeFileSync(path, content)
    const input = await readInput(path, null)
    assert.deepEqual([input.format, input.rows], [format, count])
    assert.equal((await readInput(path, 'csv')).format, 'csv')
  }
  await assert.rejects(readInput(join(folder, 'none'), null), { code: 'usage' })
})
