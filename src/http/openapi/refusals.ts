/** How an operation can fail, by status: for each the codes that stand behind it, and a problem as it is sent. */
import { failuresOf, type Operation } from '../../api-schema/operation.ts'
import { problemView } from '../../api-schema/views.ts'
import { HubError } from '../../core/errors.ts'
import { type FailureName, failure } from '../../core/failure/catalogue.ts'
import { wireForms } from '../../core/failure/wire-forms.ts'
import { problemOf, type Reader } from '../problem.ts'
import { answerReference, type JsonSchema } from './schemas.ts'

/** The responses of an operation that are problems. */
export function refusals(operation: Operation): JsonSchema {
  const reader: Reader = operation.tag === 'enrolment' ? 'device' : 'operator'
  const byStatus = new Map<number, FailureName[]>()
  for (const name of new Set(failuresOf(operation))) {
    const status = wireForms[failure(name).kind].http
    byStatus.set(status, [...(byStatus.get(status) ?? []), name])
  }
  const ascending = [...byStatus].sort(([a], [b]) => a - b)
  return Object.fromEntries(ascending.map(([status, names]) => [status, responseOf(names, reader)]))
}

function responseOf(names: readonly FailureName[], reader: Reader): JsonSchema {
  return {
    description: names.map((name) => `\`${name}\`: ${failure(name).cause}.`).join('\n\n'),
    content: {
      'application/problem+json': {
        schema: {
          allOf: [answerReference(problemView), { type: 'object', properties: { code: { enum: names } } }],
        },
        examples: Object.fromEntries(names.map((name) => [name, { value: exampleOf(name, reader) }])),
      },
    },
  }
}

function exampleOf(name: FailureName, reader: Reader): JsonSchema {
  const faults =
    name === 'request-invalid' ? [{ in: 'body', pointer: '/colour', message: 'is not known' } as const] : []
  const detail = name === 'request-invalid' ? '"colour" is not known' : failure(name).cause
  return { ...problemOf(new HubError(name, detail, { faults }), reader, '1f0c3a5e9b7d2846') }
}
