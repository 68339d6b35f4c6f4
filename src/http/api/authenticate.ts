/** Who asks: every request of the admin API shows a key, unless its operation is for anybody. */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { HubError } from '../../core/errors.ts'
import { limits } from '../../core/limits.ts'
import { Secret } from '../../core/secret.ts'
import { type ApiCaller, authenticateApiKey } from '../../hub/api-keys.ts'
import type { FailureLimiter } from '../../hub/failure-limiter.ts'
import { peerAddress } from '../../hub/peer-address.ts'
import type { Store } from '../../hub/ports/store.ts'
import { whenOver } from '../request-end.ts'

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Nobody needs a key for this route. */
    readonly forAnybody?: boolean
  }
}

export interface Callers {
  /** Of a request that has come to its route. */
  of(request: FastifyRequest): ApiCaller
}

/**
 * Asks for the key before anything of a body is read.
 *
 * @param limiter counts wrong keys by address; absent on the unix socket, whose file mode says who may try
 */
export function authenticateRequests(
  app: FastifyInstance,
  hub: { readonly store: Store },
  limiter: FailureLimiter | undefined,
): Callers {
  const callers = new WeakMap<FastifyRequest, ApiCaller>()
  const open = new OpenRequests()

  app.addHook('onRequest', async (request, reply) => {
    if (request.routeOptions.config.forAnybody === true) return
    try {
      const caller = await authenticateApiKey(hub, bearerToken(request))
      open.begin(caller, reply)
      callers.set(request, caller)
    } catch (error) {
      const isGuess = error instanceof HubError && error.code === 'key-invalid'
      if (isGuess) limiter?.recordFailure(peerAddress(request.ip))
      throw error
    }
  })

  return {
    of(request) {
      const caller = callers.get(request)
      if (caller === undefined) throw new HubError('key-missing', 'the request carries no API key')
      return caller
    },
  }
}

function bearerToken(request: FastifyRequest): Secret | null {
  const match = /^Bearer ([A-Za-z0-9._-]{1,256})$/i.exec(request.headers.authorization ?? '')
  return match?.[1] === undefined ? null : new Secret(match[1])
}

/** Counts what each key has open. */
class OpenRequests {
  readonly #counts = new Map<string, number>()

  /** @throws HubError `requests-too-many` */
  begin({ keyId, keyName }: ApiCaller, reply: FastifyReply): void {
    const count = this.#counts.get(keyId) ?? 0
    if (count >= limits.requestsPerKeyMax) {
      throw new HubError('requests-too-many', `the key ${keyName} has ${count} requests open`)
    }
    this.#counts.set(keyId, count + 1)
    whenOver(reply, () => {
      const left = (this.#counts.get(keyId) ?? 1) - 1
      if (left === 0) this.#counts.delete(keyId)
      else this.#counts.set(keyId, left)
    })
  }
}
