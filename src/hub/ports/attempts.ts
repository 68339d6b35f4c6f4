import type { FailureName } from '../../core/failure/catalogue.ts'
import type { Stage } from '../../core/failure/failure.ts'
import type { CertificateSummary } from '../../core/x509/certificate-summary.ts'
import type { PageQuery } from './page.ts'

/** The record of one try to connect. */
export interface NewAttempt {
  readonly atMs: number
  readonly listener: string
  readonly address: string
  /** How far it came: the stage that ended it, or `session` when it was admitted. */
  readonly stage: Stage
  readonly outcome: 'admitted' | 'refused'
  /** Why it was refused; null when it was admitted, unless something about it is amiss. */
  readonly code: FailureName | null
  /** One sentence for a person. */
  readonly sentence: string
  readonly identityId: string | null
  readonly clientId: string | null
  readonly tlsVersion: string | null
  readonly mqttVersion: '3.1' | '3.1.1' | '5' | null
  readonly certificate: CertificateSummary | null
}

/** The same with its number, counted from 1. */
export interface Attempt extends NewAttempt {
  readonly number: number
}

export interface AttemptQuery extends PageQuery {
  readonly outcome?: 'admitted' | 'refused'
  readonly identityId?: string
  readonly code?: FailureName
  /** Only those of devices and services that are in these groups now, at most `limits.groupsReachedMax`. */
  readonly inGroups?: readonly string[]
  /** Only those at that time or later. */
  readonly fromMs?: number
  /** Only those numbered above it. */
  readonly since?: number
  /** Oldest first when following, newest first when looking back. */
  readonly order: 'oldest' | 'newest'
}
