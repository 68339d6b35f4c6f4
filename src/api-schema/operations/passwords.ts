/** Passwords of identities, for clients without a certificate. */
import * as example from '../examples.ts'
import { jsonBody, operation, optionalBody } from '../operation.ts'
import {
  newPasswordView,
  passwordListView,
  passwordParams,
  revokePasswordsRequest,
  setPasswordRequest,
} from '../passwords.ts'

const ofOneIdentity = ['identity-id-invalid', 'identity-not-found'] as const

export const listPasswords = operation({
  id: 'listPasswords',
  act: 'password.read',
  method: 'GET',
  path: '/api/v1/identities/{id}/passwords',
  tag: 'access',
  summary: 'List the passwords of an identity',
  description: 'Newest first, without their texts, which are not kept.',
  params: passwordParams,
  answer: {
    kind: 'json',
    status: 200,
    description: 'The passwords.',
    schema: passwordListView,
    example: { items: [example.password] },
  },
  failures: ofOneIdentity,
})

export const setPassword = operation({
  id: 'setPassword',
  act: 'password.change',
  method: 'POST',
  path: '/api/v1/identities/{id}/passwords',
  tag: 'access',
  summary: 'Give an identity a password',
  description:
    'For listeners where clients may come without a certificate: the user name is the id. The text is in the answer and cannot be had again. The password in use connects until this one was used, and a day longer; one that was never used ends now.',
  params: passwordParams,
  body: optionalBody(setPasswordRequest, {}),
  answer: {
    kind: 'json',
    status: 201,
    description: 'The password.',
    schema: newPasswordView,
    example: { password: example.password, text: 'b0Zr9nVq2uXwT5kYh8LmPcDa' },
  },
  keyed: true,
  transacts: true,
  failures: [...ofOneIdentity, 'identity-retired', 'identity-of-hub', 'password-unusable', 'passwords-busy'],
})

export const revokePasswords = operation({
  id: 'revokePasswords',
  act: 'password.change',
  method: 'POST',
  path: '/api/v1/identities/{id}/passwords/revoke',
  tag: 'access',
  summary: 'End passwords of an identity',
  description: 'Now: sessions that were made with them close.',
  params: passwordParams,
  body: jsonBody(revokePasswordsRequest, { password: '0123456789abcdef' }),
  answer: {
    kind: 'json',
    status: 200,
    description: 'Those that were ended.',
    schema: passwordListView,
    example: { items: [{ ...example.password, state: 'ended', endsAt: '2026-11-02T08:00:00.000Z' }] },
  },
  keyed: true,
  failures: [...ofOneIdentity, 'password-not-found'],
})
