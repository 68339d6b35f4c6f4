/** One plant, in every example of the document. */

import type { ApiKeyView, CallerView, NewApiKeyView, PersonRolesView } from './access.ts'
import type { ImportLine } from './bulk.ts'
import type { CaseView, IncidentView } from './cases.ts'
import type { CertificateView, IssuedCertificateView } from './certificates.ts'
import type { IdentityView } from './identities.ts'
import type { PasswordView } from './passwords.ts'
import type { HubStatusView, ReleaseView, RenewalCallView } from './renewals.ts'
import type {
  AdoptedView,
  AdoptionView,
  AttemptView,
  AuditEntryView,
  AuditHeadView,
  BootstrapView,
  CredentialView,
  DeviceChangeView,
  DeviceDetailView,
  DeviceView,
  EnrolmentRequestView,
  HubView,
} from './views.ts'

const rootFingerprint = '9f2c4d1e5a6b7c8d9e0f1a2b3c4d5e6f708192a3b4c5d6e7f8091a2b3c4d5e6f'
const token = '5e1d0c9b8a796857.Q2hvb3NlIGEgdG9rZW4gb2YgMzIgcmFuZG9tIGJ5dGU'
const serialNumber = '2a7f00c4d1936be58812f4a90c3d5e6f70819203'

export const device: DeviceView = {
  id: 'pump-7',
  kind: 'device',
  state: 'active',
  group: 'line-2',
  attributes: { site: 'hall-2' },
  profiles: ['device'],
  dnsNames: [],
  ipAddresses: [],
  emails: [],
  keyStorage: null,
  version: 1,
  createdAt: '2026-11-21T12:00:00.000Z',
  updatedAt: '2026-11-21T12:00:00.000Z',
}

export const bootstrap: BootstrapView = {
  device,
  bootstrap: `handfast://hub.plant.example:8443/pump-7/8883/${rootFingerprint}/${token}`,
  enrolment: {
    host: 'hub.plant.example',
    httpsPort: 8443,
    mqttPort: 8883,
    estUrl: 'https://hub.plant.example:8443/.well-known/est',
    rootFingerprint,
    token,
  },
  tokenExpiresAt: '2026-11-22T12:00:00.000Z',
}

export const enrolmentRequest: EnrolmentRequestView = {
  id: '7c1e0f9a2b3d4c5e',
  device: 'pump-7',
  profile: 'device',
  words: 'legal winner thank year wave sausage',
  publicKeyHash: '7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f',
  state: 'waiting',
  requestedAt: '2026-11-21T12:05:00.000Z',
  decidedAt: null,
  endsAt: '2026-11-28T12:05:00.000Z',
}

const credential: CredentialView = {
  serialNumber,
  fingerprint: '1b4f0e9851971998e732078544c96b36c3d01cedf7caa332359d6f1d83567014',
  deviceId: 'pump-7',
  authority: 'issuing-3f9a',
  profile: 'device',
  state: 'active',
  notBefore: '2026-11-21T11:05:00.000Z',
  notAfter: '2026-12-01T12:04:59.000Z',
  issuedAt: '2026-11-21T12:05:00.000Z',
  activatedAt: '2026-11-21T12:05:02.000Z',
  parent: null,
  supersededAt: null,
  overlapEndsAt: null,
  revokedAt: null,
  revocationReason: null,
}

export const deviceDetail: DeviceDetailView = { device, credentials: [credential], contests: [] }
export const released: ReleaseView = { device, released: credential, superseded: [], revoked: [] }
export const renewalCall: RenewalCallView = { called: 'pump-7', issuedBefore: '2026-11-21T12:00:00.000Z' }

const pem = (label: string): string => `-----BEGIN ${label}-----\nMIIB...\n-----END ${label}-----\n`

export const service: IdentityView = {
  id: 'broker.plant.example',
  kind: 'service',
  state: 'active',
  group: null,
  attributes: {},
  dnsNames: ['broker.plant.example'],
  ipAddresses: ['10.3.0.11'],
  emails: [],
  keyStorage: null,
  profiles: ['server'],
  version: 1,
  createdAt: '2026-11-21T12:00:00.000Z',
  updatedAt: '2026-11-21T12:00:00.000Z',
}

export const user: IdentityView = {
  ...service,
  id: 'anna',
  kind: 'user',
  dnsNames: [],
  ipAddresses: [],
  emails: ['anna@plant.example'],
  profiles: ['user'],
}

