/** Trust anchors: authorities of others. */
import { limits } from '../../core/limits.ts'
import {
  type AnchorView,
  addAnchorRequest,
  anchorListView,
  anchorParams,
  anchorView,
  editAnchorRequest,
  giveCrlRequest,
  proveAnchorRequest,
} from '../anchors.ts'
import { jsonBody, operation, optionalBody } from '../operation.ts'
import { emptyRequest } from '../requests.ts'

const waiting: AnchorView = {
  id: 'acme',
  state: 'waiting',
  isProven: false,
  code: '5f0c31e2a49b7d80c6e15a3f92d4b781',
  fingerprint: '7a'.repeat(32),
  subject: 'CN=ACME Device CA',
  notAfter: '2036-11-01T00:00:00.000Z',
  below: [],
  revocation: 'require',
  sources: { crlUrls: ['http://pki.acme.example/ca.crl'], ocspUrl: null, isByCertificates: false, hosts: [] },
  crl: null,
  crls: [],
  fetches: [
    {
      ...{ url: 'http://pki.acme.example/ca.crl', isLearned: false, triedAt: null },
      ...{ dueAt: '2026-11-25T08:00:00.000Z', failure: null },
    },
  ],
  createdAt: '2026-11-25T08:00:00.000Z',
  changedAt: '2026-11-25T08:00:00.000Z',
}
const trusted: AnchorView = { ...waiting, state: 'trusted', isProven: true, code: null }
const pem = (label: string) => `-----BEGIN ${label}-----\nMIIB…\n-----END ${label}-----\n`
const shared = { params: anchorParams, tag: 'policy' } as const
const answer = (description: string, example: AnchorView) =>
  ({ kind: 'json', status: 200, description, schema: anchorView, example }) as const

export const listAnchors = operation({
  id: 'listAnchors',
  act: 'anchor.read',
  method: 'GET',
  path: '/api/v1/anchors',
  tag: 'policy',
  summary: 'List trust anchors',
  description: 'All of them, whatever their state.',
  answer: {
    ...{ kind: 'json', status: 200, description: 'Those there are.', schema: anchorListView },
    example: { items: [trusted] },
  },
})

export const showAnchor = operation({
  ...shared,
  id: 'showAnchor',
  act: 'anchor.read',
  method: 'GET',
  path: '/api/v1/anchors/{anchor}',
  summary: 'Show a trust anchor',
  description: 'With the code that its proof must name, while it waits for that.',
  answer: answer('The trust anchor.', waiting),
  failures: ['anchor-not-found'],
})

export const addAnchor = operation({
  id: 'addAnchor',
  act: 'anchor.change',
  method: 'POST',
  path: '/api/v1/anchors',
  tag: 'policy',
  summary: 'Add a trust anchor',
  description:
    'It counts once its key is proved to be held (`proveAnchor`), or at once where it is said that nothing is to be proved. Its certificates open nothing without an identification rule in the policy and a listener that names it.',
  body: jsonBody(addAnchorRequest, { id: 'acme', certificates: pem('CERTIFICATE') }),
  answer: { kind: 'json', status: 201, description: 'It is added.', schema: anchorView, example: waiting },
  keyed: true,
  failures: ['anchor-unfit', 'anchor-exists', 'anchor-state', 'anchor-sources-invalid', 'certificate-unreadable'],
})

export const editAnchor = operation({
  ...shared,
  id: 'editAnchor',
  act: 'anchor.change',
  method: 'POST',
  path: '/api/v1/anchors/{anchor}/edit',
  summary: 'Change a trust anchor',
  description:
    'How revocations count, where word of them comes from, and which authorities stand below it. Sessions below an authority that is gone close.',
  body: jsonBody(editAnchorRequest, { revocation: 'require' }),
  answer: answer('It is changed.', trusted),
  keyed: true,
  failures: ['anchor-not-found', 'anchor-unfit', 'anchor-state', 'anchor-sources-invalid', 'certificate-unreadable'],
})

export const fetchAnchorCrls = operation({
  ...shared,
  id: 'fetchAnchorCrls',
  act: 'anchor.change',
  method: 'POST',
  path: '/api/v1/anchors/{anchor}/fetch',
  summary: 'Fetch the CRLs of a trust anchor now',
  description: 'From all addresses that are known, whether they are due or not; `fetches` says what became of each.',
  body: optionalBody(emptyRequest, {}),
  answer: answer('What is there now.', trusted),
  keyed: true,
  isLong: true,
  failures: ['anchor-not-found', 'anchor-sources-invalid'],
})

export const proveAnchor = operation({
  ...shared,
  id: 'proveAnchor',
  act: 'anchor.change',
  method: 'POST',
  path: '/api/v1/anchors/{anchor}/prove',
  summary: 'Prove that the key of a trust anchor is held',
  description: 'By a certificate that the authority has signed, whose common name is the code.',
  body: jsonBody(proveAnchorRequest, { certificate: pem('CERTIFICATE') }),
  answer: answer('It is trusted.', trusted),
  keyed: true,
  failures: ['anchor-not-found', 'anchor-state', 'anchor-proof-wrong', 'certificate-unreadable'],
})

export const giveAnchorCrl = operation({
  ...shared,
  id: 'giveAnchorCrl',
  act: 'anchor.change',
  method: 'POST',
  path: '/api/v1/anchors/{anchor}/crl',
  summary: 'Give the latest CRL of a trust anchor',
  description:
    'Of the authority or of one below it, whole or a part. It takes the place of the one before. Sessions of those that it names close.',
  body: jsonBody(giveCrlRequest, { crl: pem('X509 CRL') }),
  bodyBytesMax: limits.anchorCrlBytesMax * 2,
  answer: answer('It is taken.', {
    ...trusted,
    crl: { thisUpdate: '2026-11-25T06:00:00.000Z', nextUpdate: '2026-12-02T06:00:00.000Z' },
    crls: [
      {
        ...{ issuer: waiting.fingerprint, part: '' },
        ...{ thisUpdate: '2026-11-25T06:00:00.000Z', nextUpdate: '2026-12-02T06:00:00.000Z' },
      },
    ],
  }),
  keyed: true,
  failures: ['anchor-not-found', 'anchor-crl-unfit'],
})

export const distrustAnchor = operation({
  ...shared,
  id: 'distrustAnchor',
  act: 'anchor.change',
  method: 'POST',
  path: '/api/v1/anchors/{anchor}/distrust',
  summary: 'Distrust a trust anchor',
  description: 'Its certificates open nothing any more, and sessions that they opened close now.',
  body: optionalBody(emptyRequest, {}),
  answer: answer('It is distrusted.', { ...trusted, state: 'distrusted' }),
  keyed: true,
  failures: ['anchor-not-found'],
})

export const removeAnchor = operation({
  ...shared,
  id: 'removeAnchor',
  act: 'anchor.change',
  method: 'POST',
  path: '/api/v1/anchors/{anchor}/remove',
  summary: 'Remove a trust anchor',
  description: 'One that waits or is distrusted.',
  body: optionalBody(emptyRequest, {}),
  answer: answer('It is removed; this is what it was.', { ...trusted, state: 'distrusted' }),
  keyed: true,
  failures: ['anchor-not-found', 'anchor-state'],
})
