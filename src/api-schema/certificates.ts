/** Certificates as the admin API takes orders for them and shows them. */
import { z } from 'zod'
import { credentialStates } from '../core/identity/credential.ts'
import { limits } from '../core/limits.ts'
import { chainName } from './authority-requests.ts'
import { answerNamed, requestNamed } from './components.ts'
import { dnsNames, emails, ipAddresses, profileName } from './identities.ts'
import { deviceId, idBeginning, page } from './requests.ts'
import { credentialView, pageOf } from './views.ts'

const extendedKeyUsage = z
  .string()
  .regex(
    /^(clientAuth|serverAuth|[0-2](\.(0|[1-9][0-9]{0,9})){2,20})$/,
    'is neither clientAuth, serverAuth nor an object identifier',
  )

/** POST /api/v1/credentials → 201 IssuedCertificateView */
export const issueCertificateRequest = requestNamed(
  'IssueCertificateRequest',
  'An order for one certificate.',
  z.strictObject({
    id: deviceId.meta({
      description: 'whose certificate it will be: a device, a service or a person that is registered',
    }),
    profile: profileName.meta({ description: 'what it is made from; the identity must be granted it' }),
    certificateRequest: z
      .string()
      .max(limits.estBodyBytesMax)
      .meta({ description: 'PKCS#10 in PEM; it proves that its maker holds the key, and decides nothing else' }),
    chain: chainName.nullable().default(null).meta({
      description:
        'which chain of authorities signs it: `main`, or another that the hub has, such as `rsa`; that of the profile where it is left out',
    }),
    dnsNames: dnsNames
      .default([])
      .meta({ description: 'beside those of the registry, where the profile lets an order' }),
    ipAddresses: ipAddresses.default([]).meta({ description: 'as dnsNames' }),
    emails: emails.default([]).meta({ description: 'as dnsNames' }),
    lifetimeSec: z
      .number()
      .int()
      .min(60)
      .max(limits.orderLifetimeSecMax)
      .nullable()
      .default(null)
      .meta({ description: 'how long it shall be good; null for as long as the profile says' }),
    extendedKeyUsage: z
      .array(extendedKeyUsage)
      .max(limits.orderPurposesMax)
      .default([])
      .meta({ description: 'beside those of the profile: clientAuth, serverAuth, or object identifiers' }),
  }),
)
export type IssueCertificateRequest = z.input<typeof issueCertificateRequest>

const time = z.iso.datetime()

/** GET /api/v1/credentials → PageView<CredentialView>, newest first */
export const certificateListQuery = z.strictObject({
  ...page,
  identity: idBeginning.optional().meta({ description: 'only those of this identity' }),
  profile: profileName.optional().meta({ description: 'only those of this profile' }),
  state: z.enum(credentialStates).optional().meta({ description: 'only those in this state' }),
  endsAfter: time.optional().meta({ description: 'only those whose last good second is at this time or later' }),
  endsBefore: time.optional().meta({ description: 'only those whose last good second is before this time' }),
  fingerprint: z
    .string()
    .regex(/^[0-9a-f]{64}$/, 'is not a SHA-256 in lower-case hexadecimal')
    .optional()
    .meta({ description: 'only the one with this SHA-256 of its DER' }),
})

const pem = (description: string) => z.string().meta({ description })

export const certificateView = answerNamed(
  'CertificateView',
  'A certificate with all that it says.',
  z.object({
    credential: credentialView,
    subject: z.string().meta({ description: 'as RFC 4514 writes it; empty where the certificate has none' }),
    key: z.string().meta({ description: 'kind and size of its key, in words' }),
    uris: z.array(z.string()).meta({ description: 'the SPIFFE ID' }),
    dnsNames: z.array(z.string()),
    ipAddresses: z.array(z.string()),
    emails: z.array(z.string()),
    keyUsage: z.array(z.string()),
    extendedKeyUsage: z.array(z.string()).meta({ description: 'by name where it has one, else dotted' }),
    crlUrls: z.array(z.string()),
    keyOrigin: z.enum(['holder', 'hub']).meta({ description: 'who made the key pair; the hub keeps none' }),
    parentSerialNumber: z
      .string()
      .nullable()
      .meta({ description: 'the certificate that asked for this one; null where a token or an operator did' }),
    certificate: pem('the certificate in PEM'),
  }),
)
export type CertificateView = z.infer<typeof certificateView>

export const issuedCertificateView = answerNamed(
  'IssuedCertificateView',
  'A certificate that was ordered.',
  z.object({
    credential: credentialView,
    certificate: pem('the certificate in PEM'),
    chain: pem('the certificates between it and the root in PEM, its issuer first'),
    root: pem('the root above it in PEM; two while a root is exchanged'),
    roots: pem('the roots of every chain of the hub in PEM: what a server trusts its clients by'),
    compatibility: z
      .enum(['modern', 'mbedtls'])
      .meta({ description: 'for which readers the profile makes certificates and key files' }),
  }),
)
export type IssuedCertificateView = z.infer<typeof issuedCertificateView>

export const certificatePageView = pageOf('CertificatePage', 'A page of certificates, newest first.', credentialView)
