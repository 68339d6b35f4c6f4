/** Certificates by serial number, what the hub has recorded, and the hub itself. */
import * as example from '../examples.ts'
import { operation, optionalBody } from '../operation.ts'
import { hubStatusView } from '../renewals.ts'
import { auditChainQuery, auditListQuery, credentialParams, revokeRequest } from '../requests.ts'
import { auditChainView, auditHeadView, auditPageView, deviceChangeView } from '../views.ts'

export const revokeCertificate = operation({
  id: 'revokeCertificate',
  act: 'certificate.revoke',
  method: 'POST',
  path: '/api/v1/credentials/{serial}/revoke',
  tag: 'certificates',
  summary: 'Revoke one certificate',
  description:
    'Revokes it and closes its connections; its device stays as it is. For `keyCompromise` and `privilegeWithdrawn` all that was renewed from it goes too, and for `keyCompromise` every certificate of the device with the same key. Its other certificates stay.',
  params: credentialParams,
  body: optionalBody(revokeRequest, { reason: 'superseded' }),
  answer: {
    kind: 'json',
    status: 200,
    description: 'What it did; nothing where it was revoked already.',
    schema: deviceChangeView,
    example: example.revokedCertificate,
  },
  keyed: true,
  tagged: true,
  failures: ['credential-not-found'],
})

export const listAudit = operation({
  id: 'listAudit',
  act: 'audit.read',
  method: 'GET',
  path: '/api/v1/audit',
  tag: 'records',
  summary: 'List acts',
  description: 'Every act that changed something, with its actor, newest first.',
  query: auditListQuery,
  answer: {
    kind: 'json',
    status: 200,
    description: 'A page.',
    schema: auditPageView,
    example: { items: [example.auditEntry], next: null },
  },
  failures: ['cursor-invalid'],
})

export const listAuditChain = operation({
  id: 'listAuditChain',
  act: 'audit.read',
  method: 'GET',
  path: '/api/v1/audit/chain',
  tag: 'records',
  summary: 'List acts in the order of their chain',
  description:
    'Entries of the audit log, oldest first, and the head of the log. To read all of it, ask again with `since` set to the number of the last entry until that is the head.',
  query: auditChainQuery,
  answer: {
    kind: 'json',
    status: 200,
    description: 'Entries that follow each other without gaps.',
    schema: auditChainView,
    example: { items: [example.auditEntry], head: example.auditHead },
  },
})

export const showAuditHead = operation({
  id: 'showAuditHead',
  act: 'audit.read',
  method: 'GET',
  path: '/api/v1/audit/head',
  tag: 'records',
  summary: 'Show the head of the audit log',
  description:
    'Number and hash of the newest entry. Keep it where the hub cannot reach: it proves all entries before it.',
  answer: { kind: 'json', status: 200, description: 'The head.', schema: auditHeadView, example: example.auditHead },
})

export const showHub = operation({
  id: 'showHub',
  act: 'hub.read',
  method: 'GET',
  path: '/api/v1/hub',
  tag: 'hub',
  summary: 'Show the hub',
  description: 'Names, addresses, root certificates, how many sessions live now, and what asks for an operator.',
  answer: { kind: 'json', status: 200, description: 'The hub.', schema: hubStatusView, example: example.hubStatus },
})

export const showDocument = operation({
  id: 'showDocument',
  act: null,
  method: 'GET',
  path: '/api/openapi.json',
  tag: 'hub',
  summary: 'This document',
  description:
    'It needs no key: it says what the API is, as the sources of Handfast do, and nothing of what the hub holds.',
  permission: 'anybody',
  answer: {
    kind: 'text',
    status: 200,
    description: 'An OpenAPI 3.1 document.',
    types: { 'application/json': { description: 'OpenAPI 3.1', example: '{"openapi":"3.1.1"}' } },
  },
  tagged: true,
})
