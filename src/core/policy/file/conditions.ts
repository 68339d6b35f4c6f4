/** The conditions of a statement, as `when` gives them. */
import { quote } from '../../errors.ts'
import { identityKinds } from '../../identity/id.ts'
import { keyStorages } from '../../identity/identity.ts'
import { parseNetwork } from '../../identity/network.ts'
import { proofKinds } from '../../identity/proof.ts'
import type { Conditions, TimeWindow } from '../model.ts'
import type { Field, NodeReader } from './node-reader.ts'

const names = [
  ...['kind', 'group', 'attributes', 'proof', 'issuer', 'profile', 'keyStorage', 'tls', 'source', 'listener', 'time'],
]

export function readConditions({ value, key }: Field, reader: NodeReader): Conditions {
  const read: { -readonly [Name in keyof Conditions]: Conditions[Name] } = {}
  for (const field of reader.fields(value, 'conditions', names, key)) {
    const { name, key: at, value: given } = field
    const texts = (): readonly string[] => reader.texts(given, name, at).map(({ text }) => text)
    switch (name) {
      case 'kind':
        read.kinds = reader.words(given, identityKinds, 'kind of identity', at)
        break
      case 'group':
        read.groups = texts()
        break
      case 'attributes':
        read.attributes = readAttributes(field, reader)
        break
      case 'proof':
        read.proofs = reader.words(given, proofKinds, 'kind of proof', at)
        break
      case 'issuer':
        read.issuers = texts()
        break
      case 'profile':
        read.profiles = texts()
        break
      case 'keyStorage':
        read.keyStorages = reader.words(given, keyStorages, 'key storage', at)
        break
      case 'tls':
        read.tlsMin = reader.word(given, ['1.2', '1.3'], 'TLS version', at) ?? '1.3'
        break
      case 'source':
        read.sources = readNetworks(field, reader)
        break
      case 'listener':
        read.listeners = texts()
        break
      default:
        read.time = readTime(field, reader)
    }
  }
  return read
}

function readAttributes({ value, key }: Field, reader: NodeReader): ReadonlyMap<string, readonly string[]> {
  const fields = reader.fields(value, 'attributes', null, key)
  return new Map(
    fields.map((field) => [field.name, reader.texts(field.value, field.name, field.key).map(({ text }) => text)]),
  )
}

function readNetworks({ value, key }: Field, reader: NodeReader): readonly string[] {
  return reader.texts(value, 'a network', key).flatMap(({ text, place }) => {
    if (parseNetwork(text) !== null) return text
    reader.fail(
      place,
      `${quote(text)} is no network: give its first address and the bits that it fixes, as in 10.3.0.0/16`,
    )
    return []
  })
}

const weekdays = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'] as const

function readTime({ value, key }: Field, reader: NodeReader): TimeWindow {
  const fields = reader.fields(value, 'a time', ['from', 'until', 'days', 'zone', 'notBefore', 'notAfter'], key)
  const field = (wanted: string): Field =>
    fields.find(({ name }) => name === wanted) ?? { name: wanted, key, value: null }
  const has = (wanted: string): boolean => fields.some(({ name }) => name === wanted)
  if (has('from') !== has('until')) reader.fail(key, 'a time of day has both `from` and `until`')
  const [from, until] = [field('from'), field('until')].map((each) => readMinute(each, has(each.name), reader))
  const days = field('days')
  return {
    notBeforeMs: has('notBefore') ? readMoment(field('notBefore'), reader) : null,
    notAfterMs: has('notAfter') ? readMoment(field('notAfter'), reader) : null,
    daily: from == null || until == null ? null : { fromMinute: from, untilMinute: until },
    weekdays: reader.words(days.value, weekdays, 'day', days.key).map((day) => weekdays.indexOf(day)),
    zone: readZone(field('zone'), has('zone'), reader),
  }
}

function readMinute({ name, key, value }: Field, isGiven: boolean, reader: NodeReader): number | null {
  if (!isGiven) return null
  const text = reader.text(value, name, key) ?? ''
  const match = /^([01]?[0-9]|2[0-3]):([0-5][0-9])$/.exec(text)
  if (match !== null) return Number(match[1]) * 60 + Number(match[2])
  reader.fail(reader.placeOf(value, key), `${quote(text)} is no time of day, as in "08:00"; put it in quotes`)
  return null
}

/** Milliseconds since the epoch, or null. */
export function readMoment({ name, key, value }: Field, reader: NodeReader): number | null {
  const text = reader.text(value, name, key) ?? ''
  const isWhole = /^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d)?(Z|[+-]\d\d:\d\d)$/.test(text)
  const moment = isWhole ? Date.parse(text) : Number.NaN
  if (!Number.isNaN(moment)) return moment
  reader.fail(reader.placeOf(value, key), `${quote(text)} is no moment, as in 2026-11-25T08:00:00Z`)
  return null
}

function readZone({ name, key, value }: Field, isGiven: boolean, reader: NodeReader): string {
  if (!isGiven) return 'UTC'
  const text = reader.text(value, name, key) ?? 'UTC'
  try {
    new Intl.DateTimeFormat('en-US', { timeZone: text })
    return text
  } catch {
    reader.fail(reader.placeOf(value, key), `${quote(text)} is no time zone, as in Europe/Berlin`)
    return 'UTC'
  }
}
