/** The command line. */
import type { Command } from 'commander'
import { HubError } from '../core/errors.ts'
import { showHelp } from './help.ts'
import { buildProgram, commandNamed } from './program.ts'
import { reportFailure } from './report-failure.ts'

/**
 * Runs one command and sets the exit status of the process.
 *
 * @param args what stands after `handfast` on the command line
 */
export async function main(args: readonly string[]): Promise<void> {
  process.stdout.on('error', endWithoutOutput)
  const json = args.includes('--json')
  let program: Command | null = null
  try {
    program = await buildProgram(args)
    if (args.length === 0) showHelp(program)
    else await program.parseAsync([...args], { from: 'user' })
  } catch (error) {
    const command = program === null ? null : commandNamed(program, args)
    process.exitCode = reportFailure(error, { json, command, args, write: (text) => process.stderr.write(text) })
  }
}

/** Where whoever read our output has gone, as `head` does, nothing is wrong; elsewhere it is said, as far as it can be. */
function endWithoutOutput(cause: NodeJS.ErrnoException): void {
  if (cause.code === 'EPIPE') process.exit()
  const error = new HubError('output-unwritable', `standard output cannot be written (${cause.code})`, { cause })
  process.exit(reportFailure(error, { json: false, command: null, write: (text) => process.stderr.write(text) }))
}
