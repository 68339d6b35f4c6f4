/** Who may use the API: keys, roles of people, and oneself. */
import {
  addKeyRequest,
  apiKeyListView,
  apiKeyView,
  callerView,
  grantRoleRequest,
  keyParams,
  newApiKeyView,
  personParams,
  personRolesView,
  withdrawRoleRequest,
} from '../access.ts'
import * as example from '../examples.ts'
import { jsonBody, operation, optionalBody } from '../operation.ts'
import { emptyRequest } from '../requests.ts'

export const showCaller = operation({
  id: 'showCaller',
  act: 'caller.read',
  method: 'GET',
  path: '/api/v1/caller',
  tag: 'access',
  summary: 'Show who asks',
  description: 'The key or person that this request comes from, with its roles and what they allow.',
  answer: { kind: 'json', status: 200, description: 'The caller.', schema: callerView, example: example.caller },
})

export const addKey = operation({
  id: 'addKey',
  act: 'key.add',
  method: 'POST',
  path: '/api/v1/keys',
  tag: 'access',
  summary: 'Make an API key',
  description:
    'The text of the key is in the answer and cannot be had again. Nobody gives more than they have: an admin makes every key, an owner makes requesters of its own groups, and what a key makes ends no later than itself.',
  body: jsonBody(addKeyRequest, {
    name: 'station-2',
    role: 'requester',
    groups: ['line-2'],
    mayRegister: true,
    lifetimeSec: 2_592_000,
  }),
  answer: { kind: 'json', status: 201, description: 'The key.', schema: newApiKeyView, example: example.newApiKey },
  keyed: true,
  failures: ['grant-exceeds', 'key-exists', 'keys-too-many'],
})

export const listKeys = operation({
  id: 'listKeys',
  act: 'access.read',
  method: 'GET',
  path: '/api/v1/keys',
  tag: 'access',
  summary: 'List API keys',
  description: 'Without their secrets, which are not kept. An owner sees the requesters of its own groups.',
  answer: {
    kind: 'json',
    status: 200,
    description: 'The keys.',
    schema: apiKeyListView,
    example: { items: [example.apiKey] },
  },
})

export const showKey = operation({
  id: 'showKey',
  act: 'access.read',
  method: 'GET',
  path: '/api/v1/keys/{name}',
  tag: 'access',
  summary: 'Show an API key',
  description: 'Its role, where it holds and when it ends; not its secret, which is not kept.',
  params: keyParams,
  answer: { kind: 'json', status: 200, description: 'The key.', schema: apiKeyView, example: example.apiKey },
  failures: ['key-not-found'],
})

export const removeKey = operation({
  id: 'removeKey',
  act: 'key.remove',
  method: 'POST',
  path: '/api/v1/keys/{name}/remove',
  tag: 'access',
  summary: 'Remove an API key',
  description:
    'It opens nothing from then on. The last admin key without an end stays, so that somebody can make another.',
  params: keyParams,
  body: optionalBody(emptyRequest, {}),
  answer: {
    kind: 'json',
    status: 200,
    description: 'It is removed; this is what it was.',
    schema: apiKeyView,
    example: example.apiKey,
  },
  keyed: true,
  failures: ['key-not-found', 'last-admin-key'],
})

const ofOnePerson = ['identity-id-invalid', 'identity-not-found'] as const

export const showRoles = operation({
  id: 'showRoles',
  act: 'access.read',
  method: 'GET',
  path: '/api/v1/users/{id}/roles',
  tag: 'access',
  summary: 'Show the roles of a person',
  description: 'An owner sees in which of its own groups the person is a requester.',
  params: personParams,
  answer: {
    kind: 'json',
    status: 200,
    description: 'The person.',
    schema: personRolesView,
    example: example.personRoles,
  },
  failures: ofOnePerson,
})

export const grantRole = operation({
  id: 'grantRole',
  act: 'role.grant',
  method: 'POST',
  path: '/api/v1/users/{id}/roles/grant',
  tag: 'access',
  summary: 'Give a person a role',
  description:
    'The person comes with its client certificate to the API over TLS. A role in more groups is added to what there is; a role that is there already stays, with `mayRegister` as it is given now.',
  params: personParams,
  body: jsonBody(grantRoleRequest, { role: 'owner', groups: ['line-2'] }),
  answer: {
    kind: 'json',
    status: 200,
    description: 'The person with its roles now.',
    schema: personRolesView,
    example: example.personRoles,
  },
  keyed: true,
  failures: [...ofOnePerson, 'identity-retired', 'grant-exceeds', 'keys-too-many'],
})

export const withdrawRole = operation({
  id: 'withdrawRole',
  act: 'role.withdraw',
  method: 'POST',
  path: '/api/v1/users/{id}/roles/withdraw',
  tag: 'access',
  summary: 'Take a role from a person',
  description:
    'In the groups that are named, or wholly for a role that knows no groups. It is over with the next request of the person, and stays so after a restored backup.',
  params: personParams,
  body: jsonBody(withdrawRoleRequest, { role: 'owner', groups: ['line-2'] }),
  answer: {
    kind: 'json',
    status: 200,
    description: 'The person with the roles that are left.',
    schema: personRolesView,
    example: { ...example.personRoles, roles: [] },
  },
  keyed: true,
  failures: [...ofOnePerson, 'role-not-held'],
})
