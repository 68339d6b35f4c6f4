/** Devices: registering, finding, editing, giving and taking access. */
import * as example from '../examples.ts'
import { jsonBody, operation, optionalBody } from '../operation.ts'
import {
  createTokenRequest,
  deviceListQuery,
  deviceParams,
  editDeviceRequest,
  emptyRequest,
  registerDeviceRequest,
  revokeRequest,
} from '../requests.ts'
import { bootstrapView, deviceChangeView, deviceDetailView, devicePageView, deviceView } from '../views.ts'

const ofOneDevice = ['identity-id-invalid', 'identity-not-found'] as const
const ofProfiles = ['profile-not-found', 'profile-not-granted'] as const
/** Profiles and names are an admin's to give. */
const ofGrants = [...ofProfiles, 'name-invalid', 'role-forbids'] as const

export const registerDevice = operation({
  id: 'registerDevice',
  act: 'device.register',
  method: 'POST',
  path: '/api/v1/devices',
  tag: 'devices',
  summary: 'Register a device',
  description:
    'Registers a device and makes its first enrolment token, as one act. The token is in the answer and cannot be had again; ask for another one with `createToken`. Profiles and names are for an admin to give; without them a device has the profile `device` and no names.',
  body: jsonBody(registerDeviceRequest, {
    id: 'pump-7',
    group: 'line-2',
    attributes: { site: 'hall-2' },
    tokenLifetimeSec: 86_400,
  }),
  answer: {
    kind: 'json',
    status: 201,
    description: 'It is registered.',
    schema: bootstrapView,
    example: example.bootstrap,
  },
  keyed: true,
  tagged: true,
  failures: [...ofGrants, 'identity-id-invalid', 'identity-exists', 'group-forbids'],
})

export const listDevices = operation({
  id: 'listDevices',
  act: 'device.read',
  method: 'GET',
  path: '/api/v1/devices',
  tag: 'devices',
  summary: 'List devices',
  description:
    'Devices in ascending order of their ids (by code points), page by page. All filters that are given must hold. A page may have fewer rows than `limit`, even none, while `next` is not null: with several filters the hub looks at a bounded number of rows for each page.',
  query: deviceListQuery,
  dotted: ['attr'],
  answer: {
    kind: 'json',
    status: 200,
    description: 'A page.',
    schema: devicePageView,
    example: { items: [example.device], next: null },
  },
  failures: ['cursor-invalid'],
})

export const showDevice = operation({
  id: 'showDevice',
  act: 'device.read',
  method: 'GET',
  path: '/api/v1/devices/{id}',
  tag: 'devices',
  summary: 'Show a device with its certificates',
  description:
    'The ETag is `"<version>.<certificates>"`: the version of the device, and after the dot something that changes with its certificates. An edit may send it as it is.',
  params: deviceParams,
  answer: {
    kind: 'json',
    status: 200,
    description: 'The device.',
    schema: deviceDetailView,
    example: example.deviceDetail,
  },
  tagged: true,
  failures: ofOneDevice,
})

export const editDevice = operation({
  id: 'editDevice',
  act: 'device.edit',
  method: 'PATCH',
  path: '/api/v1/devices/{id}',
  tag: 'devices',
  summary: 'Edit group, attributes, profiles and names of a device',
  description:
    'A JSON merge patch (RFC 7396). It says with `If-Match` from which version it was made, and is refused when somebody else was faster. A patch that changes nothing leaves the version as it is. Profiles and names are for an admin to give; a list takes the place of the list before.',
  params: deviceParams,
  body: {
    ...jsonBody(editDeviceRequest, { group: 'line-3', attributes: { site: null } }),
    types: ['application/merge-patch+json', 'application/json'],
  },
  answer: {
    kind: 'json',
    status: 200,
    description: 'The device as it is now.',
    schema: deviceView,
    example: example.edited,
  },
  keyed: true,
  conditional: true,
  tagged: true,
  failures: [...ofOneDevice, ...ofGrants, 'identity-retired', 'group-forbids'],
})

export const createToken = operation({
  id: 'createToken',
  act: 'device.request',
  method: 'POST',
  path: '/api/v1/devices/{id}/tokens',
  tag: 'devices',
  summary: 'Make another enrolment token',
  description: 'For a device that was reset, has lost its key or needs its next certificate. Its earlier tokens end.',
  params: deviceParams,
  body: optionalBody(createTokenRequest, { tokenLifetimeSec: 3_600 }),
  answer: {
    kind: 'json',
    status: 201,
    description: 'The token.',
    schema: bootstrapView,
    example: example.bootstrap,
  },
  keyed: true,
  tagged: true,
  failures: [...ofOneDevice, ...ofProfiles, 'identity-disabled', 'identity-retired'],
})

export const disableDevice = operation({
  ...stateChange('disable', example.disabled),
  id: 'disableDevice',
  act: 'device.control',
  summary: 'Disable a device',
  description:
    'Closes its live connections and refuses new ones until it is enabled again. Its certificates stay good.',
})

export const enableDevice = operation({
  ...stateChange('enable', example.enabled),
  id: 'enableDevice',
  act: 'device.control',
  summary: 'Enable a device',
  description: 'Lets a disabled device back in. Certificates that were revoked meanwhile stay revoked.',
})

export const retireDevice = operation({
  ...stateChange('retire', example.retired),
  id: 'retireDevice',
  act: 'device.retire',
  summary: 'Retire a device',
  description: 'Ends it for good: its certificates are revoked, its tokens end, and its id is never used again.',
})

export const revokeDevice = operation({
  id: 'revokeDevice',
  act: 'device.revoke',
  method: 'POST',
  path: '/api/v1/devices/{id}/revoke',
  tag: 'devices',
  summary: 'Revoke a device',
  description:
    'Takes its access away now: its certificates are revoked, its tokens end, its connections close and it is disabled, in one transaction.',
  params: deviceParams,
  body: optionalBody(revokeRequest, { reason: 'keyCompromise' }),
  answer: {
    kind: 'json',
    status: 200,
    description: 'What it did; nothing where all was revoked already.',
    schema: deviceChangeView,
    example: example.revoked,
  },
  keyed: true,
  tagged: true,
  failures: ofOneDevice,
})

/** What the three changes of state have in common. */
function stateChange(act: string, change: typeof example.disabled) {
  return {
    method: 'POST',
    path: `/api/v1/devices/{id}/${act}`,
    tag: 'devices',
    params: deviceParams,
    body: optionalBody(emptyRequest, {}),
    answer: {
      kind: 'json',
      status: 200,
      description: 'What it did; a device that is in that state already stays as it is.',
      schema: deviceChangeView,
      example: change,
    },
    keyed: true,
    tagged: true,
    failures: [...ofOneDevice, 'transition-illegal'],
  } as const
}
