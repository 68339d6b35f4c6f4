import { renameSync, writeFileSync } from 'node:fs'
import { HubError, quote } from '../core/errors.ts'
import { unwritable } from '../core/unwritable.ts'

export interface ReadyEndpoint {
  readonly host: string
  readonly port: number
}

/** What a ready file says. */
export interface ReadyFile {
  readonly mqtt: ReadyEndpoint
  readonly https: ReadyEndpoint
  readonly http: ReadyEndpoint
  /** The admin API over TLS; null where only the unix socket serves it. */
  readonly api: ReadyEndpoint | null
  /** The link for gates on other machines; null where none may link themselves. */
  readonly gateLink: ReadyEndpoint | null
  /** Metrics and health; null where they are not asked for. */
  readonly metrics: ReadyEndpoint | null
  /** Path of the root certificate in PEM. */
  readonly ca: string
}

/** What that of a gate on a machine of its own says. */
export type GateReadyFile = Pick<ReadyFile, 'ca'> & { readonly mqtt: ReadyEndpoint | null }

/**
 * Writes the addresses of a hub or a gate that serves; whoever waits for the file finds it whole.
 *
 * @throws HubError `config-invalid` when it cannot be written
 */
export function writeReadyFile(path: string, content: ReadyFile | GateReadyFile): void {
  const temporary = `${path}.tmp`
  try {
    writeFileSync(temporary, `${JSON.stringify(content)}\n`)
    renameSync(temporary, path)
  } catch (error) {
    throw new HubError('config-invalid', `the ready file ${quote(path)} ${unwritable(error)}`, {
      hint: 'name a file in a folder that exists and that this user may write to',
      cause: error,
    })
  }
}
