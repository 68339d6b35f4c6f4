/** The files of a server certificate that the operator brings, read again whenever they change. */
import { readFileSync, statSync } from 'node:fs'
import { HubError, quote } from '../core/errors.ts'
import { limits } from '../core/limits.ts'
import { Secret } from '../core/secret.ts'
import { unreadable } from '../core/unreadable.ts'
import { type BroughtCertificate, isForName, readBroughtCertificate } from '../hub/brought-certificate.ts'
import { type Clock, nowSec } from '../hub/ports/clock.ts'
import type { Log } from '../hub/ports/log.ts'

/** How often the files are looked at. */
export const broughtLookEveryMs: number = 10_000

export interface BroughtFiles {
  /** What to show to a client that asks for this name: null where it is not for the brought certificate, or that has ended. */
  forName(serverName: string): BroughtCertificate | null
  /** Looks at the files now. */
  look(): void
  stop(): void
}

/**
 * Reads both files once.
 *
 * @throws HubError `server-certificate-unusable`
 */
export function assertBroughtFiles(
  clock: Clock,
  paths: { readonly certificate: string; readonly key: string },
  deviceNames: readonly string[],
): BroughtCertificate {
  const brought = readFiles(paths, clock)
  if (brought.dnsNames.some((name) => !deviceNames.includes(name))) return brought
  throw new HubError(
    'server-certificate-unusable',
    `the certificate that was brought is for ${brought.dnsNames.map(quote).join(', ')} alone, which devices call this hub`,
    {
      hint: 'devices trust the root of this hub under that name: take a certificate for another name, or let devices use another with --public-name',
    },
  )
}

/**
 * Reads both files, and again when one of them changes. What cannot be used later is logged, and the one before stays.
 *
 * @param paths absolute
 * @param deviceNames names that the brought certificate is never shown for, because devices that use them trust this hub's root
 * @throws HubError `server-certificate-unusable`
 */
export function openBroughtFiles(
  hub: { readonly clock: Clock; readonly log: Log },
  paths: { readonly certificate: string; readonly key: string },
  deviceNames: readonly string[],
): BroughtFiles {
  const { clock, log } = hub
  let seen = stampOf(paths)
  let brought = assertBroughtFiles(clock, paths, deviceNames)
  tell(hub, brought, deviceNames)

  function look(): void {
    const now = stampOf(paths)
    if (now !== seen) {
      seen = now
      try {
        brought = readFiles(paths, clock)
        tell(hub, brought, deviceNames)
      } catch (error) {
        log.error('the certificate that was brought has changed and cannot be used; the one before stays', { error })
      }
    }
    warnOfEnd()
  }

  let warned = ''
  function warnOfEnd(): void {
    const leftSec = brought.notAfterSec - nowSec(clock)
    const stage = leftSec < 0 ? 'ended' : leftSec < limits.broughtEndsSoonSec ? 'ends soon' : ''
    if (stage === warned) return
    warned = stage
    const notAfter = new Date(brought.notAfterSec * 1000).toISOString()
    if (stage === 'ended')
      log.error('the certificate that was brought has ended and is not shown any more', { notAfter })
    else if (stage !== '') log.warn('the certificate that was brought ends soon', { notAfter })
  }
  warnOfEnd()

  const timer = setInterval(look, broughtLookEveryMs)
  timer.unref()
  return {
    forName(serverName) {
      if (deviceNames.includes(serverName.toLowerCase())) return null
      return isForName(brought, serverName) && nowSec(clock) <= brought.notAfterSec ? brought : null
    },
    look,
    stop: () => clearInterval(timer),
  }
}

function tell(
  { log }: { readonly log: Log },
  { dnsNames, notAfterSec }: BroughtCertificate,
  deviceNames: readonly string[],
): void {
  const notAfter = new Date(notAfterSec * 1000).toISOString()
  log.info('a certificate that was brought is in use', { names: dnsNames, notAfter })
  const hidden = dnsNames.filter((name) => deviceNames.includes(name))
  if (hidden.length === 0) return
  log.warn('under names that devices use, the certificate of this hub is shown and not the one that was brought', {
    names: hidden,
  })
}

function readFiles(paths: { readonly certificate: string; readonly key: string }, clock: Clock): BroughtCertificate {
  return readBroughtCertificate(readSmall(paths.certificate), new Secret(readSmall(paths.key)), nowSec(clock))
}

/** @throws HubError `server-certificate-unusable` */
function readSmall(path: string): string {
  try {
    if (statSync(path).size <= limits.broughtFileBytesMax) return readFileSync(path, 'utf8')
  } catch (error) {
    const { words, hint } = unreadable(error)
    throw new HubError('server-certificate-unusable', `the file ${quote(path)} ${words}`, { hint, cause: error })
  }
  throw new HubError(
    'server-certificate-unusable',
    `the file ${quote(path)} is larger than ${limits.broughtFileBytesMax} bytes`,
  )
}

/** Changes with the content of the files, also where a link is pointed elsewhere as certbot does. */
function stampOf(paths: { readonly certificate: string; readonly key: string }): string {
  return [paths.certificate, paths.key]
    .map((path) => {
      const stats = statSync(path, { throwIfNoEntry: false })
      return stats === undefined ? 'none' : `${stats.dev}.${stats.ino}.${stats.mtimeMs}.${stats.size}`
    })
    .join(' ')
}
