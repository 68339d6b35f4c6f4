/** Whether an identity may leave a will: it is published in its name when it is gone, and counts as published by it. */
import { quote } from '../core/errors.ts'
import type { Will } from '../core/mqtt/connect.ts'
import { responseTopicIn } from '../core/mqtt/publish.ts'
import { Violation } from '../core/mqtt/violation.ts'
import type { Rights } from '../core/policy/rights.ts'
import type { Ending } from './options.ts'

/** Why it may not, or null. */
export function willDenial({ topic, qos, retain, payload, properties }: Will, rights: Rights): Ending | null {
  if (!rights.mayLeaveWill(topic)) return denied('leave a will on', topic, rights.explain('will', topic).because)
  if (retain && !rights.mayRetain(topic)) {
    return denied('leave a retained will on', topic, rights.explain('retain', topic).because)
  }
  const responseTopic = responseTopicIn(properties)
  if (responseTopic instanceof Violation) return responseTopic
  if (responseTopic !== null && !rights.mayPublish(responseTopic)) {
    return denied('ask in its will for answers on', responseTopic, rights.explain('publish', responseTopic).because)
  }
  const { qosMax, payloadBytesMax } = rights.limits
  if (qosMax !== null && qos > qosMax) {
    return { code: 'will-denied', sentence: `the policy allows QoS ${qosMax} at most, and the will has QoS ${qos}` }
  }
  if (payloadBytesMax !== null && payload.length > payloadBytesMax) {
    const sentence = `a will of ${payload.length} bytes is longer than the ${payloadBytesMax} that the policy allows`
    return { code: 'payload-too-large', sentence }
  }
  return null
}

function denied(act: string, topic: string, because: string): Ending {
  return { code: 'will-denied', sentence: `the identity may not ${act} ${quote(topic)}: ${because}` }
}
