/** Quarantine, and calls to renew. */
import * as example from '../examples.ts'
import { jsonBody, operation, optionalBody } from '../operation.ts'
import { callRenewalsRequest, releaseRequest, releaseView, renewalCallView } from '../renewals.ts'
import { deviceParams, emptyRequest } from '../requests.ts'

export const releaseDevice = operation({
  id: 'releaseDevice',
  act: 'certificate.release',
  method: 'POST',
  path: '/api/v1/devices/{id}/release',
  tag: 'devices',
  summary: 'Release a certificate from quarantine',
  description:
    'Gives a certificate that was renewed in doubt the rights of its device. Sessions that it has are closed, so that the device comes back with them. Others of the same profile that wait beside it are revoked.',
  params: deviceParams,
  body: optionalBody(releaseRequest, {}),
  answer: {
    kind: 'json',
    status: 200,
    description: 'What it did.',
    schema: releaseView,
    example: example.released,
  },
  keyed: true,
  tagged: true,
  failures: ['identity-id-invalid', 'identity-not-found', 'nothing-quarantined', 'release-ambiguous'],
})

export const callDevice = operation({
  id: 'callDevice',
  act: 'device.renew',
  method: 'POST',
  path: '/api/v1/devices/{id}/renew',
  tag: 'devices',
  summary: 'Call a device to renew',
  description:
    'Its renewal windows are over from now on, until it has another certificate. It hears of it when it asks for its renewal information next.',
  params: deviceParams,
  body: optionalBody(emptyRequest, {}),
  answer: {
    kind: 'json',
    status: 200,
    description: 'The call.',
    schema: renewalCallView,
    example: example.renewalCall,
  },
  keyed: true,
  failures: ['identity-id-invalid', 'identity-not-found'],
})

export const callRenewals = operation({
  id: 'callRenewals',
  act: 'device.renew',
  method: 'POST',
  path: '/api/v1/renewals',
  tag: 'devices',
  summary: 'Call many devices to renew',
  description:
    'The same for a group, or for all that an authority has signed, as after an incident. Devices come as they ask, which spreads them over the time that they were told to wait.',
  body: jsonBody(callRenewalsRequest, { group: 'line-2' }),
  answer: {
    kind: 'json',
    status: 200,
    description: 'The call.',
    schema: renewalCallView,
    example: { ...example.renewalCall, called: 'line-2' },
  },
  keyed: true,
  failures: ['not-found', 'group-forbids'],
})
