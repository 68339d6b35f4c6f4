/**
 * Requests that never become one: malformed, too long in the header, or late. Node hands over the bare socket, and the
 * problem is written onto it.
 */
import { type IncomingMessage, type Server, type ServerResponse, STATUS_CODES } from 'node:http'
import type { Socket } from 'node:net'
import { HubError } from '../core/errors.ts'
import { limits } from '../core/limits.ts'
import { problemOf, problemType, type Reader } from './problem.ts'
import { newRequestId } from './request-id.ts'

/** The handler of `clientError` for Fastify. */
export function brokenRequestAnswer(reader: Reader) {
  return (error: NodeJS.ErrnoException, socket: Socket): void => {
    if (error.code === 'ECONNRESET' || socket.destroyed) return
    if (socket.writable && !isBeingAnswered(socket)) socket.write(problemBytes(refusalOf(error), reader))
    socket.destroy(error)
  }
}

/** Remembers which answer is on its way on a socket, since nothing else may be written into the middle of it. */
export function rememberAnswers(server: Server): void {
  server.on('request', (request: IncomingMessage, response: ServerResponse) => answers.set(request.socket, response))
}

const answers = new WeakMap<Socket, ServerResponse>()

function isBeingAnswered(socket: Socket): boolean {
  const answer = answers.get(socket)
  return answer?.headersSent === true && !answer.writableFinished
}

function refusalOf({ code = '', message }: NodeJS.ErrnoException): HubError {
  if (code === 'ERR_HTTP_REQUEST_TIMEOUT') {
    return new HubError('request-late', 'the request did not arrive whole in time')
  }
  if (code === 'HPE_HEADER_OVERFLOW') {
    const most = limits.httpHeaderBytesMax.toLocaleString('en')
    return new HubError('headers-too-large', `the header of the request is larger than ${most} bytes`)
  }
  // llhttp says "Parse Error: " and what; it repeats nothing of the request.
  const fault = message.replace(/^Parse Error: /, '').toLowerCase()
  return new HubError('request-invalid', `the request is not HTTP: ${fault}`, {
    hint: 'use HTTP/1.1; where the listener speaks TLS, begin the address with https://',
  })
}

function problemBytes(error: HubError, reader: Reader): string {
  const problem = problemOf(error, reader, newRequestId())
  const body = JSON.stringify(problem)
  return [
    `HTTP/1.1 ${problem.status} ${STATUS_CODES[problem.status]}`,
    `Content-Type: ${problemType}`,
    `Content-Length: ${Buffer.byteLength(body)}`,
    'Cache-Control: no-store',
    'Connection: close',
    '',
    body,
  ].join('\r\n')
}
