/**
 * What a client means by the alert with which it ends a handshake. The number alone seldom says it: a wrong clock, a wrong name and a bad
 * signature are one alert for many libraries. What the hub knows besides tells them apart: the certificate that it has shown, the
 * name that the client asked for, the time that older libraries put into their first message.
 */
import { isIP } from 'node:net'
import { quote } from '../core/errors.ts'
import { type TlsAlert, tlsAlerts } from '../core/failure/tls-alerts.ts'
import type { ClientHello } from '../core/tls/client-hello.ts'
import { dateWords, instant } from '../core/x509/validity-words.ts'
import type { Ending } from './options.ts'
import type { ShownCertificate } from './shown-certificate.ts'

/** What is known about a handshake when it fails. */
export interface HandshakeFacts {
  /** Null where its first message cannot be read. */
  readonly hello: ClientHello | null
  readonly shown: ShownCertificate | null
  /** Address of this machine that the client has come to. */
  readonly localAddress: string
  /** By the clock of the hub, seconds since the epoch. */
  readonly nowSec: number
}

/** The failure behind an alert of the client. @param name that of OpenSSL, lower case, where the number is not known */
export function alertEnding(alert: TlsAlert | null, name: string, facts: HandshakeFacts): Ending {
  const sent = `the client sent the alert ${alert === null ? name : `${tlsAlerts[alert]} (${alert})`}`
  switch (alert) {
    case 48:
      return { code: 'hub-untrusted', sentence: `${sent}: it does not have the root certificate of this hub` }
    case 45:
      return notInDate(sent, facts) ?? foundExpired(sent, facts)
    case 44: {
      const sentence = `${sent}: its list of revocations names the certificate of the hub`
      return { code: 'hub-certificate-revoked', sentence }
    }
    case 43: {
      const sentence = `${sent}: it cannot use a certificate of this kind, for its key, its signature or its usages`
      return { code: 'hub-certificate-unsupported', sentence }
    }
    case 42:
    case 46:
      return notInDate(sent, facts) ?? clockUnset(sent, facts) ?? wrongName(sent, facts) ?? unexplained(sent, facts)
    case 80:
      // Mosquitto's clients send it where the name does not fit.
      return wrongName(sent, facts) ?? { code: 'tls-client-alert', sentence: `${sent}: it gives no reason` }
    case 70:
      return { code: 'tls-version-unsupported', sentence: `${sent}: it accepts no TLS version of the hub` }
    default:
      return { code: 'tls-client-alert', sentence: sent }
  }
}

/** Where what the hub shows is really out of date, the client is right. */
function notInDate(sent: string, { shown, nowSec }: HandshakeFacts): Ending | null {
  const words = shown === null ? null : dateWords(shown, nowSec)
  return words === null
    ? null
    : { code: 'server-certificate-expired', sentence: `${sent}, and the certificate of the hub ${words}` }
}

function foundExpired(sent: string, { shown, hello, nowSec }: HandshakeFacts): Ending {
  const until = shown === null ? '' : `, and that of the hub is good until ${instant(shown.notAfterSec)}`
  const clock = hello === null || shown === null ? null : hello.randomSec
  // Where a library puts chance in its place, it falls into these years once in forty times.
  const isAhead = clock !== null && shown !== null && clock > shown.notAfterSec && clock < nowSec + yearsAheadSec
  const guess = isAhead
    ? `its clock seems to stand at ${instant(clock)}`
    : 'its clock is ahead, or it holds a list of revocations that has ended'
  return { code: 'hub-certificate-expired', sentence: `${sent}${until}: ${guess}` }
}

const yearsAheadSec = 3 * 365 * 86_400

/** A device without a battery counts from 1970 or 2000: its first message shows it, where its library puts the time there. */
function clockUnset(sent: string, { hello, nowSec }: HandshakeFacts): Ending | null {
  if (hello === null) return null
  const { randomSec } = hello
  const begin = clockBegins.find((sec) => randomSec >= sec && randomSec < sec + unsetForSec)
  if (begin === undefined || nowSec < begin + unsetForSec) return null
  const sentence = `${sent}, and its clock stands at ${instant(randomSec)}: to it, the certificate of the hub is not valid yet`
  return { code: 'hub-certificate-not-yet-valid', sentence }
}

/** The first seconds of 1970 and of 2000. By chance a number falls behind one of them, as close as below, once in eight hundred times. */
const clockBegins: readonly number[] = [0, 946_684_800]
/** How long a device runs without ever having been told the time. */
const unsetForSec = 30 * 86_400

function wrongName(sent: string, { hello, shown, localAddress }: HandshakeFacts): Ending | null {
  if (hello === null || shown === null) return null
  const { serverName } = hello
  if (serverName !== null) {
    if (shown.isFor(serverName)) return null
    const sentence = `${sent}; it asked for ${quote(serverName)}, a name that the certificate of the hub does not have`
    return { code: 'hub-name-mismatch', sentence }
  }
  // Where the address is not known there is nothing to compare.
  if (isIP(localAddress) === 0 || shown.isForAddress(localAddress)) return null
  const sentence = `${sent}; it named no host, and the certificate of the hub does not have the address ${localAddress} at which it arrived (behind a port mapping it has dialled another)`
  return { code: 'hub-name-mismatch', sentence }
}

function unexplained(sent: string, { shown }: HandshakeFacts): Ending {
  const clock = shown === null ? '' : `, its clock may stand before ${instant(shown.notBeforeSec)}`
  const sentence = `${sent}, which gives no reason: it may not have the root certificate of this hub${clock}, or it wants another name`
  return { code: 'tls-client-rejected-hub', sentence }
}
