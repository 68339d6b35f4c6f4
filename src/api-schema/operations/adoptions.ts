/** Adopting what the journal gave back after a restored backup. */
import * as example from '../examples.ts'
import { operation, optionalBody } from '../operation.ts'
import { adoptionListQuery, deviceParams, emptyRequest } from '../requests.ts'
import { adoptedView, adoptionPageView } from '../views.ts'

export const listAdoptions = operation({
  id: 'listAdoptions',
  act: 'adoption.read',
  method: 'GET',
  path: '/api/v1/adoptions',
  tag: 'devices',
  summary: 'List devices that wait for adoption',
  description:
    'After a restored backup: devices and certificates that were given access since the backup and not taken it again. They are refused until they are adopted. In ascending order of ids.',
  query: adoptionListQuery,
  answer: {
    kind: 'json',
    status: 200,
    description: 'A page. It is empty where nothing was restored, and once everything is adopted.',
    schema: adoptionPageView,
    example: { items: [example.adoption], next: null },
  },
  failures: ['cursor-invalid', 'identity-id-invalid'],
})

export const adoptDevice = operation({
  id: 'adoptDevice',
  act: 'device.adopt',
  method: 'POST',
  path: '/api/v1/devices/{id}/adopt',
  tag: 'devices',
  summary: 'Adopt a device',
  description:
    'The device becomes what the journal says it was last, and connects with the certificates that it has. What was changed since the restore stays as it is.',
  params: deviceParams,
  body: optionalBody(emptyRequest, {}),
  answer: {
    kind: 'json',
    status: 200,
    description: 'It is adopted.',
    schema: adoptedView,
    example: example.adopted,
  },
  keyed: true,
  tagged: true,
  failures: ['identity-id-invalid', 'nothing-to-adopt'],
})
