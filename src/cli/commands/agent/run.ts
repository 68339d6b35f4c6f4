/** `handfast agent run`: looks after the credential of a device for as long as it runs. */
import { setTimeout as delay } from 'node:timers/promises'
import type { Command } from 'commander'
import { isWithinReach } from '../../../device/key-elsewhere/reference.ts'
import type { Look } from '../../../device/renewal/agent.ts'
import { makeLog } from '../../log.ts'
import { onStopSignal } from '../../stop-signal.ts'
import { oneOf } from '../../values.ts'
import { addRenewalOptions, agentOptions, type RenewalFlags } from './options.ts'

const levels = ['debug', 'info', 'warn', 'error', 'silent'] as const

interface RunFlags extends RenewalFlags {
  readonly logLevel: (typeof levels)[number]
  readonly import?: string
}

export function defineRun(command: Command): void {
  addRenewalOptions(command)
    .option('--log-level <level>', levels.join(', '), oneOf('--log-level', levels), 'info')
    .option('--import <dir>', 'at the start take over certificate and key that lie in this folder (see agent import)')
    .addHelpText('after', '\nAs a service of systemd: deploy/systemd/handfast-agent@.service.')
    .action(async ({ logLevel, import: importFolder, ...flags }: RunFlags) => {
      const [{ runAgent }, { lockAgent }, { tellSystemd }] = await Promise.all([
        import('../../../device/renewal/agent.ts'),
        import('../../../device/renewal/agent-lock.ts'),
        import('../../../device/tell-systemd.ts'),
      ])
      const log = makeLog(logLevel)
      if (importFolder !== undefined) {
        const { importAtStart } = await import('./import-at-start.ts')
        importAtStart(flags.dir, importFolder, Date.now(), log)
      }
      const options = agentOptions(flags)
      const release = lockAgent(options.store.path)
      const key = options.store.deviceIdentity('current')?.key
      // Else the owner would hear of it when the first renewal fails.
      if (key !== undefined && !isWithinReach(key))
        log.warn('the key is elsewhere, and no way to it is known: nothing can be renewed from here')
      const stopping = new AbortController()
      onStopSignal((signal) => {
        log.info('stopping', { signal })
        tellSystemd('STOPPING=1')
        stopping.abort()
      })
      let isReady = false
      try {
        await runAgent({
          ...options,
          signal: stopping.signal,
          wait: (ms, signal) => delay(ms, undefined, { signal }).catch(() => {}),
          onStep: (step) => log.info(step),
          onWarning: (warning) => log.warn(warning),
          onLook(seen) {
            const endsAt = options.store.current()?.certificate.validToDate.toISOString() ?? null
            const { code, message, hint } = seen.failure ?? {}
            const next = new Date(seen.againAtMs).toISOString()
            // The first look is told of, so that whoever starts it sees what it looks after.
            const isNews = seen.outcome === 'renewed' || !isReady
            if (seen.failure === null) log[isNews ? 'info' : 'debug'](seen.outcome, { endsAt, next })
            else log.error(message ?? '', { code, hint, outcome: seen.outcome, endsAt, next })
            tellSystemd(...(isReady ? [] : ['READY=1']), `STATUS=${statusLine(seen, endsAt)}`)
            isReady = true
          },
        })
      } finally {
        release()
      }
    })
}

function statusLine({ failure }: Look, endsAt: string | null): string {
  const until = `good until ${endsAt ?? 'unknown'}`
  return failure === null ? until : `${until}; ${failure.code}`
}
