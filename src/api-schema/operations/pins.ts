/** Pinned certificates: those that devices make themselves. */
import { jsonBody, operation, optionalBody } from '../operation.ts'
import { addPinRequest, type PinView, pinListView, pinParams, pinView } from '../pins.ts'
import { deviceParams, emptyRequest } from '../requests.ts'

const example: PinView = {
  deviceId: 'meadow-1',
  slot: 'primary',
  fingerprint: '3b'.repeat(32),
  subject: 'CN=meadow-1',
  notBefore: '2026-11-01T00:00:00.000Z',
  notAfter: '2026-12-01T00:00:00.000Z',
  datesCount: false,
  createdAt: '2026-11-25T08:00:00.000Z',
  usedAt: null,
}
const examplePem = '-----BEGIN CERTIFICATE-----\nMIIB…\n-----END CERTIFICATE-----\n'

export const listPins = operation({
  id: 'listPins',
  act: 'device.read',
  method: 'GET',
  path: '/api/v1/devices/{id}/pins',
  tag: 'devices',
  summary: 'List the pinned certificates of a device',
  description: 'The primary one first.',
  params: deviceParams,
  answer: {
    kind: 'json',
    status: 200,
    description: 'Those there are.',
    schema: pinListView,
    example: { items: [example] },
  },
  failures: ['identity-id-invalid', 'identity-not-found'],
})

export const addPin = operation({
  id: 'addPin',
  act: 'pin.change',
  method: 'POST',
  path: '/api/v1/devices/{id}/pins',
  tag: 'devices',
  summary: 'Pin a certificate',
  description:
    'From now on whoever shows this certificate, and so holds its key, is this device. Of two slots one is exchanged while the other works.',
  params: deviceParams,
  body: jsonBody(addPinRequest, { certificate: examplePem, datesCount: false }),
  answer: { kind: 'json', status: 201, description: 'It is pinned.', schema: pinView, example },
  keyed: true,
  failures: [
    ...(['identity-id-invalid', 'identity-not-found', 'identity-retired'] as const),
    ...(['certificate-unreadable', 'pin-refused', 'pin-exists', 'renewal-key-compromised'] as const),
  ],
})

export const removePin = operation({
  id: 'removePin',
  act: 'pin.change',
  method: 'POST',
  path: '/api/v1/devices/{id}/pins/{slot}/remove',
  tag: 'devices',
  summary: 'Remove a pinned certificate',
  description: 'It opens nothing any more, and sessions that it opened close.',
  params: pinParams,
  body: optionalBody(emptyRequest, {}),
  answer: { kind: 'json', status: 200, description: 'It is removed; this is what it was.', schema: pinView, example },
  keyed: true,
  failures: ['identity-id-invalid', 'identity-not-found', 'pin-not-found'],
})
