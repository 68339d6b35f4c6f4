/**
 * Enrolment over EST (RFC 7030), which devices do themselves at a listener of its own. Each operation of EST stands at two
 * addresses: with the name of a profile in the path, and without.
 */
import { z } from 'zod'
import { hopelessFailures, strangerFailures } from '../../core/identification/stranger-failures.ts'
import { answerNamed } from '../components.ts'
import { type AnswerContent, type Operation, operation, type TextContent } from '../operation.ts'

const root = '/.well-known/est'

const label = z.strictObject({
  label: z.string().meta({
    description: 'the name of a profile among those that the token or the identity was granted; it reaches no other',
    example: 'device',
  }),
})

type Enrolment = Omit<Parameters<typeof operation>[0], 'act' | 'tag' | 'path' | 'params'> & { readonly place: string }

/** An operation of EST at both its addresses. */
function atBoth({ place, ...given }: Enrolment): readonly Operation[] {
  const common = { ...given, act: null, tag: 'enrolment' } as const
  return [
    operation({ ...common, path: `${root}/${place}` }),
    operation({
      ...common,
      id: `${given.id}ForProfile`,
      summary: `${given.summary}, for one profile`,
      path: `${root}/{label}/${place}`,
      params: label,
      failures: [...(given.failures ?? []), 'profile-not-found'],
    }),
  ]
}

const inLines = 'in lines of 76 characters (RFC 8951 §2.1)'

const oneCertificate: AnswerContent<z.ZodType> = {
  kind: 'text',
  status: 200,
  description: 'The certificate alone; the chain above it comes from `fetchCaCertificates`.',
  types: {
    'application/pkcs7-mime': {
      description: `base64 of a certs-only PKCS#7 in DER, ${inLines}`,
      example: 'MIICZQYJKoZIhvcNAQcCoIICVjCCAlICAQExADALBgkqhkiG9w0BBwGgggI4MIIC\r\n',
    },
  },
}

const certificateRequest: TextContent = {
  kind: 'text',
  types: {
    'application/pkcs10': {
      description: 'base64 of a PKCS#10 request in DER, with or without line breaks; no PEM lines',
      example: 'MIHyMIGZAgEAMBExDzANBgNVBAMMBnB1bXAtNzBZMBMGByqGSM49AgEGCCqGSM49\r\n',
    },
  },
}

const ofRequest = [
  'csr-unreadable',
  'csr-signature-invalid',
  'csr-key-unacceptable',
  'csr-asks-too-much',
  'renewal-key-compromised',
  'channel-binding-mismatch',
  'profile-not-granted',
  'attribute-missing',
  'name-invalid',
  'names-missing',
  'identity-pending',
  'identity-disabled',
  'identity-retired',
  'authority-expired',
  'clock-before-authority',
  'certificate-lint-failed',
  'issuance-lapsed',
  'enrolments-too-many',
  'rate-limited',
] as const

const ofToken = [
  'token-missing',
  'token-invalid',
  'token-used',
  'token-expired',
  'token-revoked',
  'enrolment-waits',
  'enrolment-refused',
  'enrolment-requests-too-many',
] as const

const ofCertificate = [
  'certificate-missing',
  ...hopelessFailures,
  ...strangerFailures,
  'certificate-expired',
  'certificate-not-yet-valid',
  'certificate-revoked',
  'certificate-wrong-usage',
  'certificate-never-completed',
  'certificate-not-adopted',
] as const

/** Beside those of a certificate that connects. */
const ofRenewal = [
  'certificate-superseded',
  'certificate-lapsed',
  'renewal-key-changed',
  'renewal-names-differ',
] as const

const fetchCaCertificates = atBoth({
  id: 'fetchCaCertificates',
  method: 'GET',
  place: 'cacerts',
  summary: 'Fetch the CA certificates',
  description:
    'The root first, then the issuing authority (RFC 7030 §4.1). Whoever has not seen the root before compares its SHA-256 with the fingerprint that came with the token, before the token is sent.',
  permission: 'anybody',
  answer: {
    kind: 'text',
    status: 200,
    description: 'The certificates.',
    types: {
      'application/pkcs7-mime': {
        description: `base64 of a certs-only PKCS#7 in DER, ${inLines}`,
        example: 'MIIDwgYJKoZIhvcNAQcCoIIDszCCA68CAQExADALBgkqhkiG9w0BBwGgggOVMIIB\r\n',
      },
    },
  },
})

