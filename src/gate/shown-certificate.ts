/** What a listener shows to clients, as far as it explains why one of them does not accept it. */
import { X509Certificate } from 'node:crypto'
import { isIP } from 'node:net'
import type { GateCertificate } from './options.ts'

export interface ShownCertificate {
  /** Last second in which it is good, and the first, by the epoch. */
  readonly notAfterSec: number
  readonly notBeforeSec: number
  readonly hasRsaKey: boolean
  readonly hasEcKey: boolean
  /** Whether clients find a DNS name in it. */
  isFor(name: string): boolean
  /** The same for an IP address of this machine as a socket tells it, which for link-local ones names the interface: Node's check throws there. */
  isForAddress(address: string): boolean
}

const known = new WeakMap<GateCertificate, ShownCertificate | null>()

/** @returns null where the chain cannot be read */
export function shownCertificate(certificate: GateCertificate): ShownCertificate | null {
  const before = known.get(certificate)
  if (before !== undefined) return before
  const shown = read(certificate)
  known.set(certificate, shown)
  return shown
}

function read({ chain, forRsa }: GateCertificate): ShownCertificate | null {
  try {
    const leaf = new X509Certificate(chain)
    const kinds = new Set([leaf.publicKey.asymmetricKeyType, ...(forRsa == null ? [] : ['rsa'])])
    return {
      notBeforeSec: leaf.validFromDate.getTime() / 1000,
      notAfterSec: leaf.validToDate.getTime() / 1000,
      hasRsaKey: kinds.has('rsa'),
      hasEcKey: kinds.has('ec'),
      isFor: (name) => hasName(leaf, name),
      isForAddress: (address) => isIP(address) !== 0 && leaf.checkIP(address.split('%')[0] ?? '') !== undefined,
    }
  } catch {
    return null
  }
}

/** Names of strangers may hold what OpenSSL does not take for a name. */
function hasName(leaf: X509Certificate, name: string): boolean {
  try {
    return leaf.checkHost(name) !== undefined
  } catch {
    return false
  }
}
