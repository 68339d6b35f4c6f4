/**
 * What the admin API answers (`/api/v1`). The document at /api/openapi.json is made from these schemas, tests hold every
 * answer to them, and the command line reads answers through their types.
 *
 * Times are ISO 8601 in UTC with milliseconds. Lists are pages: `{ items, next }`, where `next` goes into `?after=`. Readers
 * pass over fields that they do not know: new ones may come.
 */
import { z } from 'zod'
import { identityKinds } from '../core/identity/id.ts'
import { identityStates, keyStorages } from '../core/identity/identity.ts'
import { answerNamed } from './components.ts'
import { keyStorageSays } from './requests.ts'

const time = (description: string) => z.string().meta({ format: 'date-time', description })
const text = (description: string) => z.string().meta({ description })
const count = (description: string) => z.number().int().min(0).meta({ description })
const port = (description: string) => z.number().int().min(1).max(65_535).meta({ description })
const sha256 = (description: string) => z.string().meta({ pattern: '^[0-9a-f]{64}$', description })

export const deviceView = answerNamed(
  'DeviceView',
  'A device as the registry holds it.',
  z.object({
    id: text('its name, unique for ever: the common name in its certificates and the first levels of its topics'),
    kind: z.enum(identityKinds),
    state: z.enum(identityStates).meta({ description: 'only active devices connect; retired is final' }),
    group: z.string().nullable().meta({ description: 'null where it is in no group' }),
    attributes: z.record(z.string(), z.string()).meta({ description: 'what its operators keep about it' }),
    profiles: z.array(z.string()).meta({ description: 'profiles that its certificates may be made from' }),
    dnsNames: z.array(z.string()).meta({ description: 'names that its certificates may have beside its id' }),
    ipAddresses: z.array(z.string()).meta({ description: 'addresses that they may have' }),
    emails: z.array(z.string()).meta({ description: 'e-mail addresses that they may have' }),
    keyStorage: z.enum(keyStorages).nullable().meta({ description: keyStorageSays }),
    version: count('1 at its registration, one more with every change; in quotes it is the ETag of the device'),
    createdAt: time('when it was registered'),
    updatedAt: time('when it was changed last'),
  }),
)
export type DeviceView = z.infer<typeof deviceView>

export const credentialView = answerNamed(
  'CredentialView',
  'A certificate that was issued to a device.',
  z.object({
    serialNumber: text('hexadecimal, lower case'),
    fingerprint: sha256('SHA-256 of the certificate in DER'),
    deviceId: text('whose it is'),
    authority: text('which authority of the hub signed it'),
    profile: text('what it may be used for'),
    state: z
      .enum(['intended', 'pending', 'active', 'quarantined', 'superseded', 'revoked', 'expired', 'unadopted'])
      .meta({ description: 'pending until its first use' }),
    notBefore: time('first good second'),
    notAfter: time('last good second'),
    issuedAt: time('when it was signed'),
    activatedAt: time('its first use').nullable(),
    parent: z.string().nullable().meta({
      description: 'serial number of the certificate that it was renewed from; null where a token or an operator asked',
    }),
    supersededAt: time('when its successor was first used').nullable(),
    overlapEndsAt: time('until when it is good although it was superseded; null where it was not').nullable(),
    revokedAt: time('when it was revoked').nullable(),
    revocationReason: z.string().nullable().meta({ description: 'as it stands in the CRL (RFC 5280 §5.3.1)' }),
  }),
)
export type CredentialView = z.infer<typeof credentialView>

export const enrolmentView = answerNamed(
  'EnrolmentView',
  'All that a device needs to enrol: the parts of its bootstrap string.',
  z.object({
    host: text('name or address of the hub, as devices call it; an IPv6 address without brackets'),
    httpsPort: port('where EST is served'),
    mqttPort: port('where MQTT over TLS is served'),
    estUrl: text('base of the EST operations (RFC 7030); the certificate request is posted to simpleenroll below it'),
    rootFingerprint: sha256('SHA-256 of the root certificate in DER: compare it before the token is sent'),
    token: text('secret, good once: the password of HTTP Basic at EST, with the id of the device as user name'),
  }),
)
export type EnrolmentView = z.infer<typeof enrolmentView>

export const bootstrapView = answerNamed(
  'BootstrapView',
  'A new right to enrol. It holds a secret, which is shown once.',
  z.object({
    device: deviceView,
    bootstrap: text('the bootstrap string: everything under `enrolment` in one line, for `handfast enrol`; secret'),
    enrolment: enrolmentView,
    tokenExpiresAt: time('from then on the token enrols nobody'),
  }),
)
export type BootstrapView = z.infer<typeof bootstrapView>

export const contestView = answerNamed(
  'ContestView',
  'A renewal for which two keys asked: the owner of a certificate and a thief may both be renewing.',
  z.object({
    at: time('when the later of them asked'),
    renewed: text('serial number of the certificate that both showed'),
    earlier: text('serial number of what the earlier key was given'),
    later: text('serial number of what the later key was given'),
  }),
)
export type ContestView = z.infer<typeof contestView>

