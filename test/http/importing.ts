/** Imports over the API, as tests ask for them and read their answers. */
import assert from 'node:assert/strict'
import {
  type ImportRowView,
  type ImportSummaryView,
  importProblemView,
  importRowView,
  importSummaryView,
} from '../../src/api-schema/bulk.ts'
import type { DeviceDetailView, ProblemView } from '../../src/api-schema/views.ts'
import { type ApiParts, answered, ask } from './api-parts.ts'
import type { Answer } from './problem.ts'

export const csv = { 'content-type': 'text/csv' }
export const ndjson = { 'content-type': 'application/x-ndjson; charset=utf-8' }
export const keyed = (key: string) => ({ ...csv, 'idempotency-key': key })

export interface Imported {
  readonly rows: readonly ImportRowView[]
  readonly summary: ImportSummaryView['summary'] | null
  readonly problem: ProblemView | null
}

/** The lines of an answer, each strictly what the document says. */
export function imported({ statusCode, headers, body }: Answer): Imported {
  assert.equal(statusCode, 200, body)
  assert.match(String(headers['content-type']), /^application\/x-ndjson/)
  const lines = body
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line))
  const last = lines.at(-1)
  const rows = lines.filter((line) => 'row' in line).map((line) => importRowView.strict().parse(line))
  assert.equal(rows.length, lines.length - 1, 'all lines but the last are rows')
  assert.deepEqual(
    rows.map(({ row }) => row),
    rows.map((_, index) => index + 1),
  )
  if ('problem' in last) return { rows, summary: null, problem: importProblemView.strict().parse(last).problem }
  return { rows, summary: importSummaryView.strict().parse(last).summary, problem: null }
}

export async function importing(
  api: Pick<ApiParts, 'app' | 'key'>,
  body: string | Buffer,
  headers: Readonly<Record<string, string>> = csv,
  query = '',
): Promise<Imported> {
  return imported(await ask(api, 'POST', `/devices/import${query}`, body, headers))
}

/** `id result code`, as much of each row as most tests look at. */
export const short = ({ rows }: Imported) =>
  rows.map(({ id, result, code }) => [id, result, code].filter(Boolean).join(' '))

export const shown = async (api: ApiParts, id: string) =>
  (await answered<DeviceDetailView>(ask(api, 'GET', `/devices/${id}`))).device

export function fleet(count: number): string {
  const lines = Array.from({ length: count }, (_, n) => `dev-${n},line-${n % 3},hall-${n % 2}`)
  return `id,group,attr.site\n${lines.join('\n')}\n`
}
