/** A look at the ports before anything is made: a first start that cannot serve must leave nothing behind. */
import { once } from 'node:events'
import { createServer } from 'node:net'
import { HubError } from '../core/errors.ts'
import { listenFailure, portFlag } from '../hub/listen-failure.ts'

export interface WantedPort {
  /** What it is for, as in "MQTT". */
  readonly purpose: string
  readonly host: string
  /** 0 takes any: then only the address is looked at. */
  readonly port: number
}

/** @throws HubError `port-taken` or `address-unavailable`, naming every port at fault */
export async function assertPortsFree(wanted: readonly WantedPort[]): Promise<void> {
  const faults: HubError[] = []
  const flags: string[] = []
  for (const { purpose, host, port } of wanted) {
    const server = createServer()
    try {
      server.listen({ host, port })
      await once(server, 'listening')
    } catch (error) {
      faults.push(listenFailure(error, purpose, host, port))
      flags.push(portFlag(purpose))
    } finally {
      server.close()
    }
  }
  const [first, ...rest] = faults
  if (first === undefined) return
  if (rest.length === 0) throw first
  const isTaken = faults.every(({ code }) => code === 'port-taken')
  const hint = isTaken
    ? `stop what has them, another hub perhaps, or choose other ports with ${flags.join(', ')} (0 picks a free one)`
    : [...new Set(faults.map((fault) => fault.hint))].join('; ')
  throw new HubError(first.code, [...new Set(faults.map((fault) => fault.message))].join('; '), { hint })
}

/**
 * A port of an address that is free now: `port` itself, or one that the system chose where that is 0. Processes that share a port
 * must be told: to another hub whose processes do the same it would not be taken.
 *
 * @throws HubError `port-taken`, `address-unavailable`
 */
export async function settledPort({ purpose, host, port }: WantedPort): Promise<number> {
  await assertPortsFree([{ purpose, host, port }])
  if (port !== 0) return port
  const server = createServer()
  server.listen({ host, port })
  await once(server, 'listening')
  const address = server.address()
  server.close()
  await once(server, 'close')
  return typeof address === 'object' && address !== null ? address.port : port
}
