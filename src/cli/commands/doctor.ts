/** `handfast doctor`: why a device cannot get in, from what a person holds: files, an address, or what a program said. */
import type { Command } from 'commander'
import { HubError } from '../../core/errors.ts'
import { exitStatus } from '../../core/failure/wire-forms.ts'
import { platforms } from '../../core/key-file/found-form.ts'
import { hasFault } from '../../doctor/finding.ts'
import { defineAddressOptions } from '../doctor/address-options.ts'
import { assertAddressFor, type DoctorOptions, examineAll, examineLog, mendablePaths } from '../doctor/examine.ts'
import type { ToldMendings } from '../doctor/fix.ts'
import { logLengthMax } from '../doctor/log-file.ts'
import { printExaminations } from '../doctor/print-examinations.ts'
import { printJson } from '../output.ts'
import { oneOf } from '../values.ts'

export function define(command: Command): void {
  command
    .argument(
      '[thing...]',
      'files or a folder, an address, a log, or a number or a line of one; "-" for a log on standard input',
    )
    .option('--for <platform>', `who is to read the files: ${platforms.join(', ')}`, oneOf('--for', platforms))
    .option('--key-pass-file <file>', 'file with the passphrase of the key')
    .option('--fix', 'show what can be mended in the files without a decision of yours')
    .option('--yes', 'with --fix: mend it; what was there is kept beside it')
    .option('--json', 'print JSON')
  defineAddressOptions(command)
  command
    .addHelpText(
      'after',
      [
        '',
        'Examples:',
        '  handfast doctor pump-7/                          key, certificates and passphrase in a folder',
        '  handfast doctor pump-7/ --for meadow --fix       what Meadow would not read, and writing it so that it does',
        '  handfast doctor broker.example:8883              what a device meets there, step by step',
        '  handfast doctor -- -0x2700                       a number that a device printed',
        '  journalctl -u mosquitto | handfast doctor        a log, line by line',
      ].join('\n'),
    )
    .action(async (things: readonly string[], options: DoctorOptions) => {
      const isPiped = things.includes('-') || (things.length === 0 && !process.stdin.isTTY)
      const words = things.filter((word) => word !== '-')
      assertAddressFor(options, words)
      if (words.length === 0 && !isPiped) {
        throw new HubError('usage', 'there is nothing to look at', {
          hint: 'name files, an address, or what a program said; see `handfast doctor --help`',
        })
      }
      if (options.yes && !options.fix) {
        throw new HubError('usage', '--yes says nothing without --fix', { hint: 'add --fix, or leave --yes out' })
      }
      const mendings = options.fix ? await fix(words, options) : null
      const examinations = [
        ...(words.length > 0 ? await examineAll(words, options) : []),
        ...(isPiped ? await examineLog(await standardInput(), options) : []),
      ]
      if (options.json) {
        printJson(mendings === null ? examinations : { examinations, ...mendings })
      } else {
        printExaminations(examinations)
        if (mendings !== null) (await import('../doctor/fix.ts')).printMendings(mendings)
      }
      process.exitCode = hasFault(examinations) ? exitStatus.failed : exitStatus.ok
    })
}

/** Files are looked at after they were mended: what is left is what is told. */
async function fix(words: readonly string[], options: DoctorOptions): Promise<ToldMendings> {
  const { fixFiles } = await import('../doctor/fix.ts')
  return fixFiles(mendablePaths(words), options, options.yes ?? false)
}

/** The end of what comes: the last lines of a log are those that matter. */
async function standardInput(): Promise<string> {
  let text = ''
  for await (const chunk of process.stdin.setEncoding('utf8')) text = (text + String(chunk)).slice(-logLengthMax)
  return text
}
