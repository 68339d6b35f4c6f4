/** Keeping the roots of a device up to date while its hub changes them. */
import type { X509Certificate } from 'node:crypto'
import { HubError, quote } from '../core/errors.ts'
import { certificateFingerprint } from '../core/x509/certificate.ts'
import { fetchCertificates, tellRoots } from './est-client.ts'
import { rootsToKeep } from './root-succession.ts'
import type { HubRecord } from './store/credential.ts'
import { openCredentialStore } from './store/open.ts'

export interface RootsResult {
  readonly host: string
  /** SHA-256 of the roots that the folder holds now, and of those that came and went. */
  readonly roots: readonly string[]
  readonly added: readonly string[]
  readonly removed: readonly string[]
  /** Those of which the hub was told that this device keeps them: it showed its certificate below each. */
  readonly told: readonly string[]
}

/**
 * Fetches the roots of the hub, over a connection verified to those that are held, and keeps those that a held one certifies.
 * Then the hub is told so, over a new connection for each root, verified to that one alone: what is told was tried.
 *
 * @throws HubError `credential-missing` where the folder holds none; `enrolment-tls-untrusted`; `hub-unreachable`;
 *   `hub-answer-unexpected` when no root of the answer follows from one that is held; the hub's own code when it refuses
 */
export async function refreshRoots(directory: string): Promise<RootsResult> {
  const folder = openCredentialStore(directory)
  const held = folder.current()
  const hub = held?.hub ?? null
  const identity = folder.deviceIdentity()
  if (hub === null || identity === null) {
    throw new HubError('credential-missing', `${quote(folder.path)} holds no credential with the hub that it is for`)
  }
  const before = folder.roots()
  const pem = before.map(String).join('')
  if (hub.estPath !== undefined) {
    throw new HubError(
      'credential-missing',
      `the credential in ${quote(folder.path)} is of ${hub.host}, which is no hub`,
      {
        hint: 'nothing is to be done: the agent takes up new roots when it renews',
      },
    )
  }
  const kept = rootsToKeep(before, await fetchCertificates(addressOf(hub), pem))
  const [old, now] = [before.map(fingerprintOf), kept.map(fingerprintOf)]
  const isChanged = old.length !== now.length || old.some((each) => !now.includes(each))
  if (isChanged) folder.replaceRoots(kept)
  for (const root of kept) await tellRoots(addressOf(hub), root.toString(), identity, [fingerprintOf(root)])
  return {
    host: hub.host,
    roots: now,
    added: now.filter((each) => !old.includes(each)),
    removed: old.filter((each) => !now.includes(each)),
    told: now,
  }
}

function addressOf({ host, httpsPort }: HubRecord) {
  return { host, port: httpsPort }
}

function fingerprintOf(certificate: X509Certificate): string {
  return certificateFingerprint(certificate.raw)
}
