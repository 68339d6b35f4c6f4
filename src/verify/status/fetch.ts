/** Fetches CRLs, and asks responders, at addresses that the operator or one of his authorities has named. */
import { HubError, quote } from '../../core/errors.ts'
import { sourceFault } from '../../core/identification/revocation-sources.ts'

export interface StatusQuestion {
  readonly url: string
  /** An OCSPRequest; null to fetch. */
  readonly question: Uint8Array | null
  readonly bytesMax: number
  readonly timeMs: number
}

/** @throws HubError `status-fetch-failed` */
export type FetchStatus = (asked: StatusQuestion) => Promise<Uint8Array>

export const fetchStatus: FetchStatus = async ({ url, question, bytesMax, timeMs }) => {
  const fault = sourceFault(url)
  if (fault !== null) throw failed(url, fault)
  try {
    const answer = await fetch(url, {
      ...{ signal: AbortSignal.timeout(timeMs), redirect: question === null ? 'follow' : 'error' },
      ...(question === null
        ? {}
        : { method: 'POST', body: Buffer.from(question), headers: { 'content-type': 'application/ocsp-request' } }),
    })
    if (answer.status !== 200) throw failed(url, `answers with the status ${answer.status}`)
    const parts: Uint8Array[] = []
    let bytes = 0
    for await (const part of answer.body ?? []) {
      bytes += part.length
      if (bytes > bytesMax) throw failed(url, `answers with more than ${bytesMax} bytes`)
      parts.push(part)
    }
    return Buffer.concat(parts)
  } catch (error) {
    if (error instanceof HubError) throw error
    const isLate = error instanceof Error && error.name === 'TimeoutError'
    throw failed(url, isLate ? 'did not answer in time' : 'cannot be asked', error)
  }
}

function failed(url: string, why: string, cause?: unknown): HubError {
  return new HubError('status-fetch-failed', `${quote(url)} ${why}`, cause === undefined ? {} : { cause })
}
