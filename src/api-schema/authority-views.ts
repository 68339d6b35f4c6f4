/** What the admin API answers about authorities and their changes. */
import { z } from 'zod'
import { authorityKeyTypes } from '../core/x509/authority-key.ts'
import { answerNamed } from './components.ts'

const time = (description: string) => z.string().meta({ format: 'date-time', description })
const text = (description: string) => z.string().meta({ description })
const count = (description: string) => z.number().int().min(0).meta({ description })
const sha256 = (description: string) => z.string().meta({ pattern: '^[0-9a-f]{64}$', description })

export const authorityView = answerNamed(
  'AuthorityView',
  'An authority that the hub runs, or a root that somebody else keeps for it.',
  z.object({
    id: text('its name, also that of its key'),
    role: z.enum(['root', 'issuing']),
    chain: text('the hierarchy that it belongs to'),
    state: z.enum(['prepared', 'active', 'previous', 'retired']).meta({
      description:
        'prepared signs nothing yet; active signs what is new; previous signs its CRLs on and is trusted; retired is neither',
    }),
    keyType: z.enum(authorityKeyTypes),
    keyPlace: z.enum(['hub', 'offline']).meta({ description: 'offline: its key is not in the hub' }),
    parentId: z.string().nullable().meta({ description: 'who has signed it; null for a root' }),
    subject: text('its name as it stands in what it signs'),
    fingerprint: sha256('SHA-256 of its certificate in DER'),
    notBefore: time('first good second'),
    notAfter: time('last good second'),
  }),
)
export type AuthorityView = z.infer<typeof authorityView>

export const authorityDetailView = answerNamed(
  'AuthorityDetailView',
  'An authority with its certificates.',
  z.object({
    authority: authorityView,
    certificate: text('in PEM'),
    path: z.array(z.string()).meta({ description: 'in PEM: what is sent behind its certificates in TLS' }),
    crossCertificates: z
      .array(z.string())
      .meta({ description: 'in PEM: what other authorities have signed for its key' }),
  }),
)
export type AuthorityDetailView = z.infer<typeof authorityDetailView>

export const authorityListView = answerNamed(
  'AuthorityList',
  'Every authority there has been, in order of creation.',
  z.object({ items: z.array(authorityView) }),
)
export type AuthorityListView = z.infer<typeof authorityListView>

export const exportedKeyView = answerNamed(
  'ExportedKeyView',
  'The key of a root.',
  z.object({ id: text('the authority'), key: text('PKCS#8 in PEM, encrypted (PBES2, AES-256)') }),
)
export type ExportedKeyView = z.infer<typeof exportedKeyView>

export const authorityRequestView = answerNamed(
  'AuthorityRequestView',
  'The certificate request of an issuing authority.',
  z.object({
    id: text('what the authority will be called'),
    chain: text('the hierarchy that it will be of'),
    request: text('PKCS#10 in PEM'),
  }),
)
export type AuthorityRequestView = z.infer<typeof authorityRequestView>

export const rollOverView = answerNamed(
  'RollOverView',
  'A change of an authority for another one.',
  z.object({
    id: text('16 hexadecimal characters'),
    role: z.enum(['root', 'issuing']),
    chain: text('the hierarchy that it belongs to'),
    from: text('the authority that is changed'),
    to: text('its successor'),
    state: z.enum(['prepared', 'published', 'switched', 'cutting', 'done', 'undone']).meta({
      description:
        'prepared: made and seen by nobody; published: everybody may fetch it; switched: the successor signs what is new; cutting: the old root goes as soon as the share is reached',
    }),
    isPaused: z.boolean(),
    sharePercent: count('of a hundred devices, how many must be known to trust the new root before the cut'),
    devices: count('devices that are active'),
    acknowledged: count(
      'of these, how many are known to trust the successor; of an issuing authority nothing is asked',
    ),
    unknown: z.array(z.string()).meta({ description: 'the first of the others, ascending' }),
    startedAt: time('when it was begun'),
    changedAt: time('its last step'),
  }),
)
export type RollOverView = z.infer<typeof rollOverView>

export const rollOverListView = answerNamed(
  'RollOverList',
  'Every roll-over there has been, newest first.',
  z.object({ items: z.array(rollOverView) }),
)
export type RollOverListView = z.infer<typeof rollOverListView>
