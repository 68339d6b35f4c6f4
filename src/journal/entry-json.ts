/** Entries as JSON values: a certificate is base64, what is null is left out, all else is as it is in memory. */
import type { Credential } from '../core/identity/credential.ts'
import { type Identity, withGrants } from '../core/identity/identity.ts'
import type { NewHubEvent } from '../hub/ports/events.ts'
import type { JournalEntry } from '../hub/ports/journal.ts'

export function entryToJson({ number, atMs, event, credential, identity }: JournalEntry): unknown {
  return {
    number,
    atMs,
    event,
    ...(identity === null ? {} : { identity }),
    ...(credential === null ? {} : { credential: credentialToJson(credential) }),
  }
}

function credentialToJson(credential: Credential): unknown {
  return { ...credential, certificate: Buffer.from(credential.certificate).toString('base64') }
}

/** The entry, or null for what is none. The line's hash vouches for the rest. */
export function entryFromJson(value: unknown): JournalEntry | null {
  if (!isRecord(value)) return null
  const { number, atMs, event, credential = null, identity = null } = value
  if (!Number.isSafeInteger(number) || !Number.isSafeInteger(atMs)) return null
  if (!isRecord(event) || typeof event.type !== 'string') return null
  const read = credential === null ? null : credentialFrom(credential)
  const isIdentity = identity === null || (isRecord(identity) && typeof identity.id === 'string')
  if (read === undefined || !isIdentity) return null
  return {
    number: number as number,
    atMs: atMs as number,
    event: event as unknown as NewHubEvent,
    credential: read,
    identity: identity === null ? null : withGrants(identity as unknown as Identity),
  }
}

function credentialFrom(value: unknown): Credential | undefined {
  if (!isRecord(value) || typeof value.fingerprint !== 'string' || typeof value.certificate !== 'string')
    return undefined
  return {
    ...laterFields,
    ...(value as unknown as Credential),
    certificate: new Uint8Array(Buffer.from(value.certificate, 'base64')),
  }
}

/** What entries of an earlier version do not say. */
const laterFields = { keyOrigin: 'holder', crlShard: null, parentSerial: null, supersededAtMs: null } as const

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
