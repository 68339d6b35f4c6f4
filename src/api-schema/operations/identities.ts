/** Services and people: registering, finding, giving and taking access. One set of operations, for each of the two kinds. */
import * as example from '../examples.ts'
import {
  editIdentityRequest,
  identityChangeView,
  identityDetailView,
  identityListQuery,
  identityPageView,
  identityView,
  registerIdentityRequest,
} from '../identities.ts'
import { jsonBody, operation, optionalBody } from '../operation.ts'
import { createTokenRequest, deviceParams, emptyRequest, revokeRequest } from '../requests.ts'
import { bootstrapView } from '../views.ts'

interface Kind {
  readonly kind: 'service' | 'user'
  readonly tag: 'services' | 'users'
  /** As an operation calls it. */
  readonly noun: 'Service' | 'User'
  readonly words: string
  readonly changing: 'service.change' | 'user.change'
  readonly identity: typeof example.service
}

function operationsOf({ kind, tag, noun, words, changing, identity }: Kind) {
  const path = `/api/v1/${tag}`
  const ofOne = ['identity-id-invalid', 'identity-not-found'] as const
  const changed = { identity: { ...identity, state: 'disabled', version: 2 }, revoked: [] } as const
  const stateChange = (act: string, id: string, summary: string, description: string) =>
    operation({
      id,
      act: changing,
      method: 'POST',
      path: `${path}/{id}/${act}`,
      tag,
      summary,
      description,
      params: deviceParams,
      body: optionalBody(emptyRequest, {}),
      answer: {
        kind: 'json',
        status: 200,
        description: 'What it did; one that is in that state already stays as it is.',
        schema: identityChangeView,
        example: changed as never,
      },
      keyed: true,
      tagged: true,
      failures: [...ofOne, 'transition-illegal', 'identity-of-hub'],
    })
  return {
    kind,
    register: operation({
      id: `register${noun}`,
      act: changing,
      method: 'POST',
      path,
      tag,
      summary: `Register ${words}`,
      description: `Registers ${words} with its names. Certificates for it are ordered with \`issueCertificate\`.`,
      body: jsonBody(registerIdentityRequest, {
        id: identity.id,
        dnsNames: [...identity.dnsNames],
        ipAddresses: [...identity.ipAddresses],
        emails: [...identity.emails],
      }),
      answer: { kind: 'json', status: 201, description: 'It is registered.', schema: identityView, example: identity },
      keyed: true,
      tagged: true,
      failures: [
        'identity-id-invalid',
        'identity-exists',
        'identity-of-hub',
        'name-invalid',
        'profile-not-found',
        'profile-not-granted',
      ],
    }),
    list: operation({
      id: `list${noun}s`,
      act: 'user.read',
      method: 'GET',
      path,
      tag,
      summary: `List ${tag}`,
      description:
        'In ascending order of their ids (by code points), page by page. All filters that are given must hold. A page may have fewer rows than `limit`, even none, while `next` is not null.',
      query: identityListQuery,
      answer: {
        kind: 'json',
        status: 200,
        description: 'A page.',
        schema: identityPageView,
        example: { items: [identity], next: null },
      },
      failures: ['cursor-invalid'],
    }),
    show: operation({
      id: `show${noun}`,
      act: 'user.read',
      method: 'GET',
      path: `${path}/{id}`,
      tag,
      summary: `Show ${words} with its certificates`,
      description: 'The ETag is `"<version>.<certificates>"`, as with `showDevice`.',
      params: deviceParams,
      answer: {
        kind: 'json',
        status: 200,
        description: 'It, and its certificates.',
        schema: identityDetailView,
        example: { identity, credentials: [example.credentialOf(identity)] },
      },
      tagged: true,
      failures: ofOne,
    }),
    edit: operation({
      id: `edit${noun}`,
      act: changing,
      method: 'PATCH',
      path: `${path}/{id}`,
      tag,
      summary: `Edit ${words}`,
      description:
        'A JSON merge patch (RFC 7396), with `If-Match` as for `editDevice`. Certificates that were issued keep the names that they have.',
      params: deviceParams,
      body: {
        ...jsonBody(editIdentityRequest, { group: 'line-3', profiles: [...identity.profiles] }),
        types: ['application/merge-patch+json', 'application/json'],
      },
      answer: {
        kind: 'json',
        status: 200,
        description: 'It, as it is now.',
        schema: identityView,
        example: { ...identity, group: 'line-3', version: 2 },
      },
      keyed: true,
      conditional: true,
      tagged: true,
      failures: [
        ...ofOne,
        'identity-retired',
        'identity-of-hub',
        'name-invalid',
        'profile-not-found',
        'profile-not-granted',
      ],
    }),
    disable: stateChange(
      'disable',
      `disable${noun}`,
      `Disable ${words}`,
      'Closes its live connections and refuses new ones until it is enabled again. Its certificates stay good.',
    ),
    enable: stateChange(
      'enable',
      `enable${noun}`,
      `Enable ${words}`,
      'Lets it back in. Certificates that were revoked meanwhile stay revoked.',
    ),
    retire: stateChange(
      'retire',
      `retire${noun}`,
      `Retire ${words}`,
      'Ends it for good: its certificates are revoked, and its id is never used again.',
    ),
    revoke: operation({
      id: `revoke${noun}`,
      act: changing,
      method: 'POST',
      path: `${path}/{id}/revoke`,
      tag,
      summary: `Revoke ${words}`,
      description: 'Takes its access away now: its certificates are revoked and it is disabled, in one transaction.',
      params: deviceParams,
      body: optionalBody(revokeRequest, { reason: 'cessationOfOperation' }),
      answer: {
        kind: 'json',
        status: 200,
        description: 'What it did; nothing where all was revoked already.',
        schema: identityChangeView,
        example: changed as never,
      },
      keyed: true,
      tagged: true,
      failures: [...ofOne, 'identity-of-hub'],
    }),
  } as const
}

/** A gate on another machine enrols with one. */
export const createServiceToken = operation({
  id: 'createServiceToken',
  act: 'service.change',
  method: 'POST',
  path: '/api/v1/services/{id}/tokens',
  tag: 'services',
  summary: 'Make an enrolment token for a service',
  description:
    'For a service that keeps its key to itself and enrols over EST, as `handfast gate` does. Its earlier tokens end. The token is for one certificate of a profile that the service is granted.',
  params: deviceParams,
  body: optionalBody(createTokenRequest, { tokenProfile: 'gate', tokenLifetimeSec: 3_600 }),
  answer: {
    kind: 'json',
    status: 201,
    description: 'The token; `device` is the service.',
    schema: bootstrapView,
    example: example.bootstrap,
  },
  keyed: true,
  tagged: true,
  failures: [
    'identity-id-invalid',
    'identity-not-found',
    'identity-of-hub',
    'identity-disabled',
    'identity-retired',
    'profile-not-found',
    'profile-not-granted',
  ],
})

export type IdentityOperations = ReturnType<typeof operationsOf>

export const services: IdentityOperations = operationsOf({
  kind: 'service',
  tag: 'services',
  noun: 'Service',
  words: 'a service',
  changing: 'service.change',
  identity: example.service,
})

export const users: IdentityOperations = operationsOf({
  kind: 'user',
  tag: 'users',
  noun: 'User',
  words: 'a person',
  changing: 'user.change',
  identity: example.user,
})

/** In the order of the document. */
export function allOf({ kind: _kind, ...operations }: IdentityOperations) {
  return Object.values(operations)
}
