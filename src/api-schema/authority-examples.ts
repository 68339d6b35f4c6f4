/** The authorities of the plant of the examples. */
import type {
  AuthorityDetailView,
  AuthorityRequestView,
  AuthorityView,
  ExportedKeyView,
  RollOverView,
} from './authority-views.ts'

const certificate = '-----BEGIN CERTIFICATE-----\nMIIB…\n-----END CERTIFICATE-----\n'

export const root: AuthorityView = {
  id: 'root-3f9a2b1c',
  role: 'root',
  chain: 'main',
  state: 'active',
  keyType: 'P-256',
  keyPlace: 'hub',
  parentId: null,
  subject: 'CN=plant.example root 3f9a2b1c',
  fingerprint: '9f2c4d1e5a6b7c8d9e0f1a2b3c4d5e6f708192a3b4c5d6e7f8091a2b3c4d5e6f',
  notBefore: '2026-11-21T11:55:00.000Z',
  notAfter: '2046-11-16T11:59:59.000Z',
}

export const issuing: AuthorityView = {
  ...root,
  id: 'issuing-77d0c4e2',
  role: 'issuing',
  parentId: root.id,
  subject: 'CN=plant.example issuing 77d0c4e2',
  fingerprint: '0c4d1e5a6b7c8d9e0f1a2b3c4d5e6f708192a3b4c5d6e7f8091a2b3c4d5e6f9f',
  notAfter: '2036-11-18T11:59:59.000Z',
}

export const detail: AuthorityDetailView = {
  authority: issuing,
  certificate,
  path: [certificate],
  crossCertificates: [],
}

export const exportedKey: ExportedKeyView = {
  id: root.id,
  key: '-----BEGIN ENCRYPTED PRIVATE KEY-----\nMIIB…\n-----END ENCRYPTED PRIVATE KEY-----\n',
}

export const offlineRoot: AuthorityView = { ...root, keyPlace: 'offline' }

export const request: AuthorityRequestView = {
  id: 'issuing-0a1b2c3d',
  chain: 'company',
  request: '-----BEGIN CERTIFICATE REQUEST-----\nMIIB…\n-----END CERTIFICATE REQUEST-----\n',
}

export const rollOver: RollOverView = {
  id: '5e1d0c9b8a796857',
  role: 'root',
  chain: 'main',
  from: root.id,
  to: 'root-a01b22c3',
  state: 'switched',
  isPaused: false,
  sharePercent: 98,
  devices: 40,
  acknowledged: 12,
  unknown: ['pump-7', 'pump-8'],
  startedAt: '2036-03-01T08:00:00.000Z',
  changedAt: '2036-03-01T08:00:02.000Z',
}
