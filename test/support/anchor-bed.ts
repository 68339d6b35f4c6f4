/** A trust anchor with its CRLs, made without OpenSSL, and a network that answers what a test says. */
import { sign } from 'node:crypto'
import { HubError } from '../../src/core/errors.ts'
import type { RevocationBehaviour } from '../../src/core/identification/anchor.ts'
import { noSources, type RevocationSources } from '../../src/core/identification/revocation-sources.ts'
import { signedStructure } from '../../src/core/x509/algorithms.ts'
import { readCertificate } from '../../src/core/x509/certificate.ts'
import { crlToBeSigned } from '../../src/core/x509/crl.ts'
import { basicConstraints, keyUsage, subjectKeyIdentifier } from '../../src/core/x509/extensions.ts'
import { parseOcspRequest } from '../../src/core/x509/ocsp-request.ts'
import {
  type CertificateStatus,
  ocspToBeSigned,
  responderForm,
  signedOcspResponse,
} from '../../src/core/x509/ocsp-response.ts'
import { keyIdentifier } from '../../src/core/x509/public-key.ts'
import { addAnchor } from '../../src/hub/change-anchors.ts'
import type { StatusFetcher, StatusRequest } from '../../src/hub/ports/status-fetcher.ts'
import type { HubParts } from './hub-parts.ts'
import { type OwnCertificate, ownCertificate } from './own-certificate.ts'

/** @param issuer who stands above it; nobody where it is left out */
export function authority(name: string, issuer?: OwnCertificate): OwnCertificate {
  return ownCertificate(name, {
    ...(issuer === undefined ? {} : { issuer }),
    extensions: (spki) => [
      ...[basicConstraints(2), keyUsage(['keyCertSign', 'cRLSign'])],
      subjectKeyIdentifier(keyIdentifier(spki)),
    ],
  })
}

interface CrlOptions {
  readonly thisUpdateSec: number
  readonly nextUpdateSec?: number
  readonly part?: string
}

/** @returns a CRL in DER, good for a day unless said otherwise */
export function crlOf(maker: OwnCertificate, revoked: readonly string[], options: CrlOptions): Uint8Array {
  const { thisUpdateSec, nextUpdateSec = thisUpdateSec + 86_400, part = null } = options
  const tbs = crlToBeSigned({
    ...{ issuer: readCertificate(maker.der), distributionPoint: part, number: BigInt(thisUpdateSec) },
    ...{ thisUpdateSec, nextUpdateSec },
    revoked: revoked.map((serialNumber) => {
      return { serialNumber, revokedAtMs: thisUpdateSec * 1000, reason: 'unspecified' }
    }),
  })
  return signedStructure(tbs, new Uint8Array(sign('sha256', tbs, maker.privateKey)))
}

export function serialOf(certificate: OwnCertificate): string {
  return readCertificate(certificate.der).serialNumber
}

/** A responder of an authority, which says the same of every certificate. */
export function responderOf(
  maker: OwnCertificate,
  status: CertificateStatus,
  { thisUpdateSec, nextUpdateSec = thisUpdateSec + 86_400 }: Omit<CrlOptions, 'part'>,
): (request: StatusRequest) => Uint8Array {
  return ({ question }) => {
    const [asked] = parseOcspRequest(question ?? new Uint8Array()).certificates
    const form = responderForm(maker.der, maker.spki)
    const answers = [{ certificateId: asked?.der ?? new Uint8Array(), status }]
    const dates = { producedAtSec: thisUpdateSec, thisUpdateSec, nextUpdateSec }
    const tbs = ocspToBeSigned(form, { answers, ...dates, nonce: null })
    return signedOcspResponse(form, tbs, new Uint8Array(sign('sha256', tbs, maker.privateKey)))
  }
}

/** What the network answers by address; an address that is not there does not answer. */
export class FakeNetwork implements StatusFetcher {
  readonly answers = new Map<string, (request: StatusRequest) => Uint8Array>()
  readonly asked: StatusRequest[] = []

  async fetch(request: StatusRequest): Promise<Uint8Array> {
    this.asked.push(request)
    const answer = this.answers.get(request.url)
    if (answer === undefined) throw new HubError('status-fetch-failed', `${request.url} does not answer`)
    return answer(request)
  }
}

interface AnchorOptions {
  readonly revocation?: RevocationBehaviour
  readonly sources?: Partial<RevocationSources>
  readonly below?: readonly OwnCertificate[]
}

/** The trust anchor `acme`, trusted from the start. */
export async function trusted(hub: HubParts, maker: OwnCertificate, options: AnchorOptions = {}): Promise<void> {
  const { revocation = 'require', sources = {}, below = [] } = options
  const certificates = [maker.der, ...below.map(({ der }) => der)]
  const order = { id: 'acme', certificates, revocation, isUnproven: true, sources: { ...noSources, ...sources } }
  await addAnchor(hub, hub.actor, order)
}
