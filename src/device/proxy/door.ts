/** The listening side of the local proxy. */
import { chmodSync, lstatSync, rmSync } from 'node:fs'
import { connect, createServer, type Server, type Socket } from 'node:net'
import { HubError, quote } from '../../core/errors.ts'
import { type LocalAddress, localAddressText } from './local-address.ts'

export interface DoorOptions {
  readonly address: LocalAddress
  /** Permission bits of a unix socket. */
  readonly socketMode: number
  readonly onConnection: (socket: Socket) => void
}

export interface Door {
  /** With the port that was picked. */
  readonly address: LocalAddress
  /** Takes no more connections; those that are open stay. */
  close(): void
}

/**
 * Opens it. A unix socket that a proxy left behind is taken away first.
 *
 * @throws HubError `proxy-address-unusable`
 */
export async function openDoor({ address, socketMode, onConnection }: DoorOptions): Promise<Door> {
  if (address.kind === 'unix') await takeAwayOld(address.path)
  // What a client has sent before it ends its side still goes through, and the answer comes back.
  const server = createServer({ allowHalfOpen: true, pauseOnConnect: true, noDelay: true }, onConnection)
  await listening(server, address, socketMode)
  const bound = server.address()
  const port = typeof bound === 'object' && bound !== null ? bound.port : 0
  return {
    address: address.kind === 'tcp' ? { ...address, port } : address,
    // Node takes the file of a unix socket away.
    close: () => void server.close(),
  }
}

function listening(server: Server, address: LocalAddress, socketMode: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => reject(unusable(address, error)))
    server.once('listening', () => {
      // Later ones are of single connections that could not be accepted.
      server.removeAllListeners('error').on('error', () => {})
      resolve()
    })
    if (address.kind === 'tcp') {
      server.listen(address.port, address.host)
      return
    }
    // The socket is there with its mode, or not at all: it is made within this call.
    const before = process.umask(0o777 & ~socketMode)
    try {
      server.listen(address.path)
    } finally {
      process.umask(before)
    }
    try {
      chmodSync(address.path, socketMode)
    } catch {
      // It was not made: the server says why.
    }
  })
}

/** Removes a socket that nobody listens on any more. */
async function takeAwayOld(path: string): Promise<void> {
  const stats = lstatSync(path, { throwIfNoEntry: false })
  if (stats === undefined) return
  const address = { kind: 'unix', path } as const
  if (!stats.isSocket()) throw refusal(address, 'that file is no socket', 'give another path with --listen')
  if (await answers(path)) throw refusal(address, 'another program listens there', freeing)
  rmSync(path, { force: true })
}

function answers(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(path)
    const end = (answer: boolean): void => {
      socket.destroy()
      resolve(answer)
    }
    socket.once('connect', () => end(true))
    // Busy, or not ours to ask, is not dead.
    socket.once('error', ({ code }: NodeJS.ErrnoException) => end(code !== 'ECONNREFUSED' && code !== 'ENOENT'))
  })
}

function unusable(address: LocalAddress, error: NodeJS.ErrnoException): HubError {
  switch (error.code) {
    case 'EADDRINUSE':
      return refusal(address, 'another program listens there', freeing, error)
    case 'EACCES':
      return address.kind === 'tcp'
        ? refusal(address, 'this user may not open that port', 'give a port above 1023', error)
        : refusal(address, 'its folder is not there, or this user may not write to it', 'make the folder first', error)
    case 'EADDRNOTAVAIL':
      return refusal(address, 'this machine has no such address', 'give 127.0.0.1:<port>', error)
    default:
      return refusal(address, error.code ?? error.message, freeing, error)
  }
}

const freeing = 'stop that program, or give another address with --listen'

function refusal(address: LocalAddress, why: string, hint: string, cause?: unknown): HubError {
  const message = `cannot listen on ${quote(localAddressText(address))}: ${why}`
  return new HubError('proxy-address-unusable', message, { hint, cause })
}
