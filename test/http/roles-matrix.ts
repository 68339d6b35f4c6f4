/**
 * Who may do what, as data: a row for every operation of the admin API. Whoever adds an operation adds its row here, by what its
 * users need and not by what the code does; `roles.test.ts` asks every question over HTTP.
 */
import { encodePem } from '../../src/core/x509/pem.ts'
import { certificateRequestWith, newP256Key } from '../../src/device/private-key.ts'
import { makeRoot } from '../core/x509/support.ts'
import { ownCertificate } from '../support/own-certificate.ts'
import type { Method } from './api-parts.ts'

/**
 * - `done`: it is done, or answered
 * - `shown`, `hidden`: it is answered, and what the place holds stands in the answer, or does not
 * - `role`: no role of the caller has the act; `unseen`: as if it were not there; `group`: the group is not the caller's;
 *   `exceeds`: it would give more than the caller may
 */
export type Outcome = 'done' | 'shown' | 'hidden' | 'role' | 'unseen' | 'group' | 'exceeds'

export const callerNames = ['admin', 'auditor', 'owner', 'requester', 'registrar'] as const
/** An owner and a requester of the group `line-1`; the registrar is a requester who may register devices there. */
export type CallerName = (typeof callerNames)[number]

/** Where the target is: in the group of the owner and the requesters, in another one, or in none. */
export const places = { own: 'line-1', foreign: 'line-2', none: null } as const
export type Place = keyof typeof places

/** What an operation is done to, made anew for each question. */
export interface Target {
  /** A device that is registered, and of which a key waits for approval. */
  readonly id: string
  /** Serial number of its certificate, where the row wants one. */
  readonly serial: string
  /** A name that nothing has yet. */
  readonly fresh: string
  readonly group: string | null
  /** A requester's key for the place's group; for no group, an auditor's. */
  readonly key: string
  /** A person, and its role: like that of the key. */
  readonly person: string
  /** A service in the same group. */
  readonly service: string
}

export interface Request {
  readonly method: Method
  /** Behind /api/v1. */
  readonly path: string
  readonly body?: object | string
  readonly headers?: Readonly<Record<string, string>>
}

export interface Row {
  ask(target: Target): Request
  /** For each caller the outcomes for a target in its own group and elsewhere; one word where both are the same. */
  readonly outcomes: Readonly<Record<CallerName, string>>
  /** Whether the device has enrolled. */
  readonly withCertificate?: boolean
  /** Whether it tells that a person is there: ids are everybody's, and an owner names whom it trusts. */
  readonly tellsOfPeople?: boolean
  /** What tells from an answer that the target stands in it; its id where nothing is said. */
  shows?(target: Target): string
}

type Outcomes = Row['outcomes']

const onlyOwnTopics = 'bindings: [{ roles: [own-topics], to: everyone }]'
const pemOfNothing = encodePem('CERTIFICATE', Uint8Array.of(0x30, 0))

const everybody: Outcomes = { admin: 'done', auditor: 'done', owner: 'done', requester: 'done', registrar: 'done' }
const adminAlone: Outcomes = { admin: 'done', auditor: 'role', owner: 'role', requester: 'role', registrar: 'role' }
const readsPolicy: Outcomes = { ...adminAlone, owner: 'done', auditor: 'done' }
const adminAndAuditor: Outcomes = { ...adminAlone, auditor: 'done' }
const ownerToo: Outcomes = { ...adminAlone, owner: 'done unseen' }
const requesterToo: Outcomes = { ...ownerToo, requester: 'done unseen', registrar: 'done unseen' }
const readers: Outcomes = { ...requesterToo, auditor: 'done' }
const lists: Outcomes = {
  admin: 'shown',
  auditor: 'shown',
  owner: 'shown hidden',
  requester: 'shown hidden',
  registrar: 'shown hidden',
}
const registering: Outcomes = { ...adminAlone, owner: 'done group', registrar: 'done group' }

const get = (path: string): Request => ({ method: 'GET', path })
const post = (path: string, body: object = {}): Request => ({ method: 'POST', path, body })
const roleFor = ({ group }: Target) => ({
  role: group === null ? 'auditor' : 'requester',
  groups: group === null ? [] : [group],
})

