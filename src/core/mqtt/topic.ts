/** Topic names (MQTT 5 §4.7): what a message is published to. */
import { limits } from '../limits.ts'
import { textForm } from './cursor.ts'
import { reason } from './protocol.ts'
import { malformed, protocolError, Violation } from './violation.ts'

declare const topicNameBrand: unique symbol

/** A topic name: valid UTF-8 without U+0000, `+` and `#`, not empty, within the limits on bytes and levels. */
export type TopicName = string & { readonly [topicNameBrand]: true }

const SLASH = 0x2f
const PLUS = 0x2b
const HASH = 0x23

/**
 * Reads the topic name in the bytes from `start` to `end`, in one pass over them.
 *
 * @param from the limits are for clients: what another publisher of a broker chose is the broker's business
 */
export function readTopicName(
  bytes: Buffer,
  start: number,
  end: number,
  from: 'client' | 'broker' = 'client',
): TopicName | Violation {
  if (end === start) return protocolError('the topic name is empty', reason.topicInvalid)
  if (end - start > limits.topicBytesMax && from === 'client') {
    return tooLong(end - start, 'topic name', reason.topicInvalid)
  }
  let seen = 0
  let levels = 1
  for (let i = start; i < end; i++) {
    const byte = bytes[i] ?? 0
    if (byte === 0) return malformed('the topic name holds U+0000')
    if (byte === PLUS || byte === HASH) {
      return new Violation('packet-malformed', reason.topicInvalid, 'the topic name holds a wildcard')
    }
    if (byte === SLASH) levels++
    seen |= byte
  }
  if (levels > limits.topicLevelsMax && from === 'client') return tooDeep(levels, 'topic name', reason.topicInvalid)
  if (seen < 0x80) return bytes.toString('latin1', start, end) as TopicName
  if (textForm(bytes, start, end) === 'invalid') return malformed('the topic name is not valid UTF-8')
  return bytes.toString('utf8', start, end) as TopicName
}

/** The topic name that a string is. */
export function parseTopicName(value: string): TopicName | Violation {
  if (!value.isWellFormed()) return malformed('the topic name is not valid Unicode')
  const bytes = Buffer.from(value, 'utf8')
  return readTopicName(bytes, 0, bytes.length)
}

/** A name or filter over `limits.topicBytesMax`. */
export function tooLong(bytes: number, what: string, reasonV5: number): Violation {
  return protocolError(`a ${what} of ${bytes} bytes is longer than ${limits.topicBytesMax}`, reasonV5)
}

/** A name or filter over `limits.topicLevelsMax`. */
export function tooDeep(levels: number, what: string, reasonV5: number): Violation {
  return protocolError(`a ${what} of ${levels} levels is deeper than ${limits.topicLevelsMax}`, reasonV5)
}