export const deviceDetailView = answerNamed(
  'DeviceDetailView',
  'A device with its certificates.',
  z.object({
    device: deviceView,
    credentials: z.array(credentialView).meta({ description: 'the newest 100, newest first' }),
    contests: z
      .array(contestView)
      .meta({ description: 'renewals for which two keys asked: the newest 10, newest first' }),
  }),
)
export type DeviceDetailView = z.infer<typeof deviceDetailView>

export const deviceChangeView = answerNamed(
  'DeviceChangeView',
  'What a revocation or a change of state did.',
  z.object({
    device: deviceView,
    revoked: z.array(z.string()).meta({ description: 'serial numbers that were revoked by this act' }),
    tokensEnded: count('enrolment tokens that were ended by this act'),
  }),
)
export type DeviceChangeView = z.infer<typeof deviceChangeView>

export const certificateSummaryView = answerNamed(
  'CertificateSummaryView',
  'What was read from the certificate of whoever tried to connect; it may be of a stranger.',
  z.object({
    fingerprint: sha256('SHA-256 of the certificate in DER'),
    serialNumber: text('hexadecimal, lower case'),
    subject: text('escaped, at most 256 characters'),
    issuer: text('escaped, at most 256 characters'),
    notBefore: text('any time at all, as a stranger may write it: years beyond 9999 carry a sign'),
    notAfter: text('as notBefore'),
  }),
)

export const attemptView = answerNamed(
  'AttemptView',
  'One try to connect or to enrol.',
  z.object({
    number: count('counted from 1, in the order in which they were recorded'),
    at: time('when it ended or was admitted'),
    listener: text(
      'mqtt or another listener of the gate by its name, with @ and the id of a gate on another machine; est, api or gate-link',
    ),
    address: text('where it came from'),
    stage: text('how far it came; `session` when it was admitted'),
    outcome: z.enum(['admitted', 'refused']),
    code: z.string().nullable().meta({ description: 'stable name of the failure, null when admitted' }),
    failureId: z.string().nullable().meta({ description: 'its number, as in HF-2108; null when admitted' }),
    sentence: text('what happened, for a person'),
    cure: z.string().nullable().meta({ description: 'what to do next, null when admitted' }),
    deviceId: z.string().nullable().meta({ description: 'null where nobody has proved to be one' }),
    clientId: z.string().nullable(),
    tlsVersion: z.string().nullable(),
    mqttVersion: z.string().nullable(),
    certificate: certificateSummaryView.nullable(),
  }),
)
export type AttemptView = z.infer<typeof attemptView>

export const adoptionView = answerNamed(
  'AdoptionView',
  'What the journal knows of a device that the restored registry does not, and what adopting it would change.',
  z.object({
    device: deviceView.meta({ description: 'as it is now' }),
    becomes: z
      .object({
        state: z.enum(identityStates),
        group: z.string().nullable(),
        attributes: z.record(z.string(), z.string()),
        profiles: z.array(z.string()),
        dnsNames: z.array(z.string()),
        ipAddresses: z.array(z.string()),
        emails: z.array(z.string()),
        keyStorage: z.enum(keyStorages).nullable(),
      })
      .nullable()
      .meta({ description: 'as it would be; null where it stays as it is' }),
    credentials: z
      .array(credentialView)
      .meta({ description: 'certificates that would open the door again, oldest first' }),
  }),
)
export type AdoptionView = z.infer<typeof adoptionView>

export const adoptedView = answerNamed(
  'AdoptedView',
  'What an adoption did.',
  z.object({
    device: deviceView,
    credentials: z.array(credentialView).meta({ description: 'certificates that were taken, as they are now' }),
  }),
)
export type AdoptedView = z.infer<typeof adoptedView>

export const auditEntryView = answerNamed(
  'AuditEntryView',
  'An act that changed something.',
  z.object({
    number: count('counted from 1 without gaps, in the order of commits'),
    at: time('when it was done'),
    actor: text('who did it: `key:<name>`, `device:<id>`, `token:<id>`, `hub`, or `journal` after a restore'),
    act: text('what was done, as in identity.register'),
    subject: text('what it was done to'),
    before: z.unknown().meta({ description: 'what of the subject was changed; null where there was nothing' }),
    after: z.unknown().meta({ description: 'the same after it; null where nothing is left' }),
    hash: sha256(
      'SHA-256 over the hash of the entry before, a line feed and the entry as a JSON array; docs/audit.md says how to check it',
    ),
  }),
)
export type AuditEntryView = z.infer<typeof auditEntryView>

export const auditHeadView = answerNamed(
  'AuditHeadView',
  'The newest entry of the audit log: whoever keeps it elsewhere can tell later whether anything before it was changed.',
  z.object({
    number: count('0 while the log is empty'),
    hash: sha256('of the newest entry; zeros while the log is empty'),
  }),
)
export type AuditHeadView = z.infer<typeof auditHeadView>

export const auditChainView = answerNamed(
  'AuditChainView',
  'Entries of the audit log in their order, and the head that they lead to.',
  z.object({ items: z.array(auditEntryView), head: auditHeadView }),
)
export type AuditChainView = z.infer<typeof auditChainView>

