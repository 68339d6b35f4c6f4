/** One connection through the local proxy: from a program on this machine to the server, and back. */
import type { Socket } from 'node:net'
import type { TLSSocket } from 'node:tls'
import { HubError, quote } from '../../core/errors.ts'
import type { CredentialSource } from '../credential-source.ts'
import { deviceLimits } from '../limits.ts'
import { type HubAddress, openSocket } from '../tls-exchange.ts'
import { ServerListener, type ServerWord, unavailableConnack, versionSpoken } from './mqtt-words.ts'

export interface PassageOptions {
  readonly source: CredentialSource
  /** Null for the MQTT listener of the hub that issued the certificate. */
  readonly server: HubAddress | null
  /** What the server is verified with, in PEM, in place of the roots in the folder; null for those. */
  readonly roots: string | null
  /** How long the answer to a client is held back when no connection could be had, milliseconds. */
  readonly holdMs: () => number
  readonly delay: (ms: number) => Promise<void>
  /** Told when the server has proved itself and bytes begin to flow. */
  readonly onOpened: (address: HubAddress, fingerprint: string) => void
  readonly onWord: (word: ServerWord) => void
}

export interface PassageEnd {
  /** Bytes from the program to the server, and from the server to the program. */
  readonly sentBytes: number
  readonly receivedBytes: number
  /** What cut it off, or null where one side ended it as it should. */
  readonly cause: HubError | null
}

/**
 * Opens a connection to the server for a program, and carries bytes until both have ended.
 *
 * @param local paused: nothing is read before the server has proved who it is
 * @returns how it ended
 * @throws HubError where no connection could be had; the program has been told by then, and its connection is closed
 */
export async function pass(local: Socket, options: PassageOptions): Promise<PassageEnd> {
  local.on('error', () => {})
  try {
    const { address, trust, fingerprint } = destination(options)
    const upstream = await openSocket(address, trust).catch((error: unknown) => {
      throw asProxyFailure(error)
    })
    if (!local.destroyed) options.onOpened(address, fingerprint)
    return await carry(local, upstream, address, options.onWord)
  } catch (error) {
    const refusal = error instanceof HubError ? error : null
    if (refusal !== null && !local.destroyed) await refuse(local, refusal, options)
    local.destroy()
    throw error
  }
}

function destination({ source, server, roots }: PassageOptions) {
  const { identity, hub, fingerprint, roots: own } = source.current()
  const address = server ?? (hub === null ? null : { host: hub.host, port: hub.mqttPort })
  if (address === null) {
    throw new HubError('proxy-server-unknown', `the credential in ${quote(source.path)} names no hub`)
  }
  const root = roots ?? own
  if (root === '') {
    throw new HubError('proxy-server-untrusted', `${quote(source.path)} holds no roots to verify the server with`, {
      hint: 'give the file with its root certificate: --ca <file>',
    })
  }
  const trust = { root, identity }
  return { address, trust, fingerprint }
}

/** No token was at stake here, as the failure of an enrolment would say. */
function asProxyFailure(error: unknown): unknown {
  if (!(error instanceof HubError) || error.code !== 'enrolment-tls-untrusted') return error
  return new HubError('proxy-server-untrusted', error.message, { cause: error })
}

/** Answers a client of MQTT in its own words; any other has its connection closed. */
async function refuse(local: Socket, refusal: HubError, { delay, holdMs }: PassageOptions): Promise<void> {
  const [version] = await Promise.all([firstVersion(local), delay(holdMs())])
  if (version === null || local.destroyed) return
  const sentence = `${refusal.message}; ${refusal.hint}`
  await new Promise<void>((resolve) => local.end(unavailableConnack(version, sentence), () => resolve()))
}

/** Reads as much as it takes to see which MQTT a client speaks; null for none, or where it does not say so in time. */
function firstVersion(local: Socket): Promise<4 | 5 | null> {
  return new Promise((resolve) => {
    let start = Buffer.alloc(0)
    const end = (version: 4 | 5 | null): void => {
      clearTimeout(deadline)
      local.off('data', look)
      resolve(version)
    }
    const look = (chunk: Buffer): void => {
      start = Buffer.concat([start, chunk.subarray(0, 64)])
      const version = versionSpoken(start)
      if (version !== undefined) end(version)
    }
    const deadline = setTimeout(() => end(null), deviceLimits.proxyHelloMs)
    local.on('data', look)
    local.once('close', () => end(null))
    local.once('end', () => end(null))
    local.resume()
  })
}

/** Carries bytes both ways, no faster than they are taken, until both sides have ended or one is cut off. */
function carry(
  local: Socket,
  upstream: TLSSocket,
  address: HubAddress,
  onWord: (word: ServerWord) => void,
): Promise<PassageEnd> {
  upstream.setKeepAlive(true, deviceLimits.proxyKeepAliveMs)
  upstream.setNoDelay(true)
  const counts = { sentBytes: 0, receivedBytes: 0 }
  const listen = serverListener(onWord)
  let cause: HubError | null = null
  return new Promise((resolve) => {
    let lingering: NodeJS.Timeout | undefined
    const linger = (): void => {
      lingering ??= setTimeout(() => {
        local.destroy()
        upstream.destroy()
      }, deviceLimits.proxyLingerMs)
    }
    // What one has said last is still handed to the other.
    const closed = (other: Socket): void => {
      other.destroySoon()
      if (!local.closed || !upstream.closed) return
      clearTimeout(lingering)
      resolve({ ...counts, cause })
    }
    upstream.on('error', (error) => {
      cause ??= cutOff(address, error)
    })
    flow(local, upstream, (chunk) => {
      counts.sentBytes += chunk.length
      listen.toServer(chunk)
      lingering?.refresh()
    })
    flow(upstream, local, (chunk) => {
      counts.receivedBytes += chunk.length
      listen.toClient(chunk)
      lingering?.refresh()
    })
    for (const socket of [local, upstream]) socket.once('end', linger)
    local.once('close', () => closed(upstream))
    upstream.once('close', () => closed(local))
    // It may have gone while the server was asked.
    if (local.destroyed) closed(upstream)
  })
}

function flow(from: Socket, to: Socket, look: (chunk: Buffer) => void): void {
  from.on('data', (chunk: Buffer) => {
    look(chunk)
    if (!to.writable || to.write(chunk)) return
    from.pause()
    to.once('drain', () => from.resume())
  })
  from.once('end', () => to.end())
  from.resume()
}

/** Listens to the server where the client speaks MQTT. */
function serverListener(onWord: (word: ServerWord) => void) {
  let start: Buffer | null = Buffer.alloc(0)
  let listener: ServerListener | null = null
  return {
    toServer(chunk: Buffer): void {
      if (start === null) return
      start = Buffer.concat([start, chunk.subarray(0, 64)])
      const version = versionSpoken(start)
      if (version === undefined) return
      start = null
      if (version !== null) listener = new ServerListener(version, onWord)
    },
    toClient: (chunk: Buffer): void => listener?.hear(chunk),
  }
}

function cutOff({ host, port }: HubAddress, error: NodeJS.ErrnoException): HubError {
  const place = quote(`${host}:${port}`)
  const alert = /ALERT_(?:NUMBER_)?(\w+)$/.exec(error.code ?? '')?.[1]
  if (alert !== undefined) {
    const words = alert.toLowerCase().replaceAll('_', ' ')
    return new HubError('proxy-certificate-refused', `${place} did not accept this device (TLS alert: ${words})`, {
      cause: error,
    })
  }
  return new HubError('hub-unreachable', `the connection to ${place} broke (${error.code ?? error.message})`, {
    cause: error,
  })
}
