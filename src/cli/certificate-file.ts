/** The file of a certificate that a command is given. */
import { HubError, quote } from '../core/errors.ts'
import { limits } from '../core/limits.ts'
import { decodePem, encodePem } from '../core/x509/pem.ts'
import { readSmallBytes } from './whole-file.ts'

/**
 * All certificates of a file in PEM, in their order. What stands beside them, such as a key, does not leave the machine.
 *
 * @throws HubError `usage` where there is none, `certificate-unreadable`
 */
export function certificatesIn(file: string, bytesMax: number): string {
  const bytes = readSmallBytes(file, bytesMax)
  if (bytes[0] === 0x30) return encodePem('CERTIFICATE', bytes)
  const blocks = decodePem(bytes.toString('utf8'))
  const held = blocks.filter(({ label }) => label === 'CERTIFICATE')
  if (held.length > 0) return held.map(({ der }) => encodePem('CERTIFICATE', der)).join('')
  const isKey = blocks.some(({ label }) => label.endsWith('PRIVATE KEY'))
  throw new HubError(
    'usage',
    `the file ${quote(file)} holds ${isKey ? 'a key and no certificate' : 'no certificate'}`,
    {
      hint: 'name the file of a certificate, PEM or DER; keys stay where they are',
    },
  )
}

/**
 * One certificate in PEM, whatever the file holds. What stands beside it, such as its key, does not leave the machine.
 *
 * @throws HubError `usage`, `certificate-unreadable`
 */
export function certificateIn(file: string): string {
  const bytes = readSmallBytes(file, limits.keyFileCharsMax)
  if (bytes[0] === 0x30) return encodePem('CERTIFICATE', bytes)
  const blocks = decodePem(bytes.toString('utf8'))
  const held = blocks.filter(({ label }) => label === 'CERTIFICATE')
  const [only] = held
  if (only !== undefined && held.length === 1) return encodePem('CERTIFICATE', only.der)
  const isKey = blocks.some(({ label }) => label.endsWith('PRIVATE KEY'))
  const what =
    held.length > 1
      ? `${held.length} certificates, and one is wanted`
      : isKey
        ? 'a key and no certificate'
        : 'no certificate'
  throw new HubError('usage', `the file ${quote(file)} holds ${what}`, {
    hint: 'name the file of one certificate, PEM or DER',
  })
}
