/**
 * A server certificate that the operator brings, from a public authority say. It is shown to those who ask for one of its
 * names; devices were told another name and trust the root of this hub alone, so under that name they see what they know.
 */
import { createPrivateKey, X509Certificate } from 'node:crypto'
import { createSecureContext } from 'node:tls'
import { HubError, quote } from '../core/errors.ts'
import { limits } from '../core/limits.ts'
import type { Secret } from '../core/secret.ts'
import { readCertificate } from '../core/x509/certificate.ts'
import { oids } from '../core/x509/oids.ts'
import { decodePem, encodePem } from '../core/x509/pem.ts'

export interface BroughtCertificate {
  /** Private key in PEM, not encrypted. */
  readonly key: Secret
  /** Leaf first, in PEM. */
  readonly chain: string
  /** In lower case; a wildcard as it stands in the certificate. */
  readonly dnsNames: readonly string[]
  /** Last good second. */
  readonly notAfterSec: number
}

/**
 * Reads what the operator brings and checks all that a client would stumble over.
 *
 * @param certificate PEM: the certificate, then its issuers in order; the root may be left out
 * @param nowSec the hub's clock, whole seconds since the epoch
 * @throws HubError `server-certificate-unusable`, saying what does not fit
 */
export function readBroughtCertificate(certificate: string, key: Secret, nowSec: number): BroughtCertificate {
  const blocks = decodePem(certificate, 'server-certificate-unusable').filter(({ label }) => label === 'CERTIFICATE')
  if (blocks.length > limits.broughtChainMax) {
    throw unusable(`there are ${blocks.length} certificates in its file, more than ${limits.broughtChainMax}`)
  }
  const chain = blocks.map(({ der }) => parsed(der))
  const [leaf] = chain
  if (leaf === undefined) throw unusable('its file holds no certificate in PEM')
  assertServes(leaf, nowSec)
  assertInOrder(chain)
  assertKeyFits(leaf, key)
  const fields = readCertificate(leaf.raw)
  const dnsNames = fields.dnsNames.map((name) => name.toLowerCase())
  if (dnsNames.length === 0) {
    throw unusable('it has no DNS name, and clients say no address when they ask for a certificate')
  }
  const brought = {
    key,
    chain: blocks.map(({ der }) => encodePem('CERTIFICATE', der)).join(''),
    dnsNames,
    notAfterSec: fields.notAfterSec,
  }
  assertOpensslTakes(brought)
  return brought
}

/** Whether a certificate is for a name: the same, or a wildcard for its first label (RFC 9525 §6.3). */
export function isForName({ dnsNames }: Pick<BroughtCertificate, 'dnsNames'>, serverName: string): boolean {
  const name = serverName.toLowerCase()
  const parent = name.slice(name.indexOf('.') + 1)
  return dnsNames.some(
    (each) => each === name || (each.startsWith('*.') && name.includes('.') && each.slice(2) === parent),
  )
}

function parsed(der: Uint8Array): X509Certificate {
  try {
    return new X509Certificate(der)
  } catch (cause) {
    throw new HubError('server-certificate-unusable', 'a certificate in the file that was brought cannot be read', {
      cause,
    })
  }
}

function assertServes(leaf: X509Certificate, nowSec: number): void {
  const { notBeforeSec, notAfterSec } = readCertificate(leaf.raw)
  const iso = (sec: number): string => new Date(sec * 1000).toISOString()
  if (nowSec > notAfterSec) throw unusable(`it ended at ${iso(notAfterSec)}`)
  if (nowSec < notBeforeSec) throw unusable(`it begins at ${iso(notBeforeSec)} only`)
  if (leaf.ca) throw unusable('the first certificate in its file is that of an authority')
  // What Node calls keyUsage is the extended one.
  const purposes: readonly string[] | undefined = leaf.keyUsage
  if (purposes !== undefined && !purposes.includes(oids.serverAuth))
    throw unusable('it is not for servers (serverAuth)')
}

function assertInOrder(chain: readonly X509Certificate[]): void {
  for (const [index, issuer] of chain.slice(1).entries()) {
    const issued = chain[index]
    if (issued?.checkIssued(issuer) && issued.verify(issuer.publicKey)) continue
    throw unusable(`certificate ${index + 2} in its file did not issue the one before it`, {
      hint: 'put the certificate first, then its issuers, each the issuer of the one before',
    })
  }
}

function assertKeyFits(leaf: X509Certificate, key: Secret): void {
  let fits: boolean
  try {
    fits = leaf.checkPrivateKey(createPrivateKey(key.reveal()))
  } catch (cause) {
    throw new HubError('server-certificate-unusable', 'the key of the certificate that was brought cannot be read', {
      hint: 'give a private key in PEM that is not encrypted, in a file that only the hub reads',
      cause,
    })
  }
  if (!fits) throw unusable('its key belongs to another certificate')
}

/** What OpenSSL refuses at its security level, such as RSA keys of 1024 bits or signatures with MD5. */
function assertOpensslTakes({ key, chain }: Pick<BroughtCertificate, 'key' | 'chain'>): void {
  try {
    createSecureContext({ key: key.reveal(), cert: chain })
  } catch (cause) {
    const reason = cause instanceof Error && 'reason' in cause ? String(cause.reason) : 'no reason given'
    throw new HubError('server-certificate-unusable', `OpenSSL does not serve it: ${quote(reason)}`, { cause })
  }
}

function unusable(what: string, detail: { readonly hint?: string } = {}): HubError {
  return new HubError('server-certificate-unusable', `the certificate that was brought cannot be used: ${what}`, detail)
}
