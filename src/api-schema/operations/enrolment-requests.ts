/** Keys that wait for an operator's approval. */
import * as example from '../examples.ts'
import { operation, optionalBody } from '../operation.ts'
import { decideEnrolmentRequest, deviceParams, enrolmentRequestListQuery } from '../requests.ts'
import { enrolmentDecisionView, enrolmentRequestPageView } from '../views.ts'

export const listEnrolmentRequests = operation({
  id: 'listEnrolmentRequests',
  act: 'device.read',
  method: 'GET',
  path: '/api/v1/enrolment-requests',
  tag: 'devices',
  summary: 'List keys that wait for approval',
  description:
    'Devices that have asked for a certificate with a token or for a profile that needs approval, oldest first. The words are the leading 66 bits of the SHA-256 of the public key (SubjectPublicKeyInfo in DER), as six words of the English list of BIP-39; the device shows the same ones. A page may have fewer rows than `limit`, even none, while `next` is not null.',
  query: enrolmentRequestListQuery,
  answer: {
    kind: 'json',
    status: 200,
    description: 'A page.',
    schema: enrolmentRequestPageView,
    example: { items: [example.enrolmentRequest], next: null },
  },
  failures: ['cursor-invalid'],
})

const ofOneDevice = [
  'identity-id-invalid',
  'identity-not-found',
  'enrolment-request-not-found',
  'key-words-wrong',
] as const

export const approveEnrolment = operation({
  id: 'approveEnrolment',
  act: 'device.approve',
  method: 'POST',
  path: '/api/v1/devices/{id}/approve',
  tag: 'devices',
  summary: 'Approve the key that waits for a device',
  description:
    'The next request of this key is answered with a certificate. Give the words that the device shows, and they are compared; without them the comparison is yours, and several keys that wait are refused. Other keys that came with the same token are refused with it.',
  params: deviceParams,
  body: optionalBody(decideEnrolmentRequest, { words: example.enrolmentRequest.words }),
  answer: {
    kind: 'json',
    status: 200,
    description: 'It is approved.',
    schema: enrolmentDecisionView,
    example: { requests: [{ ...example.enrolmentRequest, state: 'approved', decidedAt: '2026-11-21T12:06:00.000Z' }] },
  },
  keyed: true,
  failures: [...ofOneDevice, 'key-words-needed'],
})

export const refuseEnrolment = operation({
  id: 'refuseEnrolment',
  act: 'device.approve',
  method: 'POST',
  path: '/api/v1/devices/{id}/refuse',
  tag: 'devices',
  summary: 'Refuse keys that wait for a device',
  description:
    'All that wait, or the one with these words. The token lives on: to end it as well, make another one with `createToken`.',
  params: deviceParams,
  body: optionalBody(decideEnrolmentRequest, {}),
  answer: {
    kind: 'json',
    status: 200,
    description: 'They are refused.',
    schema: enrolmentDecisionView,
    example: { requests: [{ ...example.enrolmentRequest, state: 'refused', decidedAt: '2026-11-21T12:06:00.000Z' }] },
  },
  keyed: true,
  failures: ofOneDevice,
})
