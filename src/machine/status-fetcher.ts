/**
 * Fetches CRLs and asks OCSP responders over HTTP. A certificate may name any address: what the operator has not named is reached
 * only where its name leads to the public internet, looked at when it connects, so that nobody inside is asked on behalf of a
 * stranger.
 */
import { lookup } from 'node:dns'
import { type IncomingMessage, request as plainRequest, type RequestOptions } from 'node:http'
import { request as tlsRequest } from 'node:https'
import { isIP, type LookupFunction } from 'node:net'
import { HubError, quote } from '../core/errors.ts'
import { hostOf, sourceFault } from '../core/identification/revocation-sources.ts'
import { isPublicAddress } from '../core/identity/public-address.ts'
import { limits } from '../core/limits.ts'
import type { StatusFetcher, StatusRequest } from '../hub/ports/status-fetcher.ts'

export const statusFetcher: StatusFetcher = {
  async fetch(asked) {
    const ends = [AbortSignal.timeout(asked.timeMs), ...(asked.signal === undefined ? [] : [asked.signal])]
    const signal = AbortSignal.any(ends)
    let url = asked.url
    for (let hop = 0; ; hop++) {
      const answer = await open(url, asked, signal)
      const next = redirectOf(answer, url)
      if (next === null) return await bodyOf(answer, url, asked, signal)
      answer.destroy()
      if (asked.question !== null) throw failed(url, 'sends on to another address, which a question does not follow')
      if (hop === limits.statusRedirectsMax) throw failed(asked.url, `sends on more than ${hop} times`)
      url = next
    }
  },
}

function open(url: string, { question, hosts }: StatusRequest, signal: AbortSignal): Promise<IncomingMessage> {
  const fault = sourceFault(url)
  if (fault !== null) throw failed(url, fault)
  const host = hostOf(url)
  const isNamed = hosts.has(host)
  if (!isNamed && isIP(host) !== 0 && !isPublicAddress(host)) throw failed(url, words.private, hints.private(host))
  const { protocol } = new URL(url)
  const options: RequestOptions = {
    ...{ method: question === null ? 'GET' : 'POST', signal, agent: false, lookup: isNamed ? lookup : publicLookup },
    headers: {
      ...{ 'user-agent': 'handfast', 'accept-encoding': 'identity', connection: 'close' },
      ...(question === null ? {} : { 'content-type': 'application/ocsp-request', 'content-length': question.length }),
    },
  }
  return new Promise((resolve, reject) => {
    const request = (protocol === 'https:' ? tlsRequest : plainRequest)(url, options, resolve)
    request.on('error', (error) => reject(failure(url, error, signal)))
    request.end(question ?? undefined)
  })
}

/** The usual look-up, of which nothing but public addresses are taken. */
const publicLookup: LookupFunction = (hostname, options, done) => {
  lookup(hostname, { ...options, all: true }, (error, addresses) => {
    const found = error === null ? addresses.filter(({ address }) => isPublicAddress(address)) : []
    const [first] = found
    if (error !== null) done(error, '', 0)
    else if (first === undefined) done(new PrivateAddress(hostname), '', 0)
    else if (options.all === true) done(null, found)
    else done(null, first.address, first.family)
  })
}

class PrivateAddress extends Error {
  readonly host: string
  constructor(host: string) {
    super(`${host} is on a private network`)
    this.host = host
  }
}

function redirectOf({ statusCode = 0, headers }: IncomingMessage, from: string): string | null {
  if (![301, 302, 303, 307, 308].includes(statusCode) || headers.location === undefined) return null
  return URL.parse(headers.location, from)?.href ?? headers.location
}

async function bodyOf(
  answer: IncomingMessage,
  url: string,
  { bytesMax }: StatusRequest,
  signal: AbortSignal,
): Promise<Uint8Array> {
  if (answer.statusCode !== 200) {
    answer.destroy()
    throw failed(url, `answers with the status ${answer.statusCode}`)
  }
  const parts: Buffer[] = []
  let bytes = 0
  try {
    for await (const part of answer as AsyncIterable<Buffer>) {
      bytes += part.length
      if (bytes > bytesMax) throw failed(url, `answers with more than ${bytesMax} bytes`)
      parts.push(part)
    }
  } catch (error) {
    throw failure(url, error, signal)
  }
  return Buffer.concat(parts)
}

const words = { private: 'is on a private network, and only a certificate has named it' }
const hints = {
  private: (host: string) =>
    `where the authority is in the plant, say so: \`handfast anchor edit <id> --private-host ${host}\``,
}

function failed(url: string, why: string, hint?: string): HubError {
  return new HubError('status-fetch-failed', `${quote(url)} ${why}`, hint === undefined ? {} : { hint })
}

function failure(url: string, error: unknown, signal: AbortSignal): HubError {
  if (error instanceof HubError) return error
  if (error instanceof PrivateAddress) return failed(url, words.private, hints.private(error.host))
  if (signal.aborted) return failed(url, 'did not answer in time')
  const reason = error instanceof Error ? ('code' in error ? String(error.code) : error.message) : String(error)
  return new HubError('status-fetch-failed', `${quote(url)} cannot be asked: ${reason}`, { cause: error })
}
