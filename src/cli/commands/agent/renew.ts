/** `handfast agent renew`: one look, one renewal where it is due, for cron and timers. */
import type { Command } from 'commander'
import type { Look } from '../../../device/renewal/agent.ts'
import { note, printJson, printLine, warn } from '../../output.ts'
import { reportFailure } from '../../report-failure.ts'
import { addRenewalOptions, agentOptions, type RenewalFlags } from './options.ts'

/** What a script asks for, apart from the statuses of other commands: whether there is a new certificate. */
const statuses = { renewed: 0, 'not-due': 3, failed: 4 } as const satisfies Record<Look['outcome'], number>

interface RenewFlags extends RenewalFlags {
  readonly ifNeeded?: boolean
  readonly json?: boolean
}

export function defineRenew(command: Command): void {
  addRenewalOptions(command)
    .option('--if-needed', 'only where it is due')
    .option('--json', 'print JSON')
    .addHelpText('after', '\nExit status: 0 renewed, 3 not due yet, 4 failed.')
    .action(async ({ ifNeeded = false, json = false, ...flags }: RenewFlags) => {
      const [{ look }, { lockAgent }] = await Promise.all([
        import('../../../device/renewal/agent.ts'),
        import('../../../device/renewal/agent-lock.ts'),
      ])
      const options = agentOptions(flags)
      const release = lockAgent(options.store.path)
      try {
        const told = { onStep: json ? () => {} : note, onWarning: warn }
        const seen = await look({ ...options, ...told }, !ifNeeded)
        report(seen, options.store.current()?.certificate.validToDate ?? null, json)
        process.exitCode = statuses[seen.outcome]
      } finally {
        release()
      }
    })
}

function report({ outcome, failure, againAtMs }: Look, endsAt: Date | null, json: boolean): void {
  const again = new Date(againAtMs).toISOString()
  if (json) {
    const { code, message, hint } = failure ?? { code: null, message: null, hint: null }
    printJson({ outcome, notAfter: endsAt?.toISOString() ?? null, again, failure: failure && { code, message, hint } })
    return
  }
  if (outcome === 'renewed') printLine(`renewed; good until ${endsAt?.toISOString() ?? '?'}`)
  else if (outcome === 'not-due') printLine(`not due; good until ${endsAt?.toISOString() ?? '?'}`)
  if (failure === null) return
  reportFailure(failure, { json: false, command: null, write: (text) => process.stderr.write(text) })
  if (outcome === 'failed') note(`an agent would try again at ${again}`)
}
