/** From a name to connections: DNS and TCP, each bounded in time. */
import { lookup } from 'node:dns/promises'
import { connect, isIP, type Socket } from 'node:net'
import { limits } from '../../core/limits.ts'

export type Resolution =
  | { readonly kind: 'found'; readonly addresses: readonly string[] }
  /** As `dns.lookup` names it: ENOTFOUND, EAI_AGAIN; or ETIMEOUT. */
  | { readonly kind: 'failed'; readonly code: string }

export async function resolve(host: string, stepMs: number): Promise<Resolution> {
  if (isIP(host) !== 0) return { kind: 'found', addresses: [host] }
  const late = new Promise<Resolution>((done) => {
    setTimeout(done, stepMs, { kind: 'failed', code: 'ETIMEOUT' }).unref()
  })
  const asked = lookup(host, { all: true }).then(
    (found): Resolution => ({ kind: 'found', addresses: [...new Set(found.map(({ address }) => address))] }),
    (error: NodeJS.ErrnoException): Resolution => ({ kind: 'failed', code: error.code ?? error.message }),
  )
  return Promise.race([asked, late])
}

export interface Dial {
  readonly address: string
  /** Null where the connection stood; else ECONNREFUSED and its like, or ETIMEDOUT. */
  readonly code: string | null
  readonly tookMs: number
}

/** Tries whether each address takes a connection, all at once. */
export function dialAll(addresses: readonly string[], port: number, stepMs: number): Promise<readonly Dial[]> {
  return Promise.all(
    addresses.slice(0, limits.probeAddressesMax).map(async (address) => {
      const startedAt = performance.now()
      const outcome = await dial(address, port, stepMs)
      if (typeof outcome !== 'string') outcome.destroy()
      return {
        address,
        code: typeof outcome === 'string' ? outcome : null,
        tookMs: Math.round(performance.now() - startedAt),
      }
    }),
  )
}

/** @returns a connection, or the code of why there is none */
export function dial(address: string, port: number, stepMs: number): Promise<Socket | string> {
  return new Promise((done) => {
    const socket = connect({ host: address, port, noDelay: true })
    const timer = setTimeout(() => {
      socket.destroy()
      done('ETIMEDOUT')
    }, stepMs)
    socket.once('connect', () => {
      clearTimeout(timer)
      done(socket)
    })
    // It stays: an error after the connection stood is told by its end.
    socket.on('error', (error: NodeJS.ErrnoException) => {
      clearTimeout(timer)
      socket.destroy()
      done(error.code ?? error.message)
    })
  })
}
