import type { Command } from 'commander'
import { exitStatus } from '../core/failure/wire-forms.ts'

/** What is said when no command is given. It is a usage error, so that a script with an empty variable notices. */
export function showHelp(program: Command): void {
  program.outputHelp({ error: true })
  process.exitCode = exitStatus.usage
}
