/** What is wrong with a policy file, each with its place. */
import { HubError } from '../../errors.ts'
import type { Place } from '../model.ts'

export interface Problem extends Place {
  /** Lower case, quotes the value, names the nearest word where there is one. */
  readonly message: string
}

/** A problem as one line: `3:5 …`. */
export function problemLine({ line, column, message }: Problem): string {
  return `${line}:${column} ${message}`
}

/** The failure that tells all of them. */
export function policyInvalid(problems: readonly Problem[]): HubError {
  const [first] = problems
  const others = problems.length > 1 ? ` (and ${problems.length - 1} more)` : ''
  return new HubError(
    'policy-invalid',
    `${first === undefined ? 'the policy is empty' : problemLine(first)}${others}`,
    {
      faults: problems.map((problem) => ({ in: 'body', pointer: '/source', message: problemLine(problem) })),
    },
  )
}
