/** Profiles: what certificates are made from. */
import { deviceProfile } from '../../core/profile/built-in.ts'
import { jsonBody, operation, optionalBody } from '../operation.ts'
import {
  addProfileRequest,
  changeProfileRequest,
  type ProfileView,
  profileListView,
  profileParams,
  profileView,
  toDefinition,
} from '../profiles.ts'
import { emptyRequest } from '../requests.ts'

const exampleRequest = {
  name: 'plc',
  description: 'controllers: TLS client and server, as Azure tutorials want them',
  kinds: ['device' as const],
  names: { dns: { patterns: ['{id}.{attr.site}.plant.example'] } },
  keyUsage: ['digitalSignature' as const, 'keyEncipherment' as const],
  extendedKeyUsage: ['clientAuth', 'serverAuth'],
  lifetimeSec: 864_000,
  keyTypes: ['RSA-4096' as const],
}

const exampleBuiltIn: ProfileView = {
  builtIn: true,
  version: 1,
  updatedAt: null,
  definition: toDefinition(deviceProfile),
}

const exampleOwn: ProfileView = {
  builtIn: false,
  version: 1,
  updatedAt: '2026-11-25T08:00:00.000Z',
  definition: {
    ...exampleBuiltIn.definition,
    ...exampleRequest,
    names: {
      ...exampleBuiltIn.definition.names,
      dns: { patterns: exampleRequest.names.dns.patterns, registry: false, requester: [] },
    },
    lifetimeMaxSec: 864_000,
  },
}

export const listProfiles = operation({
  id: 'listProfiles',
  act: 'profile.read',
  method: 'GET',
  path: '/api/v1/profiles',
  tag: 'certificates',
  summary: 'List profiles',
  description: 'Every profile that an identity can be granted.',
  answer: {
    kind: 'json',
    status: 200,
    description: 'The profiles.',
    schema: profileListView,
    example: { items: [exampleBuiltIn, exampleOwn] },
  },
})

export const showProfile = operation({
  id: 'showProfile',
  act: 'profile.read',
  method: 'GET',
  path: '/api/v1/profiles/{name}',
  tag: 'certificates',
  summary: 'Show a profile',
  description: 'Under `definition` stands what can be added under another name.',
  params: profileParams,
  answer: { kind: 'json', status: 200, description: 'The profile.', schema: profileView, example: exampleOwn },
  tagged: true,
  failures: ['profile-not-found'],
})

export const addProfile = operation({
  id: 'addProfile',
  act: 'profile.change',
  method: 'POST',
  path: '/api/v1/profiles',
  tag: 'certificates',
  summary: 'Add a profile',
  description: 'It makes nothing by itself: identities are granted it, and then their tokens and renewals can name it.',
  body: jsonBody(addProfileRequest, exampleRequest),
  answer: { kind: 'json', status: 201, description: 'It is added.', schema: profileView, example: exampleOwn },
  keyed: true,
  tagged: true,
  failures: ['profile-invalid', 'profile-built-in', 'profile-exists', 'profiles-too-many'],
})

export const changeProfile = operation({
  id: 'changeProfile',
  act: 'profile.change',
  method: 'PATCH',
  path: '/api/v1/profiles/{name}',
  tag: 'certificates',
  summary: 'Change a profile',
  description:
    'It holds for every certificate that is made from then on; those that were made keep what they say. It says with `If-Match` from which version it was made. Name and `mayConnect` stay.',
  params: profileParams,
  body: {
    ...jsonBody(changeProfileRequest, { lifetimeSec: 432_000 }),
    types: ['application/merge-patch+json', 'application/json'],
  },
  answer: {
    kind: 'json',
    status: 200,
    description: 'The profile as it is now.',
    schema: profileView,
    example: { ...exampleOwn, version: 2, definition: { ...exampleOwn.definition, lifetimeSec: 432_000 } },
  },
  keyed: true,
  conditional: true,
  tagged: true,
  failures: ['profile-not-found', 'profile-built-in', 'profile-invalid'],
})

export const removeProfile = operation({
  id: 'removeProfile',
  act: 'profile.change',
  method: 'POST',
  path: '/api/v1/profiles/{name}/remove',
  tag: 'certificates',
  summary: 'Remove a profile',
  description: 'Of your own, which nobody is granted any more and of which no certificate is good any more.',
  params: profileParams,
  body: optionalBody(emptyRequest, {}),
  answer: {
    kind: 'json',
    status: 200,
    description: 'It is removed; this is what it was.',
    schema: profileView,
    example: exampleOwn,
  },
  keyed: true,
  failures: ['profile-not-found', 'profile-built-in', 'profile-in-use'],
})
