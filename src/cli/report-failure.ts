/** How a command says that it failed: on standard error, with a code that is looked up and a status that is scripted. */
import { CommanderError } from 'commander'
import { HubError } from '../core/errors.ts'
import { type FailureName, failure } from '../core/failure/catalogue.ts'
import { type ExitStatus, exitStatus, wireForms } from '../core/failure/wire-forms.ts'
import { printable } from './printable.ts'

export interface ReportOptions {
  /** As one line of JSON instead of text. */
  readonly json: boolean
  write(text: string): void
}

/** Reports whatever a command threw and answers the exit status (docs/errors.md). */
export function reportFailure(error: unknown, options: ReportOptions): ExitStatus {
  if (error instanceof CommanderError && error.exitCode === 0) return exitStatus.ok
  const { code, message, hint } = describe(error)
  const { id, kind } = failure(code)
  if (options.json) {
    options.write(`${JSON.stringify({ error: { code, failureId: id, message, hint } })}\n`)
  } else {
    options.write(`error: ${printable(message)}\n  code: ${id} ${code}\n  hint: ${printable(hint)}\n`)
  }
  if (process.env.HANDFAST_DEBUG && error instanceof Error) options.write(`${error.stack}\n`)
  return wireForms[kind].exit
}

interface Description {
  readonly code: FailureName
  readonly message: string
  readonly hint: string
}

function describe(error: unknown): Description {
  if (error instanceof HubError) return error
  if (error instanceof CommanderError) return describeUsage(error)
  return {
    code: 'internal',
    message: error instanceof Error ? error.message : String(error),
    hint: 'this is a mistake in Handfast; run it again with HANDFAST_DEBUG=1 and report what it prints',
  }
}

/** commander says "error: unknown command 'upp'\n(Did you mean up?)". */
function describeUsage(error: CommanderError): Description {
  const [first = '', second] = error.message.split('\n')
  const message = first.replace(/^error: /, '').replace(/'([^']*)'/g, '"$1"')
  const meant = /^\(Did you mean (.*)\?\)$/.exec(second ?? '')?.[1]
  const hint = meant === undefined ? failure('usage').cure : `did you mean ${meant}? See \`handfast help\``
  return { code: 'usage', message: message === '(outputHelp)' ? 'a command is missing' : message, hint }
}
