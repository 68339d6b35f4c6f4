/** What is spoken on a port where the handshake of TLS came to nothing: asked without TLS, and without any login. */
import { dial } from './reach.ts'
import { visit } from './visit.ts'

export type PlainSpeech = 'mqtt' | 'http' | 'other' | 'nothing'

/** By the first octets of an answer; `nothing` where there are none. */
export function speechOf(start: Buffer): PlainSpeech {
  if (start.length === 0) return 'nothing'
  return start.toString('latin1', 0, 5) === 'HTTP/' ? 'http' : 'other'
}

/** @param clientId a made up one, so that no session of a device is taken over */
export async function askPlainly(
  address: string,
  port: number,
  clientId: string,
  stepMs: number,
): Promise<PlainSpeech> {
  const socket = await dial(address, port, stepMs)
  if (typeof socket === 'string') return 'nothing'
  const { connack, start } = await visit(socket, {
    version: 4,
    clientId,
    username: null,
    password: null,
    topic: null,
    stepMs,
  })
  if (connack.kind === 'answer') return 'mqtt'
  const said = speechOf(start)
  return said === 'nothing' ? speechOf(await answerToGet(address, port, stepMs)) : said
}

async function answerToGet(address: string, port: number, stepMs: number): Promise<Buffer> {
  const socket = await dial(address, port, stepMs)
  if (typeof socket === 'string') return Buffer.alloc(0)
  return new Promise((done) => {
    const finish = (bytes: Buffer): void => {
      clearTimeout(timer)
      socket.destroy()
      done(bytes)
    }
    const timer = setTimeout(() => finish(Buffer.alloc(0)), stepMs)
    socket.once('data', (bytes: Buffer) => finish(bytes.subarray(0, 64)))
    socket.once('close', () => finish(Buffer.alloc(0)))
    socket.write('GET / HTTP/1.0\r\n\r\n')
  })
}
