/**
 * The answer of `serverkeygen`: the key and its certificate (RFC 7030 §4.4.2).
 *
 * Where the client sends a passphrase along, the key is encrypted in the form that the readers of its profile know: PKCS#8
 * with PBES2 (RFC 8351), or traditional PEM for mbedTLS. The ways of RFC 7030 §4.4.1 put it into a CMS EnvelopedData, which
 * hardly a device opens; a request that asks for one of them is refused.
 */
import type { IncomingHttpHeaders } from 'node:http'
import { HubError } from '../../core/errors.ts'
import { keyFile, keyFormFor, privateKeyInfo } from '../../core/key-file/key-file.ts'
import { type KeyPassphrase, parseKeyPassphrase } from '../../core/key-file/passphrase.ts'
import type { Profile } from '../../core/profile/profile.ts'
import { Secret } from '../../core/secret.ts'
import type { CertificateRequest } from '../../core/x509/certificate-request.ts'
import { oidName, oids } from '../../core/x509/oids.ts'
import { decodePem } from '../../core/x509/pem.ts'
import { certsOnly } from '../../core/x509/pkcs7.ts'
import type { Random } from '../../hub/ports/random.ts'
import type { ServerKey } from '../../hub/server-key.ts'
import { base64Lines } from './base64.ts'
import { type BodyPart, type Multipart, multipartMixed } from './multipart.ts'

/** The header that carries the passphrase, in lower case. */
const passphraseHeader = 'handfast-key-passphrase'

/** @throws HubError `key-passphrase-unusable` */
export function keyPassphraseOf(headers: IncomingHttpHeaders): KeyPassphrase | null {
  const value = headers[passphraseHeader]
  return typeof value === 'string' ? parseKeyPassphrase(new Secret(value)) : null
}

/** @throws HubError `server-key-encryption-unsupported` */
export function assertNoEnvelopeAsked({ otherAttributes }: CertificateRequest): void {
  const asked = [oids.decryptKeyIdentifier, oids.asymmetricDecryptKeyIdentifier].find((oid) =>
    otherAttributes.includes(oid),
  )
  if (asked === undefined) return
  throw new HubError('server-key-encryption-unsupported', `the request asks for a key encrypted by ${oidName(asked)}`)
}

export interface KeyAndCertificate {
  readonly serverKey: ServerKey
  /** In DER. */
  readonly certificate: Uint8Array
  readonly profile: Pick<Profile, 'compatibility'>
  readonly passphrase: KeyPassphrase | null
}

/** Key first, then certificate. */
export function serverKeyAnswer({ random }: { readonly random: Random }, given: KeyAndCertificate): Multipart {
  const certificate: BodyPart = {
    type: 'application/pkcs7-mime; smime-type=certs-only',
    encoding: 'base64',
    content: base64Lines(certsOnly([given.certificate])),
  }
  return multipartMixed([keyPart(random, given), certificate], Buffer.from(random.bytes(16)).toString('hex'))
}

function keyPart(random: Random, { serverKey, profile, passphrase }: KeyAndCertificate): BodyPart {
  const { privateKey } = serverKey
  if (passphrase === null) {
    return { type: 'application/pkcs8', encoding: 'base64', content: base64Lines(privateKeyInfo(privateKey)) }
  }
  const form = keyFormFor(profile.compatibility)
  const pem = keyFile(privateKey, form, passphrase, (count) => random.bytes(count)).reveal()
  if (form === 'traditional') {
    return { type: 'application/x-pem-file', encoding: '7bit', content: pem.replaceAll('\n', '\r\n') }
  }
  const [block] = decodePem(pem, 'internal')
  return {
    type: 'application/pkcs8-encrypted',
    encoding: 'base64',
    content: base64Lines(block?.der ?? new Uint8Array()),
  }
}
