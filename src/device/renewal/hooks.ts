/** What the owner of a device has done when its certificate was renewed, or was not. */
import { spawn } from 'node:child_process'
import { readFileSync, statSync } from 'node:fs'
import { Socket } from 'node:net'
import { HubError, quote } from '../../core/errors.ts'
import { deviceLimits } from '../limits.ts'

export interface Hooks {
  /** A command line for `sh`, run after each renewal until it ends with 0. */
  readonly onRenewed: string | null
  /** A command line for `sh`, run when a try has failed; whatever it does is not repeated. */
  readonly onFailed: string | null
  /** A process to be sent a signal after each renewal. */
  readonly signal: { readonly name: NodeJS.Signals; readonly pidFile: string } | null
  /** A unit of systemd to be reloaded after each renewal, restarted where it cannot reload. */
  readonly reloadUnit: string | null
}

/** Facts for a command, as environment variables; none of them is secret. */
export type HookFacts = Readonly<Record<`HANDFAST_${string}`, string>>

/**
 * Does all that is to be done after a renewal. Each of them may be done twice: what failed is done again, with all the others.
 *
 * @throws HubError `agent-hook-failed`, naming the first that failed; the others were done all the same
 */
export async function runRenewedHooks(hooks: Hooks, facts: HookFacts): Promise<void> {
  const failed: unknown[] = []
  const attempt = async (work: () => Promise<void> | void): Promise<void> => {
    try {
      await work()
    } catch (error) {
      failed.push(error)
    }
  }
  const { onRenewed, signal, reloadUnit } = hooks
  if (signal !== null) await attempt(() => sendSignal(signal.name, signal.pidFile))
  if (reloadUnit !== null) await attempt(() => run('systemctl', ['reload-or-restart', '--', reloadUnit], facts))
  if (onRenewed !== null) await attempt(() => run('sh', ['-c', onRenewed], facts))
  if (failed.length > 0) throw failed[0]
}

/** @throws HubError `agent-hook-failed` */
export async function runFailedHook({ onFailed }: Hooks, facts: HookFacts): Promise<void> {
  if (onFailed !== null) await run('sh', ['-c', onFailed], facts)
}

function sendSignal(name: NodeJS.Signals, pidFile: string): void {
  let text: string
  try {
    if (statSync(pidFile).size > 64) throw new Error('too long')
    text = readFileSync(pidFile, 'utf8').trim()
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    throw hookFailed(`the process id cannot be read from ${quote(pidFile)} (${code ?? 'it is no such file'})`)
  }
  const pid = /^[1-9][0-9]{0,9}$/.test(text) ? Number(text) : 0
  if (pid <= 1) throw hookFailed(`${quote(pidFile)} holds ${quote(text)}, which is no process id of a service`)
  try {
    process.kill(pid, name)
  } catch (error) {
    throw hookFailed(`process ${pid} cannot be sent ${name} (${(error as NodeJS.ErrnoException).code})`)
  }
}

function run(command: string, args: readonly string[], facts: HookFacts): Promise<void> {
  const shown = command === 'sh' ? (args[1] ?? '') : [command, ...args].join(' ')
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, ...facts },
      // A group of its own, so that what the command has started ends with it.
      detached: true,
    })
    let said = ''
    const listen = (chunk: Buffer): void => {
      said = (said + chunk.toString('utf8')).slice(-deviceLimits.hookTextCharsMax)
    }
    child.stdout.on('data', listen)
    child.stderr.on('data', listen)
    let isLate = false
    const deadline = setTimeout(() => {
      isLate = true
      if (child.pid !== undefined) endGroup(child.pid)
    }, deviceLimits.hookMs)
    child.once('error', (error: NodeJS.ErrnoException) => {
      clearTimeout(deadline)
      reject(hookFailed(`${quote(command)} cannot be run (${error.code})`))
    })
    // 'exit' and not 'close': what a command leaves running in the background may keep its output open.
    child.once('exit', (status, signal) => {
      clearTimeout(deadline)
      // Nor may it keep this process running.
      for (const output of [child.stdout, child.stderr]) if (output instanceof Socket) output.unref()
      if (status === 0) return resolve()
      const how = isLate ? `has not ended after ${deviceLimits.hookMs / 1000} s` : `ended with ${signal ?? status}`
      const last = said.trim().split('\n').at(-1)?.trim() ?? ''
      reject(hookFailed(`${quote(shown)} ${how}${last === '' ? '' : `: ${last}`}`))
    })
  })
}

/** Ends a command with all that it has started, where it has not ended in this moment. */
function endGroup(pid: number): void {
  try {
    process.kill(-pid, 'SIGKILL')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
  }
}

function hookFailed(message: string): HubError {
  return new HubError('agent-hook-failed', message)
}