/** The operations of services or of people: what they are called decides over others, so that only an admin changes it. */
function identityRows(noun: 'Service' | 'User', path: string, idOf: (target: Target) => string): Record<string, Row> {
  const moves = ['disable', 'enable', 'retire', 'revoke'].map((act): [string, Row] => [
    `${act}${noun}`,
    { ask: (target) => post(`${path}/${idOf(target)}/${act}`), outcomes: adminAlone },
  ])
  return {
    [`register${noun}`]: { ask: ({ fresh, group }) => post(path, { id: fresh, group }), outcomes: adminAlone },
    [`list${noun}s`]: {
      ask: () => get(`${path}?limit=1000`),
      outcomes: { ...adminAndAuditor, admin: 'shown', auditor: 'shown' },
      shows: (target) => `"${idOf(target)}"`,
    },
    [`show${noun}`]: { ask: (target) => get(`${path}/${idOf(target)}`), outcomes: adminAndAuditor },
    [`edit${noun}`]: {
      ask: (target) => ({
        method: 'PATCH',
        path: `${path}/${idOf(target)}`,
        body: { attributes: { site: 'hall-2' } },
        headers: { 'if-match': '*' },
      }),
      outcomes: adminAlone,
    },
    ...Object.fromEntries(moves),
  }
}

/** A request for a certificate with a key of its own. */
function certificateRequest(id: string): string {
  return encodePem('CERTIFICATE REQUEST', certificateRequestWith(id, newP256Key()))
}

/** The certificate of an authority that nobody knows yet. */
function ownAuthority(): string {
  const dates = { notBeforeSec: Date.UTC(2026, 0, 1) / 1000, notAfterSec: Date.UTC(2046, 0, 1) / 1000 }
  return encodePem('CERTIFICATE', makeRoot(dates).der)
}

