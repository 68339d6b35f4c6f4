import { HubError, quote } from '../../core/errors.ts'
import type { SerialNumber } from '../../core/identity/credential.ts'

/**
 * A serial number as people paste it: upper or lower case, with or without colons.
 *
 * @throws HubError `request-invalid`
 */
export function parseSerial(text: string): SerialNumber {
  const serial = text.replaceAll(':', '').toLowerCase()
  if (/^(?:[0-9a-f]{2}){1,20}$/.test(serial)) return serial
  throw new HubError('request-invalid', `${quote(text)} is not a serial number`, {
    hint: 'give it in hexadecimal, as `handfast device show <id>` prints it',
    faults: [{ in: 'path', pointer: '/serial', message: 'is not a serial number' }],
  })
}