const fetchCsrAttributes = atBoth({
  id: 'fetchCsrAttributes',
  method: 'GET',
  place: 'csrattrs',
  summary: 'Learn what a request should look like',
  description:
    'What a certificate request for a profile says (RFC 7030 §4.5): kinds of key and the signature for older clients, and the template of RFC 9908 §3.4 for those that know it.',
  permission: 'anybody',
  answer: {
    kind: 'text',
    status: 200,
    description: 'The attributes.',
    types: {
      'application/csrattrs': {
        description: `base64 of CsrAttrs in DER, ${inLines}`,
        example: 'MIGAMBUGByqGSM49AgExCgYIKoZIzj0DAQcwEgYHKoZIzj0CATEHBgUrgQQAIjAT\r\n',
      },
    },
  },
})

const enrolDevice = atBoth({
  id: 'enrolDevice',
  method: 'POST',
  place: 'simpleenroll',
  summary: 'Enrol a device',
  description:
    'Turns an enrolment token and a certificate request into a certificate (RFC 7030 §4.2). The user name of HTTP Basic is the id of the device, or empty; the password is the token. The subject of the request is `CN=<id>` or empty; the kinds of key are those of the profile. Until the first use of the certificate, the same token with the same key gets the same answer. Where an operator must approve the key, the answer is 202 with `Retry-After` until then; the device asks again with the same key.',
  permission: 'token',
  body: certificateRequest,
  answer: oneCertificate,
  failures: [...ofToken, ...ofRequest],
})

const renewCertificate = atBoth({
  id: 'renewCertificate',
  method: 'POST',
  place: 'simplereenroll',
  summary: 'Renew a certificate',
  description:
    'Turns the certificate shown in the TLS handshake and a certificate request into its successor (RFC 7030 §4.2.2). What the request says of subject and names equals the present certificate; what it leaves out is filled in by profile and registry, which are asked anew. The successor waits for its first use, an admitted connection or `confirmCertificate`, and the present certificate stays good meanwhile. Until then the same key gets the same answer, and another key takes the place of the first and raises an alarm.',
  permission: 'certificate',
  body: certificateRequest,
  answer: oneCertificate,
  failures: [...ofCertificate, ...ofRenewal, ...ofRequest, 'identity-not-found'],
})

const makeServerKey = atBoth({
  id: 'makeServerKey',
  method: 'POST',
  place: 'serverkeygen',
  summary: 'Enrol a device with a key that the hub makes',
  description:
    'As `enrolDevice`, with a key that the hub makes of the first kind in the profile, because the device cannot (RFC 7030 §4.4). The key of the request and its signature are not looked at. The key is handed out once and kept nowhere; asking again with the same token revokes the certificate that nobody has used, and makes both anew. A passphrase of 8 to 64 printable ASCII characters in the header `Handfast-Key-Passphrase` encrypts the key: as `application/pkcs8-encrypted` (PBES2), or as traditional PEM in `application/x-pem-file` where the profile is for mbedTLS. DecryptKeyIdentifier and AsymmetricDecryptKeyIdentifier are refused.',
  permission: 'token',
  body: certificateRequest,
  answer: {
    kind: 'text',
    status: 200,
    description: 'The key, then its certificate.',
    types: {
      'multipart/mixed': {
        description: 'two parts: `application/pkcs8` or an encrypted form of it, and `application/pkcs7-mime`',
        example:
          '--4b1d\r\nContent-Type: application/pkcs8\r\nContent-Transfer-Encoding: base64\r\n\r\nMIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQg…\r\n--4b1d\r\nContent-Type: application/pkcs7-mime; smime-type=certs-only\r\nContent-Transfer-Encoding: base64\r\n\r\nMIICZQYJKoZIhvcNAQcCoIICVjCCAlICAQExADALBgkqhkiG…\r\n--4b1d--\r\n',
      },
    },
  },
  failures: [...ofToken, ...ofRequest, 'server-key-encryption-unsupported', 'key-passphrase-unusable'],
})

const confirmationView = answerNamed(
  'ConfirmationView',
  'What the hub knows of the certificate that was shown.',
  z.object({
    device: z.string().meta({ description: 'whose it is' }),
    serialNumber: z.string().meta({ description: 'hexadecimal, lower case' }),
    state: z.string().meta({ description: '`active`, from its first use on' }),
    notAfter: z.string().meta({ format: 'date-time', description: 'last good second' }),
  }),
)

