/** The ports of the registry over Kysely, the same for every database. */
import type { RawBuilder } from 'kysely'
import type { Clock } from '../hub/ports/clock.ts'
import type { Store, Transaction } from '../hub/ports/store.ts'
import type { Access } from './schema.ts'
import { adoptionReader, adoptions } from './tables/adoptions.ts'
import { anchorReader, anchors } from './tables/anchors.ts'
import { apiKeyReader, apiKeys } from './tables/api-keys.ts'
import { attemptReader, attemptWriter } from './tables/attempts.ts'
import { auditReader, auditWriter } from './tables/audit.ts'
import { authorities, authorityReader } from './tables/authorities.ts'
import { caseReader, cases } from './tables/cases.ts'
import { countReader } from './tables/counts.ts'
import { credentialReader, credentials } from './tables/credentials.ts'
import { crlReader, crls } from './tables/crls.ts'
import { enrolmentRequestReader, enrolmentRequests } from './tables/enrolment-requests.ts'
import { eventReader, eventWriter } from './tables/events.ts'
import { idempotency, idempotencyReader } from './tables/idempotency.ts'
import { identities, identityReader } from './tables/identities.ts'
import { incidentReader, incidents } from './tables/incidents.ts'
import { leases } from './tables/leases.ts'
import type { LogEnds } from './tables/log-ends.ts'
import { passwordReader, passwords } from './tables/passwords.ts'
import { pinReader, pins } from './tables/pins.ts'
import { policies, policyReader } from './tables/policies.ts'
import { profileReader, profiles } from './tables/profiles.ts'
import { renewalReader, renewals } from './tables/renewals.ts'
import { roleGrantReader, roleGrants } from './tables/role-grants.ts'
import { rollOverReader, rollOvers } from './tables/roll-overs.ts'
import { sealedKeyReader, sealedKeys } from './tables/sealed-keys.ts'
import { settingReader, settings } from './tables/settings.ts'
import { tokenReader, tokens } from './tables/tokens.ts'

/** The read side. */
export function readersOver(access: Access): Omit<Store, 'write' | 'onEvents' | 'health' | 'close'> {
  return {
    identities: identityReader(access),
    credentials: credentialReader(access),
    tokens: tokenReader(access),
    passwords: passwordReader(access),
    authorities: authorityReader(access),
    rollOvers: rollOverReader(access),
    profiles: profileReader(access),
    policies: policyReader(access),
    anchors: anchorReader(access),
    pins: pinReader(access),
    enrolmentRequests: enrolmentRequestReader(access),
    renewals: renewalReader(access),
    roleGrants: roleGrantReader(access),
    crls: crlReader(access),
    apiKeys: apiKeyReader(access),
    settings: settingReader(access),
    sealedKeys: sealedKeyReader(access),
    adoptions: adoptionReader(access),
    idempotency: idempotencyReader(access),
    events: eventReader(access),
    audit: auditReader(access),
    attempts: attemptReader(access),
    cases: caseReader(access),
    incidents: incidentReader(access),
    counts: countReader(access),
  }
}

export interface WriterParts {
  /** The time of events. */
  readonly clock: Clock
  /** The time by which leases end, as an expression of the database. */
  nowMs(): RawBuilder<number>
  /** Of the open transaction. */
  readonly ends: LogEnds
  /** Called before events are appended. */
  onEvent(): void
}

/** The tables inside one transaction. Most units of work touch few of them, so each is made when it is asked for. */
export function writersOver(access: Access, { clock, nowMs, ends, onEvent }: WriterParts): Transaction {
  return {
    get identities() {
      return identities(access)
    },
    get credentials() {
      return credentials(access)
    },
    get tokens() {
      return tokens(access)
    },
    get passwords() {
      return passwords(access)
    },
    get authorities() {
      return authorities(access)
    },
    get rollOvers() {
      return rollOvers(access)
    },
    get profiles() {
      return profiles(access)
    },
    get pins() {
      return pins(access)
    },
    get anchors() {
      return anchors(access)
    },
    get policies() {
      return policies(access)
    },
    get enrolmentRequests() {
      return enrolmentRequests(access)
    },
    get renewals() {
      return renewals(access)
    },
    get roleGrants() {
      return roleGrants(access)
    },
    get crls() {
      return crls(access)
    },
    get apiKeys() {
      return apiKeys(access)
    },
    get settings() {
      return settings(access)
    },
    get sealedKeys() {
      return sealedKeys(access)
    },
    get adoptions() {
      return adoptions(access)
    },
    get idempotency() {
      return idempotency(access)
    },
    get leases() {
      return leases(access, nowMs)
    },
    get events() {
      return eventWriter(access, clock, ends, onEvent)
    },
    get audit() {
      return auditWriter(access, ends)
    },
    get attempts() {
      return attemptWriter(access)
    },
    get cases() {
      return cases(access)
    },
    get incidents() {
      return incidents(access)
    },
  }
}
