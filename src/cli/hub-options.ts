/** The options of every command that asks a running hub. */
import type { Command } from 'commander'
import { type HubApi, openHub } from './api-client.ts'

export interface HubOptions {
  readonly data?: string
  readonly json?: boolean
}

export function addHubOptions(command: Command): Command {
  return command
    .option(
      '--data <dir>',
      'data directory of the hub (or HANDFAST_DATA; HANDFAST_URL with HANDFAST_KEY or HANDFAST_CERT, and HANDFAST_CA, for a remote one)',
    )
    .option('--json', 'print JSON')
}

/** @throws HubError `hub-not-found`, `config-invalid` and others of {@link openHub} */
export function hubOf(options: HubOptions): HubApi {
  return openHub({ data: options.data, env: process.env, directory: process.cwd() })
}

/** A value as a part of a path. */
export function pathPart(value: string): string {
  return encodeURIComponent(value)
}
