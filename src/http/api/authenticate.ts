/** Who asks, and whether that may be asked at all: every request of the admin API, unless its operation is for anybody. */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { Act } from '../../core/authorisation/act.ts'
import { assert, HubError } from '../../core/errors.ts'
import { limits } from '../../core/limits.ts'
import { Secret } from '../../core/secret.ts'
import { authenticateApiKey } from '../../hub/api-keys.ts'
import { Access, type Caller } from '../../hub/authorise.ts'
import type { FailureLimiter } from '../../hub/failure-limiter.ts'
import { peerAddress } from '../../hub/peer-address.ts'
import type { Clock } from '../../hub/ports/clock.ts'
import type { Observer } from '../../hub/ports/observer.ts'
import type { Store } from '../../hub/ports/store.ts'
import { whenOver } from '../request-end.ts'

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Nobody needs a key for this route. */
    readonly forAnybody?: boolean
    /** What the route does. One without is refused to everybody. */
    readonly act?: Act | null
  }
}

export interface Callers {
  /** Of a request that has come to its route. */
  of(request: FastifyRequest): Caller
  /** What that caller may do with this request. */
  accessOf(request: FastifyRequest): Access
  /** The same as it is now, for a request that takes long. @throws what was thrown at its beginning */
  again(request: FastifyRequest): Promise<Access>
}

/** What it needs of the hub. */
export interface CallersHub {
  readonly store: Store
  readonly clock: Clock
  readonly observer: Pick<Observer, 'actRefused'>
}

/**
 * Asks for the key before anything of a body is read, and for the role before anything of the registry is.
 *
 * @param limiter counts wrong keys by address; absent on the unix socket, whose file mode says who may try
 */
export function authenticateRequests(
  app: FastifyInstance,
  hub: CallersHub,
  limiter: FailureLimiter | undefined,
): Callers {
  const callers = new WeakMap<FastifyRequest, Caller>()
  const accesses = new WeakMap<FastifyRequest, Access>()
  const open = new OpenRequests()

  app.addHook('onRequest', async (request, reply) => {
    if (request.routeOptions.config.forAnybody === true) return
    const caller = await identified(request)
    open.begin(caller, reply)
    callers.set(request, caller)
    if (request.is404) return
    accesses.set(request, accessTo(request, caller))
  })

  function accessTo({ routeOptions }: FastifyRequest, caller: Caller): Access {
    const { act } = routeOptions.config
    assert(act !== undefined && act !== null, `the route ${routeOptions.url} names no act`)
    return new Access(caller, act, (why) => hub.observer.actRefused(act, why))
  }

  async function identified(request: FastifyRequest): Promise<Caller> {
    try {
      return await authenticateApiKey(hub, bearerToken(request))
    } catch (error) {
      const isGuess = error instanceof HubError && error.code === 'key-invalid'
      if (isGuess) limiter?.recordFailure(peerAddress(request.ip))
      throw error
    }
  }

  return {
    of: (request) => known(callers, request),
    accessOf: (request) => known(accesses, request),
    again: async (request) => accessTo(request, await identified(request)),
  }
}

function known<T>(byRequest: WeakMap<FastifyRequest, T>, request: FastifyRequest): T {
  const value = byRequest.get(request)
  if (value === undefined) throw new HubError('key-missing', 'the request carries no API key')
  return value
}

function bearerToken(request: FastifyRequest): Secret | null {
  const match = /^Bearer ([A-Za-z0-9._-]{1,256})$/i.exec(request.headers.authorization ?? '')
  return match?.[1] === undefined ? null : new Secret(match[1])
}

/** Counts what each caller has open. */
class OpenRequests {
  readonly #counts = new Map<string, number>()

  /** @throws HubError `requests-too-many` */
  begin({ id, actor }: Caller, reply: FastifyReply): void {
    const count = this.#counts.get(id) ?? 0
    if (count >= limits.requestsPerKeyMax) {
      throw new HubError('requests-too-many', `${actor} has ${count} requests open`)
    }
    this.#counts.set(id, count + 1)
    whenOver(reply, () => {
      const left = (this.#counts.get(id) ?? 1) - 1
      if (left === 0) this.#counts.delete(id)
      else this.#counts.set(id, left)
    })
  }
}
