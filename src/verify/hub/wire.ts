/** What the hub answers, read into types; whatever is not as it should be is an answer of something else than a hub. */
import { HubError } from '../../core/errors.ts'
import { type FailureName, isFailureName } from '../../core/failure/catalogue.ts'
import { type IdentityId, type IdentityKind, identityKinds, isIdentityId } from '../../core/identity/id.ts'
import { type KeyStorage, keyStorages } from '../../core/identity/identity.ts'
import { limits } from '../../core/limits.ts'

export type PeerAnswer =
  | {
      readonly admitted: true
      readonly id: IdentityId
      readonly kind: IdentityKind
      readonly group: string | null
      readonly attributes: Readonly<Record<string, string>>
      readonly keyStorage: KeyStorage | null
      readonly authority: string
      readonly profile: string
      readonly keyOrigin: 'holder' | 'hub'
      readonly endsAtMs: number
    }
  | { readonly admitted: false; readonly code: FailureName; readonly sentence: string; readonly id: string | null }

export interface Changes {
  readonly position: string
  /** Null where everything may have changed. */
  readonly changed: readonly string[] | null
}

type Fields = Readonly<Record<string, unknown>>

/** @throws HubError `hub-answer-unexpected` */
export function readAnswers(said: unknown, count: number): readonly PeerAnswer[] {
  const { answers } = fieldsOf(said)
  if (!Array.isArray(answers) || answers.length !== count) throw unexpected('its answers')
  return answers.map(readAnswer)
}

function readAnswer(said: unknown): PeerAnswer {
  const fields = fieldsOf(said)
  if (fields.admitted !== true) {
    const { code, sentence, identityId } = fields
    if (fields.admitted !== false || typeof code !== 'string') throw unexpected('an answer')
    // A newer hub may know more reasons; a reason it is.
    const known = isFailureName(code) ? code : 'certificate-unknown-serial'
    return {
      admitted: false,
      code: known,
      sentence: textOf(sentence, 'a sentence'),
      id: textOrNull(identityId, 'an id'),
    }
  }
  const { id, kind, group, attributes, keyStorage } = fieldsOf(fields.identity)
  if (typeof id !== 'string' || !isIdentityId(id)) throw unexpected('an id')
  const { endsAtMs } = fields
  if (typeof endsAtMs !== 'number') throw unexpected('an end')
  return {
    ...{ admitted: true, id, endsAtMs, group: textOrNull(group, 'a group') },
    kind: oneOf(kind, identityKinds, 'a kind'),
    attributes: Object.fromEntries(
      Object.entries(fieldsOf(attributes)).map(([name, value]) => [name, textOf(value, 'an attribute')]),
    ),
    keyStorage: keyStorage === null ? null : oneOf(keyStorage, keyStorages, 'a key storage'),
    authority: textOf(fields.authority, 'an authority'),
    profile: textOf(fields.profile, 'a profile'),
    keyOrigin: oneOf(fields.keyOrigin, ['holder', 'hub'] as const, 'the origin of a key'),
  }
}

/** @throws HubError `hub-answer-unexpected` */
export function readChanges(said: unknown): Changes {
  const { position, changed } = fieldsOf(said)
  if (typeof position !== 'string' || !/^[0-9A-Za-z.]{1,64}$/.test(position)) throw unexpected('a position')
  if (changed === null) return { position, changed }
  if (!Array.isArray(changed) || changed.length > limits.verifyChangedMax) throw unexpected('what has changed')
  return { position, changed: changed.map((id) => textOf(id, 'an id')) }
}

/** @returns PEM by id */
export function readAuthorityList(said: unknown): Readonly<Record<string, string>> {
  const { authorities } = fieldsOf(said)
  if (!Array.isArray(authorities)) throw unexpected('its authorities')
  return Object.fromEntries(
    authorities.map((each) => {
      const { id, certificate } = fieldsOf(each)
      return [textOf(id, 'an id'), textOf(certificate, 'a certificate')]
    }),
  )
}

/** @returns the policy file; null where none is active */
export function readActivePolicy(said: unknown): string | null {
  return textOrNull(fieldsOf(said).source, 'a policy')
}

function fieldsOf(said: unknown): Fields {
  if (typeof said === 'object' && said !== null && !Array.isArray(said)) return said as Fields
  throw unexpected('an answer')
}

function textOf(value: unknown, what: string): string {
  if (typeof value === 'string') return value
  throw unexpected(what)
}

function textOrNull(value: unknown, what: string): string | null {
  return value === null ? null : textOf(value, what)
}

function oneOf<const Value extends string>(value: unknown, values: readonly Value[], what: string): Value {
  const found = values.find((each) => each === value)
  if (found === undefined) throw unexpected(what)
  return found
}

function unexpected(what: string): HubError {
  return new HubError('hub-answer-unexpected', `the hub did not say ${what} as it should`)
}