/** A certificate of a service or a person, which is active from its issue on. */
export function credentialOf({ id, kind }: IdentityView): CredentialView {
  return {
    ...credential,
    deviceId: id,
    profile: kind === 'user' ? 'user' : 'server',
    notAfter: kind === 'user' ? '2027-11-21T12:04:59.000Z' : '2026-12-21T12:04:59.000Z',
    activatedAt: credential.issuedAt,
  }
}

export const issuedCertificate: IssuedCertificateView = {
  credential: credentialOf(service),
  certificate: pem('CERTIFICATE'),
  chain: pem('CERTIFICATE'),
  root: pem('CERTIFICATE'),
  roots: pem('CERTIFICATE'),
  compatibility: 'modern',
}

export const certificate: CertificateView = {
  credential: credentialOf(service),
  subject: 'CN=broker.plant.example',
  key: 'an ECDSA key on P-256',
  uris: ['spiffe://plant.example/service/broker.plant.example'],
  dnsNames: ['broker.plant.example'],
  ipAddresses: ['10.3.0.11'],
  emails: [],
  keyUsage: ['digitalSignature'],
  extendedKeyUsage: ['serverAuth'],
  crlUrls: ['http://hub.plant.example:8080/crl/issuing-3f9a.crl'],
  keyOrigin: 'holder',
  parentSerialNumber: null,
  certificate: pem('CERTIFICATE'),
}

const disabledAt = '2026-11-23T08:30:00.000Z'

/** A device that was revoked. */
export const revoked: DeviceChangeView = {
  device: { ...device, state: 'disabled', version: 2, updatedAt: disabledAt },
  revoked: [serialNumber],
  tokensEnded: 0,
}

export const disabled: DeviceChangeView = { ...revoked, revoked: [] }
export const enabled: DeviceChangeView = {
  device: { ...device, version: 3, updatedAt: disabledAt },
  revoked: [],
  tokensEnded: 0,
}
export const retired: DeviceChangeView = { ...revoked, device: { ...revoked.device, state: 'retired' } }
/** One certificate that was revoked: the device stays as it is. */
export const revokedCertificate: DeviceChangeView = { device, revoked: [serialNumber], tokensEnded: 0 }

export const edited: DeviceView = {
  ...device,
  group: 'line-3',
  attributes: {},
  version: 2,
  updatedAt: '2026-11-22T07:15:00.000Z',
}

export const attempt: AttemptView = {
  number: 4711,
  at: '2026-11-23T08:31:07.000Z',
  listener: 'mqtt',
  address: '192.0.2.17',
  stage: 'certificate',
  outcome: 'refused',
  code: 'certificate-revoked',
  failureId: 'HF-2108',
  sentence: `the certificate ${serialNumber} of pump-7 was revoked at ${disabledAt} (keyCompromise)`,
  cure: 'if the device may come back: `handfast device enable <id>`, then enrol it again with a new token',
  deviceId: 'pump-7',
  clientId: 'pump-7',
  tlsVersion: 'TLSv1.3',
  mqttVersion: '5',
  certificate: {
    fingerprint: credential.fingerprint,
    serialNumber,
    subject: 'CN=pump-7',
    issuer: 'CN=plant.example issuing 3f9a',
    notBefore: credential.notBefore,
    notAfter: credential.notAfter,
  },
}

export const auditEntry: AuditEntryView = {
  number: 12,
  at: '2026-11-22T07:15:00.000Z',
  actor: 'key:admin',
  act: 'identity.change',
  subject: 'pump-7',
  before: { group: 'line-2', attributes: { site: 'hall-2' } },
  after: { group: 'line-3', attributes: {} },
  hash: '5f70bf18a086007016e948b04aed3b82103a36bea41755b6cddfaf10ace3c6ef',
}

const { summary, ...unregistered } = {
  summary: { rows: 3, created: 1, unchanged: 1, conflict: 1, invalid: 0, dryRun: false },
  code: 'identity-differs',
  detail: '"pump-9" is registered with another group',
  hint: 'change it with `handfast device set <id>`, or correct the row',
}

export const importLines: readonly ImportLine[] = [
  { row: 1, id: 'pump-7', result: 'created', bootstrap: bootstrap.bootstrap },
  { row: 2, id: 'pump-8', result: 'unchanged' },
  { row: 3, id: 'pump-9', result: 'conflict', ...unregistered },
  { summary },
]
export const auditHead: AuditHeadView = { number: auditEntry.number, hash: auditEntry.hash }

