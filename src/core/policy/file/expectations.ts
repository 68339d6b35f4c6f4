/** What a policy file says of itself: decisions that must come out as it expects. */
import { isIP } from 'node:net'
import { quote } from '../../errors.ts'
import { identityKinds, isIdentityId } from '../../identity/id.ts'
import { keyStorages } from '../../identity/identity.ts'
import { proofKinds } from '../../identity/proof.ts'
import { parseTopicFilter } from '../../mqtt/filter.ts'
import { parseTopicName } from '../../mqtt/topic.ts'
import { Violation } from '../../mqtt/violation.ts'
import { nearest } from '../../nearest.ts'
import { type Expectation, type Place, type TestConnection, type TestSubject, usualConnection } from '../model.ts'
import { actions } from '../rights.ts'
import { readMoment } from './conditions.ts'
import type { Field, Given, NodeReader } from './node-reader.ts'

export function readSubjects({ value, key }: Field, reader: NodeReader): ReadonlyMap<string, TestSubject> {
  const subjects = new Map<string, TestSubject>()
  for (const { name: id, key: at, value: given } of reader.fields(value, 'subjects', null, key)) {
    if (!isIdentityId(id)) reader.fail(at, `${quote(id)} is no id of an identity`)
    const fields = reader.fields(given, `the subject ${id}`, ['kind', 'group', 'attributes', 'keyStorage'], at)
    const field = (wanted: string): Field | undefined => fields.find(({ name }) => name === wanted)
    const [kind, group, attributes] = [field('kind'), field('group'), field('attributes')]
    const storage = field('keyStorage')
    subjects.set(id, {
      id,
      kind:
        (kind === undefined ? null : reader.word(kind.value, identityKinds, 'kind of identity', kind.key)) ?? 'device',
      group: group === undefined ? null : reader.text(group.value, 'a group', group.key),
      attributes: Object.fromEntries(
        reader
          .fields(attributes?.value, 'attributes', null, at)
          .map((each) => [each.name, reader.text(each.value, each.name, each.key) ?? '']),
      ),
      keyStorage: storage === undefined ? null : reader.word(storage.value, keyStorages, 'key storage', storage.key),
    })
  }
  return subjects
}

/** Sentences, and maps of `when` and `that`: sentences about somebody who is not connected as usual. */
export function readExpectations({ value, key }: Field, reader: NodeReader): readonly Expectation[] {
  return reader.items(value).flatMap((item) => {
    if (!('items' in item)) return readSentences(item, key, usualConnection, reader)
    const place = reader.placeOf(item, key)
    const fields = reader.fields(item, 'an expectation', ['when', 'that'], place)
    const [when, that] = ['when', 'that'].map((wanted) => fields.find(({ name }) => name === wanted))
    if (when === undefined || that === undefined) {
      if (fields.length > 0) reader.fail(place, 'an expectation that is a map has both `when` and `that`')
      return []
    }
    return readSentences(that.value, that.key, readConnection(when, reader), reader)
  })
}

function readSentences(node: Given, at: Place, connection: TestConnection, reader: NodeReader): readonly Expectation[] {
  return reader.texts(node, 'an expectation', at).flatMap(({ text, place }): Expectation | readonly [] => {
    const match = /^(\S+) (\S+)(?: (.*?))? => (\S+)$/.exec(text.trim())
    if (match === null) {
      reader.fail(place, `${quote(text)} is no expectation, as in \`pump-7 publish lines/3/cmd => deny\``)
      return []
    }
    const [, subject = '', action = '', topic = '', verdict = ''] = match
    const known = actions.find((each) => each === action)
    const fault = faultOf(known, action, topic, verdict)
    if (fault !== null || known === undefined) {
      reader.fail(place, fault ?? '')
      return []
    }
    return { subject, action: known, topic, allowed: verdict === 'allow', connection, place }
  })
}

const connectionFields = ['source', 'tls', 'listener', 'clientId', 'time', 'proof', 'issuer', 'profile']

/** The words are those of conditions; here each says how it is, and not how it must be. */
function readConnection({ value, key }: Field, reader: NodeReader): TestConnection {
  const read: { -readonly [Name in keyof TestConnection]: TestConnection[Name] } = { ...usualConnection }
  for (const field of reader.fields(value, 'a connection', connectionFields, key)) {
    const { name, key: at, value: given } = field
    switch (name) {
      case 'source':
        read.address = readAddress(field, reader)
        break
      case 'tls':
        read.tlsVersion = reader.word(given, ['1.2', '1.3'], 'TLS version', at)
        break
      case 'time':
        read.atMs = readMoment(field, reader)
        break
      case 'proof':
        read.proof = reader.word(given, proofKinds, 'kind of proof', at)
        break
      default:
        read[name as 'listener' | 'clientId' | 'issuer' | 'profile'] = reader.text(given, name, at)
    }
  }
  const { proof, issuer, profile } = read
  const isOurs = proof === null || proof === 'issued'
  if (profile !== null && !isOurs) reader.fail(key, `a \`profile\` goes with the proof issued, not with ${proof}`)
  if (issuer !== null && !isOurs && proof !== 'anchored') {
    reader.fail(key, `an \`issuer\` goes with the proofs issued and anchored, not with ${proof}`)
  }
  if (proof === 'anchored' && issuer === null)
    reader.fail(key, 'the proof anchored wants an `issuer`, the trust anchor')
  return read
}

function readAddress({ name, key, value }: Field, reader: NodeReader): string | null {
  const text = reader.text(value, name, key)
  if (text === null || isIP(text) !== 0) return text
  reader.fail(reader.placeOf(value, key), `${quote(text)} is no address, as in 10.3.0.11`)
  return null
}

function faultOf(known: string | undefined, action: string, topic: string, verdict: string): string | null {
  if (known === undefined) {
    const near = nearest(action, actions)
    return `${quote(action)} is no action; ${near === null ? `there are ${actions.join(', ')}` : `did you mean ${quote(near)}?`}`
  }
  if (verdict !== 'allow' && verdict !== 'deny') return `${quote(verdict)} is neither allow nor deny`
  if (known === 'connect') return topic === '' ? null : `${quote(topic)} stands behind connect, which has no topic`
  const parsed = known === 'subscribe' ? parseTopicFilter(topic) : parseTopicName(topic)
  return parsed instanceof Violation ? `${quote(topic)}: ${parsed.sentence}` : null
}
