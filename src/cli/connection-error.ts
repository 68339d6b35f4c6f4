/** Why a hub could not be asked, in words. */
import { HubError, quote } from '../core/errors.ts'
import type { HubLocation } from './locate-hub.ts'

/** True for a connection that was there and is gone: whether the hub has done what was asked is not known. */
export function isLostConnection(error: unknown): boolean {
  const code = error instanceof Error && 'code' in error ? error.code : null
  return code === 'ECONNRESET' || code === 'EPIPE' || code === 'ECONNABORTED'
}

/**
 * @param error what Node said
 * @param lateAfterMs how long an answer was waited for
 */
export function connectionError(hub: HubLocation, error: unknown, lateAfterMs: number): HubError {
  const { code, message, name } = error as NodeJS.ErrnoException
  if (hub.kind === 'socket' && (code === 'ENOENT' || code === 'ECONNREFUSED')) {
    return new HubError('hub-not-found', `no hub runs on the ${hub.place}`, { cause: error })
  }
  if (code === 'EACCES' || code === 'EPERM') {
    return new HubError('data-directory-unusable', `this user may not speak to the hub of the ${hub.place}`, {
      hint: 'run this as the user that runs the hub, or set HANDFAST_URL and HANDFAST_KEY',
      cause: error,
    })
  }
  if (hub.kind === 'url' && isTrustFailure(code ?? '')) return distrust(hub, code ?? '', message, error)
  const isLate = name === 'TimeoutError' || name === 'AbortError'
  const reason = isLate ? `no answer within ${lateAfterMs / 1000} s` : (code ?? message)
  return new HubError('hub-unreachable', `the hub at ${quote(hub.place)} cannot be reached: ${reason}`, {
    hint:
      hub.kind === 'url'
        ? 'check that the hub runs and that HANDFAST_URL is right'
        : 'check that the hub runs; see its log',
    cause: error,
  })
}

/** Codes of OpenSSL's verdict on a chain, and of Node's on the name. */
function isTrustFailure(code: string): boolean {
  return /CERT|SIGNED|ISSUER|SIGNATURE|CRL|^HOSTNAME_MISMATCH$|^INVALID_CA$|^INVALID_PURPOSE$/.test(code)
}

function distrust(hub: HubLocation & { kind: 'url' }, code: string, message: string, cause: unknown): HubError {
  const place = quote(hub.place)
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID') {
    return new HubError('enrolment-tls-untrusted', `the certificate of ${place} is for other names: ${message}`, {
      hint: 'use one of those names in HANDFAST_URL, or give the hub this one with --public-name',
      cause,
    })
  }
  const anchor = hub.ca === null ? 'no authority of this system' : `no certificate in ${quote(hub.ca.file)}`
  return new HubError('enrolment-tls-untrusted', `${anchor} vouches for ${place}: ${message} (${code})`, {
    hint:
      hub.ca === null
        ? 'set HANDFAST_CA to a copy of the file ca.pem of the hub'
        : 'copy ca.pem from the data directory of that hub; `handfast up` prints its path',
    cause,
  })
}
