/**
 * CRLs, from files and addresses, read again and again. What cannot be read leaves what was read before, which counts until its own
 * nextUpdate; an older CRL never takes the place of a newer one.
 */
import { readFile, stat } from 'node:fs/promises'
import { HubError, quote } from '../../core/errors.ts'
import { revocationOf } from '../../core/identification/anchor.ts'
import { limits } from '../../core/limits.ts'
import { type ForeignCrl, readForeignCrl } from '../../core/x509/foreign-crl.ts'
import { decodePem } from '../../core/x509/pem.ts'
import type { Authority } from '../authorities.ts'
import { type FetchStatus, fetchStatus } from './fetch.ts'
import type { StatusSource } from './source.ts'

export interface CrlOptions {
  /** Paths of files, and addresses (http or https); a file may hold several CRLs in PEM. */
  readonly from: readonly string[]
  /** How often they are read again, in seconds; 60 where it is left out, 5 at the least. A revocation bites after that. */
  readonly everySec?: number
}

interface Surroundings {
  readonly authorities: readonly Authority[]
  /** Told of what could not be read; a CRL that was read before counts on. */
  readonly warn: (error: unknown) => void
  readonly fetch?: FetchStatus
}

/**
 * Reads all of them once before it is there.
 *
 * @throws HubError `anchor-crl-unfit`, `status-fetch-failed`, `verify-settings-invalid`
 */
export async function crlSource(options: CrlOptions, surroundings: Surroundings): Promise<StatusSource> {
  const { authorities, warn, fetch = fetchStatus } = surroundings
  const everySec = options.everySec ?? limits.verifyCrlSecDefault
  assertOptions(options.from, everySec)
  const held = new Map<string, ForeignCrl>()
  const listeners: (() => void)[] = []

  /** @returns whether anything is new */
  async function readFrom(place: string): Promise<boolean> {
    let isNew = false
    for (const der of crlsIn(await bytesAt(place, fetch))) {
      const crl = readForeignCrl(
        der,
        authorities.map(({ fields }) => fields),
        limits.anchorCrlBytesMax,
      )
      const key = `${authorities.findIndex(({ fields }) => fields === crl.issuer)} ${crl.urls.join(' ')}`
      const before = held.get(key)
      if (before !== undefined && before.thisUpdateSec >= crl.thisUpdateSec) continue
      held.set(key, crl)
      isNew = true
    }
    return isNew
  }

  async function readAgain(): Promise<void> {
    let isNew = false
    for (const place of options.from) {
      try {
        if (await readFrom(place)) isNew = true
      } catch (error) {
        warn(error)
      }
    }
    if (isNew) for (const listener of listeners) listener()
  }

  for (const place of options.from) await readFrom(place)
  let reading: Promise<void> = Promise.resolve()
  let waiting = 0
  const timer = setInterval(() => {
    // A place that answers slowly must not gather readings behind it.
    if (waiting > 0) return
    waiting++
    reading = readAgain().finally(() => waiting--)
  }, everySec * 1_000)
  timer.unref()

  return {
    async statusOf({ signer, fields }, nowSec) {
      const crls = [...held.values()]
        .filter(({ issuer }) => issuer === signer.fields)
        .map(({ urls, nextUpdateSec, serialNumbers }) => ({ urls, nextUpdateSec, serialNumbers }))
      const { serialNumber, crlDistributionPoints: points } = fields
      const status = revocationOf('require', crls, { serialNumber, points }, null, nowSec)
      return status === 'ended' ? 'unknown' : status
    },
    onChange: (listener) => void listeners.push(listener),
    close() {
      clearInterval(timer)
      void reading
    },
  }
}

function assertOptions(from: readonly string[], everySec: number): void {
  if (from.length === 0 || from.length > limits.verifyCrlPlacesMax) {
    throw new HubError(
      'verify-settings-invalid',
      `${from.length} places of CRLs, and 1 to ${limits.verifyCrlPlacesMax} are taken`,
    )
  }
  if (!(everySec >= limits.verifyCrlSecMin && everySec <= limits.verifyStaleSecMax)) {
    throw new HubError(
      'verify-settings-invalid',
      `CRLs cannot be read every ${quote(everySec)} seconds: ${limits.verifyCrlSecMin} to ${limits.verifyStaleSecMax} are taken`,
    )
  }
}

async function bytesAt(place: string, fetch: FetchStatus): Promise<Uint8Array> {
  const bytesMax = limits.anchorCrlBytesMax
  if (/^https?:/i.test(place)) return fetch({ url: place, question: null, bytesMax, timeMs: limits.crlFetchMs })
  try {
    const { size } = await stat(place)
    if (size <= bytesMax) return await readFile(place)
  } catch (cause) {
    throw new HubError('status-fetch-failed', `the CRL ${quote(place)} cannot be read`, { cause })
  }
  throw new HubError('status-fetch-failed', `the CRL ${quote(place)} has more than ${bytesMax} bytes`)
}

function crlsIn(bytes: Uint8Array): readonly Uint8Array[] {
  // DER begins with the tag of a SEQUENCE, and no PEM does.
  if (bytes[0] === 0x30) return [bytes]
  const text = Buffer.from(bytes).toString('latin1')
  return decodePem(text, 'anchor-crl-unfit')
    .filter(({ label }) => label === 'X509 CRL')
    .map(({ der }) => der)
}
