/** What servers of somebody's own ask the hub about the certificates that they are shown: docs/verify.md. */
import { z } from 'zod'
import { answerNamed } from '../components.ts'
import { type Operation, operation } from '../operation.ts'

const ofVerifier = [
  'verify-not-granted',
  'certificate-missing',
  'certificate-unreadable',
  'certificate-self-signed',
  'certificate-foreign-authority',
  'certificate-unknown-serial',
  'certificate-expired',
  'certificate-not-yet-valid',
  'certificate-revoked',
  'certificate-superseded',
  'certificate-lapsed',
  'certificate-never-completed',
  'certificate-not-adopted',
  'identity-not-found',
  'identity-pending',
  'identity-disabled',
  'identity-retired',
  'rate-limited',
] as const

const common = { act: null, method: 'GET', tag: 'verifiers', permission: 'certificate' } as const

const position = z.string().meta({ description: 'goes with the next question for changes' })

const admitted = z.object({
  admitted: z.literal(true),
  identity: z.object({
    id: z.string(),
    kind: z.enum(['device', 'service', 'user']),
    group: z.string().nullable(),
    attributes: z.record(z.string(), z.string()),
    keyStorage: z.enum(['software', 'secure-element', 'tpm', 'hsm']).nullable(),
  }),
  authority: z.string().meta({ description: 'id of the authority that signed it' }),
  profile: z.string(),
  keyOrigin: z.enum(['holder', 'hub']).meta({ description: 'who made the key' }),
  endsAtMs: z.number().meta({ description: 'from when on time alone ends it, in milliseconds since the epoch' }),
})

const refused = z.object({
  admitted: z.literal(false),
  code: z.string().meta({ description: 'a code of docs/failures.md' }),
  sentence: z.string().meta({ description: 'for whoever runs the server, not for the client' }),
  identityId: z.string().nullable().meta({ description: 'whose it is; null where nobody knows' }),
})

const peersView = answerNamed(
  'PeersView',
  'Whom certificates speak for, and whether they open anything now.',
  z.object({
    position,
    answers: z.array(z.union([admitted, refused])).meta({ description: 'in the order of the question' }),
  }),
)

const lookUpCertificates = operation({
  ...common,
  id: 'lookUpCertificates',
  path: '/verifier/certificates',
  summary: 'Ask about certificates',
  description:
    'Whom certificates of this hub speak for, and whether they open anything now, by the SHA-256 of the whole certificate. The server has seen in a TLS handshake that the client holds the key. An answer counts until `followChanges` names its identity, or until `endsAtMs`.',
  query: z.strictObject({
    sha256: z
      .string()
      .meta({ description: 'SHA-256 of 1 to 64 certificates in DER, lower-case hexadecimal, with commas between' }),
  }),
  answer: {
    kind: 'json',
    status: 200,
    description: 'One answer for each.',
    schema: peersView,
    example: {
      position: '5d1e.42',
      answers: [
        {
          admitted: true,
          identity: { id: 'pump-7', kind: 'device', group: 'line-4', attributes: { site: 'north' }, keyStorage: null },
          ...{ authority: 'issuing-1', profile: 'device', keyOrigin: 'holder', endsAtMs: 1_796_472_000_000 },
        },
      ],
    },
  },
  failures: [...ofVerifier, 'request-invalid'],
})

const changesView = answerNamed(
  'PeerChangesView',
  'Whose answers count no more.',
  z.object({
    position,
    changed: z
      .array(z.string())
      .nullable()
      .meta({ description: 'ids of identities; null where everything may have changed' }),
  }),
)

const followChanges = operation({
  ...common,
  id: 'followChanges',
  path: '/verifier/changes',
  summary: 'Hear who has changed',
  description:
    'Waits until an identity or a certificate of one has changed, or for `wait` seconds. Without `after`, and with one that this process of the hub does not know, it answers at once that everything may have changed.',
  query: z.strictObject({
    after: z.string().optional().meta({ description: 'the `position` of the last answer' }),
    wait: z.string().optional().meta({ description: 'whole seconds, 20 at the most; 0 where it is left out' }),
  }),
  answer: {
    kind: 'json',
    status: 200,
    description: 'Who has changed, if anybody.',
    schema: changesView,
    example: { position: '5d1e.43', changed: ['pump-7'] },
  },
  failures: [...ofVerifier, 'request-invalid', 'verify-polls-too-many'],
})

const listSigners = operation({
  ...common,
  id: 'listSigners',
  path: '/verifier/authorities',
  summary: 'List the authorities that sign clients',
  description: 'Those that sign now and those that have signed certificates which are still good.',
  answer: {
    kind: 'json',
    status: 200,
    description: 'The authorities.',
    schema: answerNamed(
      'SignersView',
      'Authorities whose certificates the hub answers for.',
      z.object({
        authorities: z.array(z.object({ id: z.string(), certificate: z.string().meta({ description: 'PEM' }) })),
      }),
    ),
    example: {
      authorities: [
        { id: 'issuing-1', certificate: '-----BEGIN CERTIFICATE-----\nMIIB…\n-----END CERTIFICATE-----\n' },
      ],
    },
  },
  failures: ofVerifier,
})

const readPolicy = operation({
  ...common,
  id: 'readPolicyAsVerifier',
  path: '/verifier/policy',
  summary: 'Read the policy that is active',
  description: 'The policy file by which the hub decides now, for servers that decide by it too.',
  answer: {
    kind: 'json',
    status: 200,
    description: 'The policy; both are null where none is active and the default decides.',
    schema: answerNamed(
      'VerifierPolicyView',
      'A version of the policy.',
      z.object({
        number: z.number().nullable(),
        source: z.string().nullable().meta({ description: 'YAML, as docs/policy.md has it' }),
      }),
    ),
    example: { number: 3, source: 'bindings:\n  - roles: [own-topics]\n    to: everyone\n' },
  },
  failures: ofVerifier,
})

export const verifierOperations: readonly Operation[] = [lookUpCertificates, followChanges, listSigners, readPolicy]
