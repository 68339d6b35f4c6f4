/** Why a message of a client may not go on: by where it goes and asks for answers, and by its measures. */
import { quote } from '../core/errors.ts'
import type { FailureName } from '../core/failure/catalogue.ts'
import { type QoS, reason } from '../core/mqtt/protocol.ts'
import type { Decision, Rights, RightsLimits } from '../core/policy/rights.ts'
import type { Ending } from './options.ts'
import type { Addressed, Unreleased } from './unreleased.ts'

/** What an answer to a message says that does not go on. */
export interface PublishDenial {
  readonly code: FailureName
  readonly sentence: string
  readonly reasonV5: number
}

/** What the rights say of where a message goes, or null where they allow it. */
export function topicDenial({ topic, retain, responseTopic }: Addressed, rights: Rights): PublishDenial | null {
  if (!rights.mayPublish(topic)) return denied('publish-denied', 'publish to', topic, rights.explain('publish', topic))
  if (retain && !rights.mayRetain(topic)) {
    return denied('retain-denied', 'leave a retained message on', topic, rights.explain('retain', topic))
  }
  // Else it could have others write where it may not.
  if (responseTopic !== null && !rights.mayPublish(responseTopic)) {
    const decision = rights.explain('publish', responseTopic)
    return denied('publish-denied', 'ask for answers on', responseTopic, decision)
  }
  return null
}

/**
 * Why a session cannot stay, or cannot be taken up again, because of messages that the broker would publish once they are
 * released; null where it can. There is no word to a broker that takes back one message.
 */
export function unreleasedDenial(unreleased: Unreleased, rights: Rights): Ending | null {
  for (const message of unreleased.messages()) {
    const denial = topicDenial(message, rights)
    if (denial !== null)
      return { code: denial.code, sentence: `a message waits for its release, and ${denial.sentence}` }
  }
  if (!unreleased.hasUnknown) return null
  const sentence =
    'the rights may have changed while messages wait for their release of which the gate has not kept the topics'
  return { code: 'publish-denied', sentence }
}

/** Why the QoS or the length of a message is not allowed, or null. */
export function measureDenial(
  qos: QoS,
  payloadBytes: number,
  { qosMax, payloadBytesMax }: RightsLimits,
): PublishDenial | null {
  if (qosMax !== null && qos > qosMax) {
    const sentence = `the policy lets the identity publish with QoS ${qosMax} at most, and the message has QoS ${qos}`
    return { code: 'publish-denied', sentence, reasonV5: reason.notAuthorized }
  }
  if (payloadBytesMax !== null && payloadBytes > payloadBytesMax) {
    const sentence = `a payload of ${payloadBytes} bytes is longer than the ${payloadBytesMax} that the policy lets the identity send`
    return { code: 'payload-too-large', sentence, reasonV5: reason.quotaExceeded }
  }
  return null
}

function denied(code: FailureName, act: string, topic: string, { because }: Decision): PublishDenial {
  const sentence = `the identity may not ${act} ${quote(topic)}: ${because}`
  return { code, sentence, reasonV5: reason.notAuthorized }
}
