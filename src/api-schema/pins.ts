/** Pinned certificates as the admin API takes and shows them. */
import { z } from 'zod'
import { pinSlots } from '../core/identity/proof.ts'
import { limits } from '../core/limits.ts'
import { answerNamed, requestNamed } from './components.ts'
import { deviceId } from './requests.ts'

const time = (description: string) => z.string().meta({ format: 'date-time', description })
const slot = z.enum(pinSlots)

export const pinParams = z.strictObject({ id: deviceId, slot: slot.meta({ description: 'which of the two' }) })

/** POST /api/v1/devices/:id/pins → 201 PinView */
export const addPinRequest = requestNamed(
  'AddPinRequest',
  'A certificate that a device made itself.',
  z.strictObject({
    certificate: z.string().min(1).max(limits.keyFileCharsMax).meta({ description: 'one certificate in PEM' }),
    slot: slot.default('primary'),
    datesCount: z.boolean().default(true).meta({ description: 'false where its dates are not looked at' }),
    replace: z.boolean().default(false).meta({ description: 'whether what is in the slot may go at once' }),
  }),
)
export type AddPinRequest = z.input<typeof addPinRequest>

export const pinView = answerNamed(
  'PinnedCertificate',
  'A certificate that speaks for a device because it was written down.',
  z.strictObject({
    deviceId,
    slot,
    fingerprint: z.string().meta({ description: 'SHA-256 of the certificate, lower-case hexadecimal' }),
    subject: z.string(),
    notBefore: time('first good second'),
    notAfter: time('last good second'),
    datesCount: z.boolean().meta({ description: 'false where these are not looked at' }),
    createdAt: time('when it was written down'),
    usedAt: time('its first use').nullable(),
  }),
)
export type PinView = z.output<typeof pinView>

export const pinListView = answerNamed(
  'PinnedCertificateList',
  'The pinned certificates of a device, at most two.',
  z.strictObject({ items: z.array(pinView) }),
)
export type PinListView = z.output<typeof pinListView>
