/** The route of bulk import: a body that is read whole, and an answer that is written row by row. */
import { Readable } from 'node:stream'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { ImportLine, ImportRowView } from '../../../api-schema/bulk.ts'
import { importDevices } from '../../../api-schema/operations/bulk.ts'
import type { HubView } from '../../../api-schema/views.ts'
import { HubError } from '../../../core/errors.ts'
import { limits } from '../../../core/limits.ts'
import { type ImportedRow, type ImportOptions, importBatch, type RowOutcome } from '../../../hub/import-devices.ts'
import { AnswerPlace, answerOnce, type KeyedRequest } from '../../../hub/kept-answers.ts'
import type { Log } from '../../../hub/ports/log.ts'
import { hubErrorOf, problemOf } from '../../problem.ts'
import { whenOver } from '../../request-end.ts'
import { bootstrapText } from '../bootstrap.ts'
import { parseRequest } from '../parse-request.ts'
import { type ApiListener, fastifyPath, hashOf, idempotencyKey } from '../serve.ts'
import { type ImportFormat, readImport } from './rows.ts'

const formats: Readonly<Record<string, ImportFormat>> = { 'text/csv': 'csv', 'application/x-ndjson': 'ndjson' }

/** Everything that one import needs while it runs. */
interface Run {
  readonly request: FastifyRequest
  readonly actor: string
  readonly options: Omit<ImportOptions, 'access'>
  /** Null where nobody can ask for the same again. */
  readonly keyed: KeyedRequest | null
  readonly batches: Iterable<readonly ImportedRow[]>
}

export function importRoute(api: ApiListener, describeHub: () => HubView, log: Log): void {
  const underWay = new Set<FastifyRequest>()

  // A scope of its own: no other route takes bodies of these types, or of this size.
  void api.app.register((scope: FastifyInstance, _options, done) => {
    const parser = { parseAs: 'buffer', bodyLimit: limits.importBodyBytesMax } as const
    scope.addContentTypeParser(Object.keys(formats), parser, (_request, body, done) => done(null, body))
    scope.route({
      method: importDevices.method,
      url: fastifyPath(importDevices.path),
      bodyLimit: limits.importBodyBytesMax,
      config: { bodyMs: limits.importRequestMs, operation: importDevices.id, act: importDevices.act },
      // Before the body is read, because bodies are what there is little room for; after the key is known.
      preParsing: async (request, reply) => {
        if (underWay.size >= limits.importsAtOnceMax) {
          throw new HubError('imports-too-many', `${underWay.size} imports are under way`)
        }
        underWay.add(request)
        whenOver(reply, () => underWay.delete(request))
      },
      handler: async (request, reply) => {
        const run = await beginning(api, request)
        const lines = linesOf(run)
        reply.header('Cache-Control', 'no-store').header('Content-Type', 'application/x-ndjson')
        return send(reply, lines)
      },
    })
    done()
  })

  /** The answer, in pieces of one batch each. */
  async function* linesOf(run: Run): AsyncGenerator<string> {
    const counts = { created: 0, unchanged: 0, conflict: 0, invalid: 0 }
    const describe = describer(describeHub())
    let rows = 0
    let batch = 0
    try {
      for (const some of run.batches) {
        const place = run.keyed === null ? null : placeOf(run.keyed, batch)
        // An import takes minutes: whoever has lost the right to it meanwhile gets no further.
        const access = await api.callers.again(run.request)
        const views = await importBatch(api.hub, run.actor, some, { ...run.options, access }, place, describe)
        for (const { result } of views) counts[result] += 1
        rows += views.length
        batch += 1
        yield views.map(lineText).join('')
      }
      yield lineText({ summary: { rows, ...counts, dryRun: run.options.dryRun } })
    } catch (error) {
      yield lineText({ problem: problemOf(hubErrorOf(error, run.request, log), 'operator', run.request.id) })
    }
  }
}

/** @throws HubError for all that can be said before the first row is done */
async function beginning({ hub, callers }: ApiListener, request: FastifyRequest): Promise<Run> {
  const { query } = parseRequest(importDevices, request)
  const { body, format } = bodyOf(request)
  const { batches, bodyHash } = await readImport(body, format)
  const caller = callers.of(request)
  const key = query.dryRun ? null : idempotencyKey(request)
  const keyed =
    key === null
      ? null
      : {
          caller,
          key,
          requestHash: hashOf(importDevices, { query, format, bodyHash, reach: callers.accessOf(request).reach() }),
        }
  // The key is taken before the first row is done, so that nothing else is asked with it, not even at the same time. What is
  // kept of this import is given when its turn comes.
  if (keyed !== null) await answerOnce(hub, keyed, async () => null)
  const options = { dryRun: query.dryRun, tokenLifetimeSec: query.tokens ? query.tokenLifetimeSec : null }
  return { request, actor: caller.actor, options, keyed, batches }
}

/** Batches of another size are other batches. */
function placeOf(keyed: KeyedRequest, batch: number): AnswerPlace {
  return new AnswerPlace(keyed, `${limits.importBatchRows} rows, ${batch}`)
}

/** @throws HubError `media-type-unsupported`, `request-invalid` */
function bodyOf(request: FastifyRequest): { readonly body: Buffer; readonly format: ImportFormat } {
  const [type = ''] = (request.headers['content-type'] ?? '').toLowerCase().split(';')
  const format = formats[type.trim()]
  if (format === undefined) {
    throw new HubError('media-type-unsupported', 'an import is CSV or NDJSON', {
      hint: `send ${Object.keys(formats).join(' or ')}`,
    })
  }
  const { body } = request
  return { body: Buffer.isBuffer(body) ? body : Buffer.alloc(0), format }
}

/** What is answered to a row. */
function describer(hub: HubView): (outcome: RowOutcome) => ImportRowView {
  return ({ row, id, result, refusal, tokenText }) => ({
    row,
    id,
    result,
    ...(refusal === null ? {} : { code: refusal.code, detail: refusal.message, hint: refusal.hint }),
    ...(tokenText === null || id === null ? {} : { bootstrap: bootstrapText(hub, id, tokenText) }),
  })
}

function lineText(line: ImportLine): string {
  return `${JSON.stringify(line)}\n`
}

function send(reply: FastifyReply, lines: AsyncGenerator<string>): FastifyReply {
  return reply.send(Readable.from(lines, { objectMode: false }))
}
