/** Attempts to connect and to enrol: one by one, as cases, as incidents. */
import { caseListQuery, casePageView, incidentListQuery, incidentPageView } from '../cases.ts'
import * as example from '../examples.ts'
import { operation } from '../operation.ts'
import { attemptListQuery } from '../requests.ts'
import { attemptPageView } from '../views.ts'

export const listAttempts = operation({
  id: 'listAttempts',
  act: 'attempt.read',
  method: 'GET',
  path: '/api/v1/attempts',
  tag: 'records',
  summary: 'List attempts to connect and to enrol',
  description:
    'Who tried to come in, and why it ended, newest first. To follow, ask with `order=oldest` and `since` set to the number of the newest attempt that was seen.',
  query: attemptListQuery,
  answer: {
    kind: 'json',
    status: 200,
    description: 'A page.',
    schema: attemptPageView,
    example: { items: [example.attempt], next: null },
  },
  failures: ['cursor-invalid'],
})

export const listCases = operation({
  id: 'listCases',
  act: 'attempt.read',
  method: 'GET',
  path: '/api/v1/attempts/cases',
  tag: 'records',
  summary: 'List refused attempts as cases',
  description:
    'Refusals of one device, or of one unknown certificate or network, for one cause on one listener are one case: how often, first and last. Cases outlive their attempts, and a flood is one case with all of it counted. Those that were refused last come first.',
  query: caseListQuery,
  answer: {
    kind: 'json',
    status: 200,
    description: 'A page.',
    schema: casePageView,
    example: { items: [example.attemptCase], next: null },
  },
  failures: ['cursor-invalid'],
})

export const listIncidents = operation({
  id: 'listIncidents',
  act: 'incident.read',
  method: 'GET',
  path: '/api/v1/incidents',
  tag: 'records',
  summary: 'List incidents',
  description: `One cause that refuses five parties or more on one listener within a quarter of an hour, with whose fault it probably is. It ends when fewer than three are left. The newest come first.`,
  query: incidentListQuery,
  answer: {
    kind: 'json',
    status: 200,
    description: 'A page.',
    schema: incidentPageView,
    example: { items: [example.incident], next: null },
  },
  failures: ['cursor-invalid'],
})