export const matrix: Readonly<Record<string, Row>> = {
  registerDevice: { ask: ({ fresh, group }) => post('/devices', { id: fresh, group }), outcomes: registering },
  listDevices: { ask: () => get('/devices?limit=1000'), outcomes: lists },
  importDevices: {
    ask: ({ fresh, group }) => ({
      method: 'POST',
      path: '/devices/import?tokens=true',
      body: `id,group\n${fresh},${group ?? ''}\n`,
      headers: { 'content-type': 'text/csv' },
    }),
    // Each row is refused by itself.
    outcomes: { ...adminAlone, admin: 'shown', owner: 'shown hidden', registrar: 'shown hidden' },
    shows: () => '"result":"created"',
  },
  showDevice: { ask: ({ id }) => get(`/devices/${id}`), outcomes: readers },
  editDevice: {
    ask: ({ id }) => ({
      method: 'PATCH',
      path: `/devices/${id}`,
      body: { attributes: { site: 'hall-2' } },
      headers: { 'if-match': '*' },
    }),
    outcomes: ownerToo,
  },
  createToken: { ask: ({ id }) => post(`/devices/${id}/tokens`), outcomes: requesterToo },
  disableDevice: { ask: ({ id }) => post(`/devices/${id}/disable`), outcomes: ownerToo },
  enableDevice: { ask: ({ id }) => post(`/devices/${id}/enable`), outcomes: ownerToo },
  retireDevice: { ask: ({ id }) => post(`/devices/${id}/retire`), outcomes: ownerToo },
  revokeDevice: { ask: ({ id }) => post(`/devices/${id}/revoke`), outcomes: ownerToo },
  listPasswords: {
    ask: ({ id }) => get(`/identities/${id}/passwords`),
    outcomes: { ...ownerToo, auditor: 'done' },
  },
  setPassword: { ask: ({ id }) => post(`/identities/${id}/passwords`), outcomes: ownerToo },
  revokePasswords: { ask: ({ id }) => post(`/identities/${id}/passwords/revoke`), outcomes: ownerToo },
  ...identityRows('Service', '/services', ({ service }) => service),
  createServiceToken: { ask: ({ service }) => post(`/services/${service}/tokens`), outcomes: adminAlone },
  ...identityRows('User', '/users', ({ person }) => person),
  issueCertificate: {
    ask: ({ id }) => post('/credentials', { id, profile: 'device', certificateRequest: certificateRequest(id) }),
    outcomes: requesterToo,
  },
  listCertificates: {
    ask: () => get('/credentials?limit=1000'),
    outcomes: lists,
    withCertificate: true,
    shows: ({ serial }) => `"${serial}"`,
  },
  showCertificate: { ask: ({ serial }) => get(`/credentials/${serial}`), outcomes: readers, withCertificate: true },
  // Nothing waits in quarantine: whoever may ask is told so.
  releaseDevice: {
    ask: ({ id }) => post(`/devices/${id}/release`),
    outcomes: { ...adminAlone, admin: 'unseen', owner: 'unseen' },
  },
  callDevice: { ask: ({ id }) => post(`/devices/${id}/renew`), outcomes: ownerToo },
  callRenewals: {
    ask: ({ group }) => post('/renewals', { group: group ?? 'line-9' }),
    outcomes: { ...adminAlone, owner: 'done group' },
  },
  listEnrolmentRequests: { ask: () => get('/enrolment-requests?limit=1000'), outcomes: lists },
  approveEnrolment: { ask: ({ id }) => post(`/devices/${id}/approve`), outcomes: ownerToo },
  refuseEnrolment: { ask: ({ id }) => post(`/devices/${id}/refuse`), outcomes: ownerToo },
  listAdoptions: { ask: () => get('/adoptions'), outcomes: adminAndAuditor },
  adoptDevice: {
    ask: ({ id }) => post(`/devices/${id}/adopt`),
    // Nothing waits: whoever may ask is told so.
    outcomes: { ...adminAlone, admin: 'unseen' },
  },
  listAuthorities: { ask: () => get('/authorities'), outcomes: everybody },
  // What there is not is told to whoever may ask.
  showAuthority: {
    ask: () => get('/authorities/none'),
    outcomes: { admin: 'unseen', auditor: 'unseen', owner: 'unseen', requester: 'unseen', registrar: 'unseen' },
  },
  createChain: {
    ask: ({ fresh }) => post('/authorities', { chain: `c-${fresh}`.toLowerCase() }),
    outcomes: adminAlone,
  },
  exportAuthorityKey: {
    ask: () => post('/authorities/none/key/export', { passphrase: 'correct horse' }),
    outcomes: { ...adminAlone, admin: 'unseen' },
  },
  removeAuthorityKey: {
    ask: () => post('/authorities/none/key/remove', { key: 'x', passphrase: 'correct horse' }),
    outcomes: { ...adminAlone, admin: 'unseen' },
  },
  importAuthorityKey: {
    ask: () => post('/authorities/none/key/import', { key: 'x', passphrase: 'correct horse' }),
    outcomes: { ...adminAlone, admin: 'unseen' },
  },
  requestAuthority: {
    ask: ({ fresh }) => post('/authority-requests', { chain: `r-${fresh}`.toLowerCase() }),
    outcomes: adminAlone,
  },
  installAuthority: {
    ask: () => post('/authority-requests/none/install', { certificate: pemOfNothing, root: pemOfNothing }),
    outcomes: { ...adminAlone, admin: 'unseen' },
  },
  listRollOvers: { ask: () => get('/roll-overs'), outcomes: everybody },
  beginRollOver: {
    ask: () => post('/roll-overs', { role: 'root', chain: 'none' }),
    outcomes: { ...adminAlone, admin: 'unseen' },
  },
  pauseRollOver: { ask: () => post('/roll-overs/none/pause'), outcomes: { ...adminAlone, admin: 'unseen' } },
  resumeRollOver: { ask: () => post('/roll-overs/none/resume'), outcomes: { ...adminAlone, admin: 'unseen' } },
  undoRollOver: { ask: () => post('/roll-overs/none/undo'), outcomes: { ...adminAlone, admin: 'unseen' } },
  cutRollOver: { ask: () => post('/roll-overs/none/cut'), outcomes: { ...adminAlone, admin: 'unseen' } },
  revokeCertificate: {
    ask: ({ serial }) => post(`/credentials/${serial}/revoke`),
    outcomes: ownerToo,
    withCertificate: true,
  },
  listPins: { ask: ({ id }) => get(`/devices/${id}/pins`), outcomes: readers },
  // Nothing is a certificate: whoever may is told so.
  addPin: {
    ask: ({ id }) => post(`/devices/${id}/pins`, { certificate: ownCertificate(id).pem }),
    outcomes: adminAlone,
  },
  removePin: {
    ask: ({ id }) => post(`/devices/${id}/pins/secondary/remove`),
    outcomes: { ...adminAlone, admin: 'unseen' },
  },
  listAnchors: { ask: () => get('/anchors'), outcomes: readsPolicy },
  // There is none: whoever may ask is told so.
  showAnchor: {
    ask: () => get('/anchors/none'),
    outcomes: { ...readsPolicy, admin: 'unseen', owner: 'unseen', auditor: 'unseen' },
  },
  addAnchor: {
    ask: ({ fresh }) =>
      post('/anchors', { id: `a-${fresh}`.toLowerCase().slice(0, 32), certificates: ownAuthority(), isUnproven: true }),
    outcomes: adminAlone,
  },
  proveAnchor: {
    ask: () => post('/anchors/none/prove', { certificate: ownAuthority() }),
    outcomes: { ...adminAlone, admin: 'unseen' },
  },
  giveAnchorCrl: {
    ask: () => post('/anchors/none/crl', { crl: encodePem('X509 CRL', Uint8Array.of(0x30, 0)) }),
    outcomes: { ...adminAlone, admin: 'unseen' },
  },
  editAnchor: {
    ask: () => post('/anchors/none/edit', { revocation: 'prefer' }),
    outcomes: { ...adminAlone, admin: 'unseen' },
  },
  fetchAnchorCrls: { ask: () => post('/anchors/none/fetch'), outcomes: { ...adminAlone, admin: 'unseen' } },
  distrustAnchor: { ask: () => post('/anchors/none/distrust'), outcomes: { ...adminAlone, admin: 'unseen' } },
  removeAnchor: { ask: () => post('/anchors/none/remove'), outcomes: { ...adminAlone, admin: 'unseen' } },
  listPolicies: { ask: () => get('/policies'), outcomes: readsPolicy },
  showActivePolicy: { ask: () => get('/active-policy'), outcomes: readsPolicy },
  // There is none: whoever may ask is told so.
  showPolicy: {
    ask: () => get('/policies/999'),
    outcomes: { ...readsPolicy, admin: 'unseen', owner: 'unseen', auditor: 'unseen' },
  },
  addPolicy: { ask: () => post('/policies', { source: onlyOwnTopics }), outcomes: adminAlone },
  checkPolicy: { ask: () => post('/policy-check', { source: onlyOwnTopics }), outcomes: adminAlone },
  shadowPolicy: { ask: () => post('/policies/999/shadow'), outcomes: { ...adminAlone, admin: 'unseen' } },
  // There is no such version: whoever may ask is told so.
  listShadowDifferences: {
    ask: () => get('/policies/999/differences'),
    outcomes: { ...adminAlone, admin: 'unseen', auditor: 'unseen' },
  },
  unshadowPolicy: { ask: () => post('/shadow-policy/end'), outcomes: adminAlone },
  activatePolicy: { ask: () => post('/policies/999/activate'), outcomes: { ...adminAlone, admin: 'unseen' } },
  rollBackPolicy: { ask: () => post('/active-policy/rollback'), outcomes: { ...adminAlone, admin: 'unseen' } },
  explainPolicy: {
    ask: () => get('/decision?identity=pump-7&action=connect'),
    outcomes: readsPolicy,
  },
  listProfiles: { ask: () => get('/profiles'), outcomes: everybody },
  showProfile: { ask: () => get('/profiles/device'), outcomes: everybody },
  addProfile: {
    ask: ({ fresh }) => post('/profiles', { name: fresh, kinds: ['device'], extendedKeyUsage: ['clientAuth'] }),
    outcomes: adminAlone,
  },
  changeProfile: {
    ask: ({ fresh }) => ({
      method: 'PATCH',
      path: `/profiles/${fresh}`,
      body: { approval: true },
      headers: { 'if-match': '*' },
    }),
    // There is none: whoever may ask is told so.
    outcomes: { ...adminAlone, admin: 'unseen' },
  },
  removeProfile: {
    ask: ({ fresh }) => post(`/profiles/${fresh}/remove`),
    outcomes: { ...adminAlone, admin: 'unseen' },
  },
  listAttempts: {
    ask: () => get('/attempts?limit=1000'),
    outcomes: { ...lists, requester: 'role', registrar: 'role' },
  },
  listCases: {
    ask: () => get('/attempts/cases?limit=1000'),
    outcomes: { ...lists, requester: 'role', registrar: 'role' },
  },
  listIncidents: { ask: () => get('/incidents'), outcomes: adminAndAuditor },
  listAudit: {
    ask: () => get('/audit?limit=1000'),
    outcomes: { ...adminAndAuditor, admin: 'shown', auditor: 'shown' },
    shows: ({ key }) => `"${key}"`,
  },
  listAuditChain: { ask: () => get('/audit/chain?limit=1000'), outcomes: adminAndAuditor },
  showAuditHead: { ask: () => get('/audit/head'), outcomes: adminAndAuditor },
  showHub: { ask: () => get('/hub'), outcomes: everybody },
  showCaller: { ask: () => get('/caller'), outcomes: everybody },
  addKey: {
    ask: (target) => post('/keys', { name: target.fresh, ...roleFor(target) }),
    outcomes: { ...adminAlone, owner: 'done exceeds' },
  },
  listKeys: {
    ask: () => get('/keys'),
    outcomes: { ...lists, requester: 'role', registrar: 'role' },
    shows: ({ key }) => `"${key}"`,
  },
  showKey: {
    ask: ({ key }) => get(`/keys/${key}`),
    outcomes: { ...readers, requester: 'role', registrar: 'role' },
  },
  removeKey: { ask: ({ key }) => post(`/keys/${key}/remove`), outcomes: ownerToo },
  showRoles: {
    ask: ({ person }) => get(`/users/${person}/roles`),
    outcomes: { ...lists, requester: 'role', registrar: 'role' },
    shows: () => '"role"',
  },
  grantRole: {
    ask: (target) => post(`/users/${target.person}/roles/grant`, roleFor(target)),
    outcomes: { ...adminAlone, owner: 'done exceeds' },
  },
  withdrawRole: {
    ask: (target) => post(`/users/${target.person}/roles/withdraw`, roleFor(target)),
    tellsOfPeople: true,
    outcomes: ownerToo,
  },
}
