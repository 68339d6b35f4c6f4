/** `handfast policy import-acl`: an access list of Mosquitto as a policy file. */
import type { Command } from 'commander'
import { readPolicy } from '../../../core/policy/file/parse.ts'
import { policyInvalid } from '../../../core/policy/file/problems.ts'
import { importMosquittoAcl } from '../../../core/policy/import-acl.ts'
import { printJson, warn } from '../../output.ts'
import { readPolicyFile } from './read-file.ts'

export function defineImportAcl(command: Command): void {
  command
    .option('--json', 'print JSON')
    .addHelpText(
      'after',
      '\nUser names become ids of identities, %u the id, %c the client id. What could not be carried over is\nsaid on standard error, line by line.',
    )
    .action(async (file: string, { json }: { readonly json?: boolean }) => {
      const { source, notes } = importMosquittoAcl(await readPolicyFile(file))
      const { problems } = readPolicy(source)
      // More than a policy may hold; anything else would be a mistake of the import.
      if (problems.length > 0) throw policyInvalid(problems)
      if (json) return printJson({ source, notes })
      for (const { line, message } of notes) warn(line === 0 ? message : `line ${line} ${message}`)
      process.stdout.write(source)
    })
}
