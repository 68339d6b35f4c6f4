/** Topics that a broker cannot take, though MQTT allows them: NATS makes subjects of them, and ends the session of who uses one. */
import { quote } from '../core/errors.ts'
import type { UpstreamAbilities } from '../hub/ports/upstream.ts'
import type { Ending } from './options.ts'

/**
 * Why the broker does not take a topic or a filter, or null.
 *
 * @param reasonV5 what MQTT 5 calls it, by what kind of packet it stands in
 */
export function topicUnsupported<R extends number>(
  topic: string,
  { topicCharactersRefused = '' }: UpstreamAbilities,
  reasonV5: R,
): (Ending & { readonly reasonV5: R }) | null {
  for (const character of topicCharactersRefused) {
    if (!topic.includes(character)) continue
    const sentence = `the broker behind the gate takes no topic with ${quote(character)} in it, such as ${quote(topic)}`
    return { code: 'topic-unsupported', sentence, reasonV5 }
  }
  return null
}