const confirmCertificate = operation({
  id: 'confirmCertificate',
  act: null,
  method: 'POST',
  path: '/device/confirm',
  tag: 'enrolment',
  summary: 'Confirm that a certificate is in use',
  description:
    'For devices that connect to other hubs than this one: whoever shows a certificate here in the TLS handshake uses it, as an admitted MQTT connection does. A pending certificate becomes active, and the one before it is superseded. It has no body and may be repeated.',
  permission: 'certificate',
  answer: {
    kind: 'json',
    status: 200,
    description: 'It is in use.',
    schema: confirmationView,
    example: {
      device: 'pump-7',
      serialNumber: '3f1c9a4be07d5526c0de6f0c17c2a9d4e1b6a2f3',
      state: 'active',
      notAfter: '2026-12-05T12:00:00.000Z',
    },
  },
  failures: [
    ...ofCertificate,
    'identity-not-found',
    'identity-pending',
    'identity-disabled',
    'identity-retired',
    'enrolments-too-many',
    'rate-limited',
    'journal-unavailable',
  ],
})

const rootsKeptView = answerNamed(
  'RootsKeptView',
  'What the hub has noted.',
  z.object({
    device: z.string().meta({ description: 'who said so' }),
    roots: z.array(z.string()).meta({ description: 'SHA-256 of those that the hub trusts now' }),
  }),
)

const noteRoots = operation({
  id: 'noteRoots',
  act: null,
  method: 'POST',
  path: '/device/roots',
  tag: 'enrolment',
  summary: 'Say which roots a device keeps',
  description:
    'While a root is changed: a device that has fetched the new one, keeps it, and has verified this connection with it alone says so, and shows its certificate. The old root is taken away when enough devices have. It has no body and may be repeated.',
  permission: 'certificate',
  query: z.strictObject({
    sha256: z
      .string()
      .meta({ description: 'SHA-256 of the roots in DER, lower-case hexadecimal, with commas between' }),
  }),
  answer: {
    kind: 'json',
    status: 200,
    description: 'It is noted.',
    schema: rootsKeptView,
    example: {
      device: 'pump-7',
      roots: ['9f2c4d1e5a6b7c8d9e0f1a2b3c4d5e6f708192a3b4c5d6e7f8091a2b3c4d5e6f'],
    },
  },
  failures: [
    ...ofCertificate,
    'request-invalid',
    'identity-not-found',
    'identity-pending',
    'identity-disabled',
    'identity-retired',
    'enrolments-too-many',
    'rate-limited',
    'journal-unavailable',
  ],
})

const ownVerdict = {
  outcome: z.enum(['admitted', 'refused']),
  code: z.string().nullable().meta({ description: 'the name of the failure, where the device may know it' }),
  id: z.string().nullable().meta({ description: 'the same as it stands in docs/failures.md, such as HF-2106' }),
  sentence: z.string().nullable().meta({ description: 'what a refused client is told; null where it was admitted' }),
}

const ownAttemptsView = answerNamed(
  'OwnAttemptsView',
  'What the hub has made of the last attempts of a device, in the words that a refused client is told.',
  z.object({
    device: z.string().meta({ description: 'whose certificate was shown' }),
    verdict: z.object(ownVerdict).meta({ description: 'what the gate would say to this certificate now' }),
    attempts: z
      .array(
        z.object({
          at: z.iso.datetime(),
          listener: z.string(),
          stage: z.string().meta({ description: 'how far it came' }),
          ...ownVerdict,
        }),
      )
      .meta({ description: 'the newest first, at most 20' }),
  }),
)

const readOwnAttempts = operation({
  id: 'readOwnAttempts',
  act: null,
  method: 'GET',
  path: '/device/attempts',
  tag: 'enrolment',
  summary: 'Read what the hub has made of the own last attempts',
  description:
    'For a device that cannot get in and cannot see why: small TLS libraries and MQTT 3.1.1 show no reason. It shows its certificate, which need not be good any more. A certificate that may connect is told the attempts of its identity; one that may not, those with that very certificate. Addresses are not told. A certificate that the hub never issued is told nothing.',
  permission: 'certificate',
  answer: {
    kind: 'json',
    status: 200,
    description: 'What it may know.',
    schema: ownAttemptsView,
    example: {
      device: 'pump-7',
      verdict: {
        outcome: 'refused',
        code: 'certificate-expired',
        id: 'HF-2106',
        sentence: 'HF-2106 the certificate of pump-7 ended 3 days ago',
      },
      attempts: [
        {
          at: '2026-11-25T12:00:00.000Z',
          listener: 'mqtt',
          stage: 'certificate',
          outcome: 'refused',
          code: 'certificate-expired',
          id: 'HF-2106',
          sentence: 'HF-2106 the certificate of pump-7 ended 3 days ago',
        },
      ],
    },
  },
  failures: [...ofCertificate, 'rate-limited'],
})

/** All that the EST listener serves. */
export const estOperations: readonly Operation[] = [
  ...fetchCaCertificates,
  ...fetchCsrAttributes,
  ...enrolDevice,
  ...renewCertificate,
  ...makeServerKey,
  confirmCertificate,
  noteRoots,
  readOwnAttempts,
]
