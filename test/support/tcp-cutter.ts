/** A way to a server that can be cut at a chosen word, so that an answer is lost at the worst moment. */
import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'

export interface TcpCutter {
  readonly port: number
  /**
   * Cuts the connection that next sends this text to the server: before the server hears it, or once the server has answered
   * and before the client hears that.
   */
  cutAt(text: string, when: 'before' | 'answered', onCut?: () => void): void
  /** How many connections were cut. */
  readonly cuts: number
  /** Cuts all that are open. */
  cutAll(): void
}

export async function startTcpCutter(
  context: { after(step: () => Promise<void>): void },
  serverPort: number,
): Promise<TcpCutter> {
  const open = new Set<Socket>()
  let armed: { readonly text: string; readonly when: 'before' | 'answered' } | null = null
  let tellOfCut: () => void = () => {}
  let cuts = 0

  const server = createServer((client) => {
    const upstream = connect(serverPort, '127.0.0.1')
    let isDoomed = false
    const end = (): void => {
      client.destroy()
      upstream.destroy()
    }
    const cut = (): void => {
      cuts++
      tellOfCut()
      end()
    }
    for (const socket of [client, upstream]) {
      open.add(socket)
      socket.on('error', end)
      socket.on('close', () => {
        open.delete(socket)
        end()
      })
    }
    client.on('data', (bytes) => {
      if (armed !== null && bytes.includes(armed.text)) {
        const { when } = armed
        armed = null
        if (when === 'before') return cut()
        isDoomed = true
      }
      upstream.write(bytes)
    })
    upstream.on('data', (bytes) => {
      if (isDoomed) cut()
      else client.write(bytes)
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  context.after(async () => {
    server.close()
    for (const socket of open) socket.destroy()
  })
  return {
    port: (server.address() as AddressInfo).port,
    cutAt(text, when, onCut = () => {}) {
      armed = { text, when }
      tellOfCut = onCut
    },
    get cuts() {
      return cuts
    },
    cutAll() {
      for (const socket of open) socket.destroy()
    },
  }
}