const endpoint = answerNamed(
  'EndpointView',
  'Where the hub listens on its machine.',
  z.object({ host: z.string(), port: port('TCP port') }),
)

/** What the hub says of itself; `HubStatusView` has it whole. */
export const hubView = z.object({
  version: text('of Handfast'),
  realm: text('trust domain of its SPIFFE IDs'),
  publicName: text('what devices call it'),
  mqtt: endpoint.meta({ description: 'MQTT over TLS' }),
  listeners: z
    .array(
      z.object({
        name: text('as in the settings and in attempts'),
        host: z.string(),
        port: port('TCP port'),
        path: text('of the WebSocket; null for MQTT over TLS').nullable(),
      }),
    )
    .meta({ description: 'all listeners of the gate; the first is `mqtt`' }),
  https: endpoint.meta({ description: 'EST' }),
  http: endpoint.meta({ description: 'CRLs, OCSP and CA certificates' }),
  api: endpoint.nullable().meta({ description: 'this API over TLS; null where only the unix socket serves it' }),
  gateLink: endpoint
    .nullable()
    .meta({ description: 'where gates on other machines link themselves; null where none may' }),
  gates: z
    .array(
      z.object({
        id: text('the service that it is'),
        address: text('where it connects from'),
        sessions: count('MQTT sessions that it has'),
      }),
    )
    .meta({ description: 'gates on other machines that are linked now' }),
  rootFingerprint: sha256('SHA-256 of the root certificate in DER'),
  ca: text('root certificates in PEM'),
  sessions: count('MQTT sessions that live now, on all gates'),
  upstream: z.object({ kind: z.string(), available: z.boolean() }).meta({ description: 'the broker behind the gate' }),
})
export type HubView = z.infer<typeof hubView>

/** A page of any view. */
export interface PageView<T> {
  items: T[]
  next: string | null
}

export const enrolmentRequestView = answerNamed(
  'EnrolmentRequestView',
  'A key that asks for a certificate and waits for approval, or what was decided.',
  z.object({
    id: text('names the request'),
    device: text('for whom it asks'),
    profile: text('what the certificate will be for'),
    words: text('the fingerprint of the key as six words, as the device shows them'),
    publicKeyHash: sha256('SHA-256 of the public key (SubjectPublicKeyInfo in DER)'),
    state: z.enum(['waiting', 'approved', 'refused', 'done']).meta({ description: 'done: it has its certificate' }),
    requestedAt: time('when it asked first'),
    decidedAt: time('when it was approved or refused').nullable(),
    endsAt: time('when it counts no longer'),
  }),
)
export type EnrolmentRequestView = z.infer<typeof enrolmentRequestView>

export const enrolmentDecisionView = answerNamed(
  'EnrolmentDecisionView',
  'What was decided.',
  z.object({ requests: z.array(enrolmentRequestView) }),
)
export type EnrolmentDecisionView = z.infer<typeof enrolmentDecisionView>

export function pageOf<Item extends z.ZodType>(id: string, description: string, item: Item) {
  return answerNamed(
    id,
    description,
    z.object({
      items: z.array(item),
      next: z
        .string()
        .nullable()
        .meta({ description: 'the cursor of the next page, for `after`; null on the last one' }),
    }),
  )
}

export const devicePageView = pageOf('DevicePage', 'A page of devices, ascending by id.', deviceView)
export const attemptPageView = pageOf('AttemptPage', 'A page of attempts.', attemptView)
export const adoptionPageView = pageOf('AdoptionPage', 'A page of what waits for adoption.', adoptionView)
export const enrolmentRequestPageView = pageOf(
  'EnrolmentRequestPage',
  'A page of keys that wait for approval, oldest first.',
  enrolmentRequestView,
)
export const auditPageView = pageOf('AuditPage', 'A page of the audit log, newest first.', auditEntryView)

export const faultView = answerNamed(
  'FaultView',
  'One thing that is wrong with a request.',
  z.object({
    in: z.enum(['body', 'query', 'path', 'header']).meta({ description: 'which part of the request' }),
    pointer: text(
      'JSON Pointer (RFC 6901) to the field in the body, or "/" and the name of the parameter; empty for the whole part',
    ),
    message: text('what is wrong with it'),
  }),
)

/** RFC 9457, with our code, its number, the next action and the fields at fault. */
export const problemView = answerNamed(
  'ProblemView',
  'A refusal, as RFC 9457 has it. Programs decide by `code`, which never changes its meaning.',
  z.object({
    type: text('`urn:handfast:failure:` and the code'),
    title: text('the failure in general'),
    status: z.number().int().min(202).max(599).meta({ description: 'the status of the answer' }),
    detail: text('this failure, with the value that was refused'),
    code: text('stable name of the failure'),
    failureId: text('its number, as in HF-8103'),
    hint: text('what to do next'),
    instance: text('names this request, as the log of the hub does: `urn:handfast:request:` and its id'),
    faults: z.array(faultView).optional().meta({ description: 'every field at fault, where the request is not valid' }),
  }),
)
export type ProblemView = z.infer<typeof problemView>
