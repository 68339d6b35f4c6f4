/** Certificates: ordering one, finding them. */
import {
  certificateListQuery,
  certificatePageView,
  certificateView,
  issueCertificateRequest,
  issuedCertificateView,
} from '../certificates.ts'
import * as example from '../examples.ts'
import { jsonBody, operation } from '../operation.ts'
import { credentialParams } from '../requests.ts'

export const issueCertificate = operation({
  id: 'issueCertificate',
  act: 'certificate.issue',
  method: 'POST',
  path: '/api/v1/credentials',
  tag: 'certificates',
  summary: 'Order a certificate',
  description:
    "Signs a certificate for an identity that is registered, for the key of the request. What it says is decided by the profile, the registry, and the order where the profile leaves it to that. A certificate of a profile that does not connect to this hub is active at once, others are pending until their first use. It supersedes nothing. Names that the registry does not hold are an admin's to order. The same order for the same key within ten minutes is answered with the same certificate.",
  body: jsonBody(issueCertificateRequest, {
    id: 'broker.plant.example',
    profile: 'server',
    certificateRequest: '-----BEGIN CERTIFICATE REQUEST-----\nMIH...\n-----END CERTIFICATE REQUEST-----\n',
    lifetimeSec: 7_776_000,
  }),
  answer: {
    kind: 'json',
    status: 201,
    description: 'The certificate, with what is above it.',
    schema: issuedCertificateView,
    example: example.issuedCertificate,
  },
  transacts: true,
  keyed: true,
  failures: [
    'identity-id-invalid',
    'identity-not-found',
    'identity-pending',
    'identity-disabled',
    'identity-retired',
    'identity-of-hub',
    'not-found',
    'profile-not-found',
    'profile-not-granted',
    'csr-unreadable',
    'csr-signature-invalid',
    'csr-key-unacceptable',
    'csr-asks-too-much',
    'renewal-key-compromised',
    'order-asks-too-much',
    'name-invalid',
    'names-missing',
    'attribute-missing',
    'authority-expired',
    'clock-before-authority',
    'authority-key-offline',
    'certificate-lint-failed',
    'issuance-lapsed',
  ],
})

export const listCertificates = operation({
  id: 'listCertificates',
  act: 'certificate.read',
  method: 'GET',
  path: '/api/v1/credentials',
  tag: 'certificates',
  summary: 'List certificates',
  description:
    'Newest first, page by page. All filters that are given must hold. A page may have fewer rows than `limit`, even none, while `next` is not null: the hub looks at a bounded number of rows for each page.',
  query: certificateListQuery,
  answer: {
    kind: 'json',
    status: 200,
    description: 'A page.',
    schema: certificatePageView,
    example: { items: [example.credentialOf(example.service)], next: null },
  },
  failures: ['cursor-invalid'],
})

export const showCertificate = operation({
  id: 'showCertificate',
  act: 'certificate.read',
  method: 'GET',
  path: '/api/v1/credentials/{serial}',
  tag: 'certificates',
  summary: 'Show a certificate',
  description: 'All that it says, and what the registry knows of it.',
  params: credentialParams,
  answer: {
    kind: 'json',
    status: 200,
    description: 'The certificate.',
    schema: certificateView,
    example: example.certificate,
  },
  failures: ['credential-not-found'],
})
