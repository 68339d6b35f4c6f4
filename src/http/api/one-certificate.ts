/** A certificate in a request: one, in PEM. */
import { HubError } from '../../core/errors.ts'
import { decodePem } from '../../core/x509/pem.ts'

/** @throws HubError `certificate-unreadable` where the text holds none, or several */
export function onlyCertificate(pem: string): Uint8Array {
  const blocks = decodePem(pem).filter(({ label }) => label === 'CERTIFICATE')
  const [only] = blocks
  if (only !== undefined && blocks.length === 1) return only.der
  const what = only === undefined ? 'no certificate in PEM' : `${blocks.length} certificates, and one is wanted`
  throw new HubError('certificate-unreadable', `there is ${what}`, {
    hint: 'give one certificate that begins with -----BEGIN CERTIFICATE-----; no key belongs here',
  })
}
