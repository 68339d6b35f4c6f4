/** Problem documents, as tests read them. */
import assert from 'node:assert/strict'
import { type ProblemView, problemView } from '../../src/api-schema/views.ts'

/** What an injected request was answered. */
export interface Answer {
  readonly statusCode: number
  readonly headers: Readonly<Record<string, unknown>>
  readonly body: string
}

/** The answer is a problem (RFC 9457) with this status and code, complete and not to be cached. */
export function assertProblem(answer: Answer, status: number, code: string): ProblemView {
  assert.equal(answer.statusCode, status, answer.body)
  assert.match(String(answer.headers['content-type']), /^application\/problem\+json(?:;|$)/)
  assert.equal(answer.headers['cache-control'], 'no-store')
  const problem = problemView.strict().parse(JSON.parse(answer.body))
  assert.equal(problem.code, code, answer.body)
  assert.equal(problem.status, status)
  assert.equal(problem.type, `urn:handfast:failure:${code}`)
  return problem
}
