/**
 * What a program says went wrong, whichever words it has for it, and what that can have for causes. The same words mean one thing in
 * the log of a device and another in that of a broker: each judges the certificate of the other.
 */
import type { FailureName } from '../../core/failure/catalogue.ts'
import type { Certainty } from '../finding.ts'

/** Whose log a line is from. */
export type Side = 'client' | 'server'

/** What may lie behind a symptom. */
export interface Cause {
  readonly code: FailureName
  readonly certainty: Certainty
  /** What tells this cause from the others, or where to look; null where nothing needs be said. */
  readonly look: string | null
}

export interface Symptom {
  /** What the words say, as the end of a sentence whose subject is the program: "it takes the certificate … for expired". */
  readonly meaning: string
  /** Causes where it stands in the log of a client, the most likely first. */
  readonly client: readonly Cause[]
  /** The same for the log of a server. */
  readonly server: readonly Cause[]
  /**
   * How little the words say, against others in the same line or beside it: 0 names a cause, 1 a kind of cause ("certificate verify
   * failed"), 2 only that something ended ("connection lost").
   */
  readonly vagueness: 0 | 1 | 2
}

export function certain(code: FailureName, look: string | null = null): Cause {
  return { code, certainty: 'certain', look }
}

export function likely(code: FailureName, look: string | null = null): Cause {
  return { code, certainty: 'likely', look }
}

export function possible(code: FailureName, look: string | null = null): Cause {
  return { code, certainty: 'possible', look }
}

/** A symptom whose causes depend on the side. */
export function seen(meaning: string, client: readonly Cause[], server: readonly Cause[]): Symptom {
  return { meaning, client, server, vagueness: 0 }
}

/** A symptom that means the same on both sides. */
export function either(meaning: string, ...causes: readonly Cause[]): Symptom {
  return { meaning, client: causes, server: causes, vagueness: 0 }
}

/** The same symptom in words that name no cause. */
export function vague(symptom: Symptom): Symptom {
  return { ...symptom, vagueness: 1 }
}

/** The same symptom in words that say only that something ended. */
export function bare(symptom: Symptom): Symptom {
  return { ...symptom, vagueness: 2 }
}
