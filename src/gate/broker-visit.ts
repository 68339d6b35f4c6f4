/**
 * A short connection to the broker in the name of a client that is not there: what MQTT says of a CONNECT is done with its
 * session, and it ends with a DISCONNECT, so that nothing else happens.
 */
import { type Connect, withSessionExpiry } from '../core/mqtt/connect.ts'
import type { UpstreamClient } from '../hub/ports/upstream.ts'
import type { Ending, GateContext } from './options.ts'
import { UpstreamOpening, withdraw } from './upstream-opening.ts'

export interface Visit {
  /** Null once the broker has answered; else why it has not. */
  readonly outcome: Promise<Ending | null>
  abandon(): void
}

type Names = Pick<UpstreamClient, 'identityId' | 'owner' | 'clientId'>
type VisitContext = Pick<GateContext, 'upstream' | 'limits'>

/** Has the broker drop what it keeps of a session (MQTT-3.1.2-4, MQTT 5 §3.1.2.4). */
export function discardSession(context: VisitContext, names: Names, connect: Connect): Visit {
  return visit(context, names, { ...withSessionExpiry(connect, 0), cleanStart: true, will: null })
}

/**
 * Has the broker take a session for one whose client is back: a will of it that waits is forgotten. Messages that wait go on
 * waiting, and the session expires as the client wanted it.
 */
export function resumeSession(context: VisitContext, names: Names, connect: Connect): Visit {
  return visit(context, names, { ...connect, cleanStart: false, will: null })
}

function visit(context: VisitContext, names: Names, connect: Connect): Visit {
  const opening = new UpstreamOpening(context.upstream, { ...names, connect, keepAliveSec: 0 }, context.limits)
  const outcome = opening.outcome.then((open) => {
    if ('code' in open) return open
    withdraw(open)
    return null
  })
  return { outcome, abandon: () => opening.abandon() }
}
