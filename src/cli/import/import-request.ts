/** The request of an import, and the lines of its answer as they come. */
import type { IncomingMessage } from 'node:http'
import type { ImportLine } from '../../api-schema/bulk.ts'
import { HubError } from '../../core/errors.ts'
import type { HubApi } from '../api-client.ts'
import { problemOf } from '../api-client.ts'
import { connectionError } from '../connection-error.ts'
import { openRequest } from '../exchange.ts'
import type { ImportInput } from './import-input.ts'

/** Longest silence of the hub, in milliseconds: it answers each batch when it is on disk. */
const silenceMs = 60_000
/** The longest line that is read. */
const lineBytesMax = 64 * 1024

export interface ImportOptions {
  readonly dryRun: boolean
  /** Null where no tokens are made. */
  readonly tokenLifetimeSec: number | null
}

const mediaTypes: Readonly<Record<ImportInput['format'], string>> = { csv: 'text/csv', ndjson: 'application/x-ndjson' }

/** The connection was lost before the last line: the same can be asked for again. */
export class AnswerCut extends Error {
  override readonly name = 'AnswerCut'
}

/**
 * Sends the import and yields the lines of the answer, in groups as they arrive.
 *
 * @param key its idempotency key; null for a dry run
 * @throws HubError of the hub's own code when it refuses; {@link AnswerCut}
 */
export async function* importLines(
  hub: HubApi,
  input: ImportInput,
  options: ImportOptions,
  key: string | null,
): AsyncGenerator<readonly ImportLine[]> {
  const answer = await answerTo(hub, input, options, key)
  let rest = ''
  try {
    for await (const chunk of answer.setEncoding('utf8')) {
      const lines = `${rest}${chunk}`.split('\n')
      rest = lines.pop() ?? ''
      if (rest.length > lineBytesMax) throw new HubError('hub-answer-unexpected', 'a line of the answer has no end')
      if (lines.length > 0) yield lines.map((line) => JSON.parse(line) as ImportLine)
    }
  } catch (error) {
    if (error instanceof HubError) throw error
    throw new AnswerCut('the answer was cut off', { cause: error })
  }
}

function answerTo(
  hub: HubApi,
  { bytes, format }: ImportInput,
  { dryRun, tokenLifetimeSec }: ImportOptions,
  key: string | null,
): Promise<IncomingMessage> {
  const query = new URLSearchParams({
    dryRun: String(dryRun),
    tokens: String(tokenLifetimeSec !== null),
    ...(tokenLifetimeSec === null ? {} : { tokenLifetimeSec: String(tokenLifetimeSec) }),
  })
  return new Promise((resolve, reject) => {
    const outgoing = openRequest(hub.location, {
      method: 'POST',
      path: `/api/v1/devices/import?${query}`,
      headers: {
        Accept: 'application/x-ndjson, application/problem+json',
        'Content-Type': mediaTypes[format],
        'Content-Length': bytes.length,
        ...(key === null ? {} : { 'Idempotency-Key': key }),
      },
    })
    outgoing.setTimeout(silenceMs, () => outgoing.destroy(new Error(`the hub was silent for ${silenceMs / 1000} s`)))
    // A hub that refuses may close before all is sent; what it says counts, not that.
    let answered = false
    outgoing.on('error', (error) => {
      if (!answered) reject(lost(hub, error))
    })
    outgoing.on('response', (incoming) => {
      answered = true
      if (incoming.statusCode === 200) resolve(incoming)
      else refusalIn(hub, incoming).then(reject, reject)
    })
    outgoing.end(bytes)
  })
}

function lost(hub: HubApi, error: unknown): Error {
  const reported = connectionError(hub.location, error, silenceMs)
  return reported.code === 'hub-unreachable' && !isRefusal(error)
    ? new AnswerCut(reported.message, { cause: error })
    : reported
}

/** Nobody listens there: nothing was sent, and asking again at once helps nobody. */
function isRefusal(error: unknown): boolean {
  const code = error instanceof Error && 'code' in error ? String(error.code) : ''
  return ['ECONNREFUSED', 'ENOTFOUND', 'EAI_AGAIN', 'EHOSTUNREACH', 'ENETUNREACH'].includes(code)
}

async function refusalIn(hub: HubApi, incoming: IncomingMessage): Promise<HubError> {
  let text = ''
  for await (const chunk of incoming.setEncoding('utf8')) {
    text += chunk
    if (text.length > lineBytesMax) break
  }
  let answer: unknown
  try {
    answer = JSON.parse(text)
  } catch {
    // Something that is not our hub's; the status is said.
  }
  return problemOf(hub.location, incoming.statusCode ?? 0, answer, null)
}
