/**
 * The local proxy: a door on this machine for programs of any language. Plain bytes come in on the loopback address or a unix
 * socket and go on over TLS with the certificate of the device; the name and the certificate of the server are always verified.
 *
 * Each connection takes the credential that is in place when it begins, so that a renewed one is used without a restart. Coming
 * back after a loss is the program's part.
 */
import type { Socket } from 'node:net'
import { HubError } from '../../core/errors.ts'
import type { CredentialSource } from '../credential-source.ts'
import { deviceLimits } from '../limits.ts'
import type { HubAddress } from '../tls-exchange.ts'
import { type Door, openDoor } from './door.ts'
import type { LocalAddress } from './local-address.ts'
import type { ServerWord } from './mqtt-words.ts'
import { type PassageEnd, pass } from './passage.ts'

export interface ProxyOptions {
  readonly source: CredentialSource
  readonly addresses: readonly LocalAddress[]
  /** Permission bits of unix sockets. */
  readonly socketMode: number
  /** Null for the MQTT listener of the hub that issued the certificate. */
  readonly server: HubAddress | null
  /** What the server is verified with, in PEM; null for the roots in the folder. */
  readonly roots: string | null
  /** At one time. */
  readonly connectionsMax: number
  readonly delay: (ms: number) => Promise<void>
  report(event: ProxyEvent): void
}

/** What happens to one connection; `connection` counts them from 1. */
export type ProxyEvent =
  | { readonly kind: 'opened'; readonly connection: number; readonly server: HubAddress; readonly certificate: string }
  /** No connection to the server could be had. */
  | { readonly kind: 'failed'; readonly connection: number; readonly problem: HubError }
  /** The server spoke MQTT and said no, or ended the session. */
  | ({ readonly kind: 'refused'; readonly connection: number } & ServerWord)
  | ({ readonly kind: 'closed'; readonly connection: number } & PassageEnd)
  /** One was turned away because there are too many. */
  | { readonly kind: 'full'; readonly problem: HubError }

export interface RunningProxy {
  /** Where it listens, with the ports that were picked. */
  readonly addresses: readonly LocalAddress[]
  /** Stops listening and cuts what is open. */
  close(): void
}

/** @throws HubError `proxy-address-unusable`; nothing listens then */
export async function startProxy(options: ProxyOptions): Promise<RunningProxy> {
  const open = new Set<Socket>()
  const enter = entrance(options, open)
  const doors: Door[] = []
  const close = (): void => {
    for (const door of doors) door.close()
    for (const socket of open) socket.destroy()
  }
  try {
    for (const address of options.addresses) {
      doors.push(await openDoor({ address, socketMode: options.socketMode, onConnection: enter }))
    }
  } catch (error) {
    close()
    throw error
  }
  return { addresses: doors.map(({ address }) => address), close }
}

function entrance(options: ProxyOptions, open: Set<Socket>): (local: Socket) => void {
  const { source, server, roots, connectionsMax, delay, report } = options
  let count = 0
  let failures = 0
  let isFull = false
  const holdMs = (): number => {
    failures += 1
    return Math.min(deviceLimits.proxyHoldMs * 2 ** Math.min(failures - 1, 20), deviceLimits.proxyHoldMsMax)
  }
  return (local) => {
    if (open.size >= connectionsMax) {
      local.on('error', () => {})
      local.destroy()
      if (!isFull) report({ kind: 'full', problem: tooMany(connectionsMax) })
      isFull = true
      return
    }
    const connection = ++count
    open.add(local)
    pass(local, {
      ...{ source, server, roots, delay, holdMs },
      onOpened: (to, certificate) => {
        failures = 0
        report({ kind: 'opened', connection, server: to, certificate })
      },
      onWord: (word) => report({ kind: 'refused', connection, ...word }),
    })
      .then((end) => report({ kind: 'closed', connection, ...end }))
      .catch((error: unknown) => {
        if (!(error instanceof HubError)) throw error
        report({ kind: 'failed', connection, problem: error })
      })
      .finally(() => {
        open.delete(local)
        isFull = false
      })
  }
}

function tooMany(connectionsMax: number): HubError {
  return new HubError('proxy-full', `${connectionsMax} connections are open, and no more are let in`)
}
