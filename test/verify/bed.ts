/** Authorities and clients for verifiers, and a clock that stands. */
import type { Extension } from '../../src/core/x509/extensions.ts'
import { extendedKeyUsage, keyUsage, subjectAltName } from '../../src/core/x509/extensions.ts'
import { oids } from '../../src/core/x509/oids.ts'
import { type AuthoritiesOptions, verifyByAuthorities } from '../../src/verify/by-authorities.ts'
import type { Verdict } from '../../src/verify/verdict.ts'
import type { Verifier } from '../../src/verify/verifier.ts'
import { type OwnCertificate, ownCertificate } from '../support/own-certificate.ts'

export const startSec = 1_800_000_000

/** The certificate of a client, good for a day around the start. */
export function client(
  name: string,
  issuer: OwnCertificate | undefined,
  {
    purposes = [oids.clientAuth],
    more = [],
    uris = [`urn:acme:device:${name}`],
    fromSec = startSec - 86_400,
    untilSec = startSec + 86_400,
  } = {} as {
    readonly purposes?: readonly string[]
    readonly more?: readonly Extension[]
    readonly uris?: readonly string[]
    readonly fromSec?: number
    readonly untilSec?: number
  },
): OwnCertificate {
  const names = { uris: [...uris], dnsNames: [], ipAddresses: [], emails: [] }
  return ownCertificate(name, {
    ...(issuer === undefined ? {} : { issuer }),
    validity: { notBeforeSec: fromSec, notAfterSec: untilSec },
    extensions: [
      keyUsage(['digitalSignature']),
      extendedKeyUsage(purposes),
      ...(uris.length === 0 ? [] : [subjectAltName(names, false)]),
      ...more,
    ],
  })
}

export const policy = `identify:
  - name: acme-devices
    anchors: [acme]
    from: san.uri
    match: 'urn:acme:device:(?<id>[a-z0-9-]{1,32})'
    identity: '\${id}'
bindings:
  - roles: [own-topics]
    to: everyone
`

/** A verifier of the authority `acme` that looks at no revocations unless it is told where. */
export async function verifierFor(
  t: { after(end: () => void): void },
  acme: OwnCertificate,
  more: Partial<AuthoritiesOptions> = {},
): Promise<Verifier> {
  const verifier = await verifyByAuthorities({
    ...{ authorities: { acme: acme.pem }, policy, revocation: 'none', nowMs: () => startSec * 1000 },
    ...more,
  })
  t.after(() => verifier.close())
  return verifier
}

/** The id that was found, or the code of the refusal. */
export function outcome(verdict: Verdict): string {
  return verdict.admitted ? verdict.peer.identity.id : verdict.code
}
