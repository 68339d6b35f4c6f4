import type { NewHubEvent } from '../../hub/ports/events.ts'
import { rowsAs } from '../rows.ts'
import type { Problem, RegistryRule } from '../rule.ts'

interface EventRow {
  readonly number: number
  readonly event: string
}

export const eventsInOrder: RegistryRule = {
  name: 'events-in-order',
  reason:
    'whoever asks for "after N" must miss nothing: numbers go on without gaps, except where a backup was restored',
  canLook: () => true,
  async *look({ snapshot }): AsyncIterable<Problem> {
    let last = 0
    for await (const { number, event: json } of rowsAs<EventRow>(snapshot, 'events')) {
      const event = parsed(json)
      if (event === null) yield { subject: `event ${number}`, sentence: 'cannot be read' }
      const mayJump = event?.type === 'registry-restored'
      if (number !== last + 1 && !mayJump) yield { subject: `event ${number}`, sentence: `stands behind event ${last}` }
      last = number
    }
  },
}

function parsed(json: string): NewHubEvent | null {
  try {
    const value: unknown = JSON.parse(json)
    const isEvent = typeof value === 'object' && value !== null && 'type' in value
    return isEvent ? (value as NewHubEvent) : null
  } catch {
    return null
  }
}
