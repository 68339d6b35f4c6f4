/**
 * `handfast/verify`: for servers that are not the hub. Who is behind a client's certificate, may it in now, and what may it do; asked at
 * each connection, also where TLS resumes a session. docs/verify.md shows it in use.
 */
export { HubError } from '../core/errors.ts'
export type { FailureName } from '../core/failure/catalogue.ts'
export type { Identity } from '../core/identity/identity.ts'
export { parseTopicFilter, type TopicFilter } from '../core/mqtt/filter.ts'
export { parseTopicName, type TopicName } from '../core/mqtt/topic.ts'
export { Violation } from '../core/mqtt/violation.ts'
export type { Action, Decision, Rights } from '../core/policy/rights.ts'
export type { CertificateSummary } from '../core/x509/certificate-summary.ts'
export { type AuthoritiesOptions, type IdentityFacts, verifyByAuthorities } from './by-authorities.ts'
export { type HubOptions, verifyByHub } from './by-hub.ts'
export type { HubPlace, HubTls } from './hub/connection.ts'
export type { CrlOptions } from './status/crl.ts'
export type { OcspOptions } from './status/ocsp.ts'
export type { Admitted, Arrival, Peer, Refused, Verdict } from './verdict.ts'
export type { ServerOptions, Verifier } from './verifier.ts'
