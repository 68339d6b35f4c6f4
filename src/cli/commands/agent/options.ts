/** What the commands of the agent have in common: the folder, and how a renewal is made. */
import { existsSync } from 'node:fs'
import type { Command } from 'commander'
import { HubError, quote } from '../../../core/errors.ts'
import { type NewKeyKind, newKeyKinds } from '../../../device/private-key.ts'
import type { AgentOptions } from '../../../device/renewal/agent.ts'
import type { Hooks } from '../../../device/renewal/hooks.ts'
import type { CredentialStore } from '../../../device/store/credential.ts'
import { openCredentialStore } from '../../../device/store/open.ts'
import { warn } from '../../output.ts'
import { oneOf } from '../../values.ts'

export interface RenewalFlags {
  readonly dir: string
  readonly proof: 'connect' | 'confirm'
  readonly reuseKey?: boolean
  readonly keyType?: NewKeyKind
  readonly onRenewed?: string
  readonly onFailed?: string
  readonly signal?: NodeJS.Signals
  readonly pidFile?: string
  readonly reload?: string
}

const signals = ['SIGHUP', 'SIGUSR1', 'SIGUSR2', 'SIGTERM'] as const

export function addFolder(command: Command): Command {
  return command.requiredOption('--dir <dir>', 'folder that holds the credential of this device')
}

export function addRenewalOptions(command: Command): Command {
  return addFolder(command)
    .option(
      '--proof <how>',
      'connect: try the new certificate at the gate; confirm: ask the hub, where the device talks to other brokers',
      oneOf('--proof', ['connect', 'confirm'] as const),
      'connect',
    )
    .option('--reuse-key', 'ask for the next certificate with the key that is there')
    .option(
      '--key-type <type>',
      `kind of the next key: ${newKeyKinds.join(', ')} (default P-256)`,
      oneOf('--key-type', newKeyKinds),
    )
    .option('--on-renewed <command>', 'command line for sh after a renewal; run again until it succeeds')
    .option('--on-failed <command>', 'command line for sh after a try that failed')
    .option(
      '--signal <name>',
      `after a renewal send ${signals.join(', ')} to the process of --pid-file`,
      oneOf('--signal', signals),
    )
    .option('--pid-file <file>', 'file with the process id for --signal')
    .option('--reload <unit>', 'unit of systemd to be reloaded after a renewal')
}

/** @throws HubError `usage` where options contradict each other; `store-unwritable` */
export function agentOptions(flags: RenewalFlags): AgentOptions {
  const { dir, proof, reuseKey = false, keyType } = flags
  if (reuseKey && keyType !== undefined) throw new HubError('usage', '--key-type means nothing with --reuse-key')
  return {
    store: openHeld(dir),
    nowMs: Date.now,
    proof,
    isKeyKept: reuseKey,
    keyKind: keyType ?? null,
    hooks: hooksOf(flags),
  }
}

/**
 * Opens the store of a folder that is there: whoever mistypes its name gets no new one.
 *
 * @throws HubError `credential-missing`, `store-unwritable`
 */
export function openHeld(dir: string): CredentialStore {
  if (!existsSync(dir)) throw new HubError('credential-missing', `there is no folder ${quote(dir)}`)
  return openCredentialStore(dir, { onNotice: warn })
}

function hooksOf({ onRenewed, onFailed, signal, pidFile, reload }: RenewalFlags): Hooks {
  if ((signal === undefined) !== (pidFile === undefined)) {
    throw new HubError(
      'usage',
      `${signal === undefined ? '--pid-file' : '--signal'} needs ${signal === undefined ? '--signal' : '--pid-file'} beside it`,
    )
  }
  return {
    onRenewed: onRenewed ?? null,
    onFailed: onFailed ?? null,
    signal: signal === undefined || pidFile === undefined ? null : { name: signal, pidFile },
    reloadUnit: reload ?? null,
  }
}