/** A device that was registered after the backup that was restored. */
export const adoption: AdoptionView = {
  device: { ...device, state: 'pending' },
  becomes: {
    state: 'active',
    group: device.group,
    attributes: { ...device.attributes },
    profiles: device.profiles,
    dnsNames: [],
    ipAddresses: [],
    emails: [],
    keyStorage: null,
  },
  credentials: [{ ...credential, state: 'unadopted' }],
}
export const adopted: AdoptedView = { device: { ...device, version: 2 }, credentials: [credential] }

export const hub: HubView = {
  version: '0.1.0',
  realm: 'plant.example',
  publicName: 'hub.plant.example',
  mqtt: { host: '0.0.0.0', port: 8883 },
  listeners: [{ name: 'mqtt', host: '0.0.0.0', port: 8883, path: null }],
  https: { host: '0.0.0.0', port: 8443 },
  http: { host: '0.0.0.0', port: 8080 },
  api: { host: '0.0.0.0', port: 9443 },
  gateLink: { host: '0.0.0.0', port: 8447 },
  gates: [{ id: 'gate-2', address: '10.3.0.12', sessions: 0 }],
  rootFingerprint,
  ca: '-----BEGIN CERTIFICATE-----\nMIIB…\n-----END CERTIFICATE-----\n',
  sessions: 1,
  upstream: { kind: 'embedded', available: true },
}

export const attemptCase: CaseView = {
  listener: 'mqtt',
  code: 'certificate-revoked',
  failureId: 'HF-2108',
  issuer: 'CN=plant.example issuing 3f9a',
  party: 'identity',
  name: 'pump-7',
  count: 1_204,
  firstAt: '2026-11-22T09:00:02.000Z',
  lastAt: attempt.at,
  admittedAt: null,
  stage: 'certificate',
  sentence: attempt.sentence,
  cure: 'if the device may come back: `handfast device enable <id>`, then enrol it again with a new token',
  address: attempt.address,
  deviceId: 'pump-7',
  clientId: 'pump-7',
  tlsVersion: 'TLSv1.3',
  mqttVersion: '5',
  certificate: attempt.certificate,
}

export const incident: IncidentView = {
  number: 3,
  listener: 'plant',
  code: 'certificate-foreign-authority',
  failureId: 'HF-2104',
  issuer: 'CN=issuing-2',
  identities: 0,
  certificates: 14,
  networks: 0,
  isSudden: true,
  examples: [`CN=meter-4 (${credential.fingerprint.slice(0, 16)}…)`],
  sentence:
    '14 unknown certificates are refused on the listener plant: the authority CN=issuing-2 is not trusted there',
  owner: 'operator',
  likelihood:
    'most began within a quarter of an hour: one fault of the hub or its settings is likelier than as many of devices',
  cure: 'if it is an authority of yours, make it a trust anchor and name it in the listener: `handfast anchor list`',
  beganAt: '2026-11-23T08:31:15.000Z',
  lastAt: '2026-11-23T08:44:51.000Z',
  endedAt: null,
}

export const hubStatus: HubStatusView = { ...hub, renewalsContested: 0, incidents: [incident] }

export const apiKey: ApiKeyView = {
  name: 'station-2',
  id: '3f1c0d9b8a796857',
  role: 'requester',
  groups: ['line-2'],
  mayRegister: true,
  state: 'active',
  createdAt: '2026-11-21T12:00:00.000Z',
  expiresAt: '2026-12-21T12:00:00.000Z',
}
export const newApiKey: NewApiKeyView = {
  key: apiKey,
  secret: '3f1c0d9b8a796857.QW4gZXhhbXBsZSBrZXkgb2YgMzIgcmFuZG9tIGJ5dGVz',
}
export const password: PasswordView = {
  id: '0123456789abcdef',
  identity: 'pump-7',
  state: 'pending',
  createdAt: '2026-11-01T08:00:00.000Z',
  usedAt: null,
  endsAt: null,
}
export const personRoles: PersonRolesView = {
  id: 'alice',
  roles: [{ role: 'owner', groups: ['line-2'], mayRegister: false }],
}
export const caller: CallerView = {
  actor: 'key:station-2',
  roles: [{ role: 'requester', groups: ['line-2'], mayRegister: true }],
  endsAt: '2026-12-21T12:00:00.000Z',
  acts: ['device.read', 'device.register', 'device.request'],
}
