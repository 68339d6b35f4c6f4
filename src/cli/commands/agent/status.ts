/** `handfast agent status`: what the folder of a device holds and what its agent is about to do, without asking anybody. */
import type { Command } from 'commander'
import { printFields, printJson } from '../../output.ts'
import { addFolder, openHeld } from './options.ts'

interface StatusFlags {
  readonly dir: string
  readonly json?: boolean
}

export function defineStatus(command: Command): void {
  addFolder(command)
    .option('--json', 'print JSON')
    .action(async ({ dir, json = false }: StatusFlags) => {
      const { agentStatus } = await import('../../../device/renewal/status.ts')
      const status = agentStatus(openHeld(dir), Date.now())
      if (json) {
        printJson(status)
        return
      }
      const { lastFailure } = status
      printFields([
        ['id', status.id ?? '(not one of a hub)'],
        ['hub', status.hub ?? '-'],
        ...(status.keyPlace === null ? [] : [['key', status.keyPlace] as const]),
        ['state', status.state],
        ['good', `${status.notBefore} to ${status.notAfter}`],
        ['serial', status.serialNumber],
        ['sha256', status.fingerprint],
        [
          'renewal',
          `due ${status.dueAt}${status.isNextWaiting ? '; the next certificate has come and waits for its proof' : ''}`,
        ],
        ...(status.failures === 0
          ? []
          : [['tries', `${status.failures} failed, the last at ${status.lastTryAt ?? '?'}`] as const]),
        ...(lastFailure === null ? [] : [['failure', `${lastFailure.code}: ${lastFailure.message}`] as const]),
        ...(status.isHookOwed ? [['hook', 'still to be run after the last renewal'] as const] : []),
        ...(status.isClockWrong ? [['clock', 'wrong: it has been later already'] as const] : []),
      ])
    })
}
