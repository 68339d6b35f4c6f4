/** Who asks, and whether that may be asked at all: every request of the admin API, unless its operation is for anybody. */
import { TLSSocket } from 'node:tls'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { Act } from '../../core/authorisation/act.ts'
import { assert, HubError } from '../../core/errors.ts'
import { failure } from '../../core/failure/catalogue.ts'
import { limits } from '../../core/limits.ts'
import { Secret } from '../../core/secret.ts'
import { authenticateApiKey } from '../../hub/api-keys.ts'
import { Access, type Caller } from '../../hub/authorise.ts'
import type { FailureLimiter } from '../../hub/failure-limiter.ts'
import type { Judgement } from '../../hub/judgement.ts'
import { peerAddress } from '../../hub/peer-address.ts'
import type { People } from '../../hub/people.ts'
import type { NewAttempt } from '../../hub/ports/attempts.ts'
import type { Clock } from '../../hub/ports/clock.ts'
import type { Observer } from '../../hub/ports/observer.ts'
import type { Store } from '../../hub/ports/store.ts'
import { clientCertificate } from '../listen.ts'
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

/** How people come in, on a listener that asks for their certificates. */
export interface PeopleEntrance {
  readonly people: People
  readonly attempts: { record(attempt: NewAttempt): void }
}

/**
 * Asks for the key before anything of a body is read, and for the role before anything of the registry is.
 *
 * A key in the header says who asks; only where there is none, the certificate of the connection does. So nobody is two at a
 * time, and a program that shows some certificate everywhere can use a key.
 *
 * @param limiter counts wrong keys by address; absent on the unix socket, whose file mode says who may try
 * @param entrance absent where no certificates are asked for
 */
export function authenticateRequests(
  app: FastifyInstance,
  hub: CallersHub,
  limiter: FailureLimiter | undefined,
  entrance: PeopleEntrance | undefined,
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
    const certificate = entrance === undefined ? null : clientCertificate(request.raw.socket)
    try {
      if (entrance === undefined || certificate === null || request.headers.authorization !== undefined) {
        return await authenticateApiKey(hub, bearerToken(request))
      }
      return await personBehind(certificate, entrance, request)
    } catch (error) {
      const isGuess = error instanceof HubError && (error.code === 'key-invalid' || error.code === 'caller-refused')
      if (isGuess) limiter?.recordFailure(peerAddress(request.ip))
      throw error
    }
  }

  /** Whoever is not let in reads one general sentence; the operator reads the cause among the attempts. */
  async function personBehind(
    certificate: Uint8Array,
    { people, attempts }: PeopleEntrance,
    request: FastifyRequest,
  ): Promise<Caller> {
    const { judgement, caller } = await people.identify(certificate)
    if (judgement.admitted && caller !== null) return caller
    if (!judgement.admitted) attempts.record(refusedAttempt(judgement, hub.clock.nowMs(), request))
    throw new HubError('caller-refused', 'the client certificate does not open the admin API')
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

function refusedAttempt(
  { code, sentence, identityId, summary }: Judgement & { readonly admitted: false },
  atMs: number,
  request: FastifyRequest,
): NewAttempt {
  const { socket } = request.raw
  return {
    atMs,
    listener: 'api',
    address: peerAddress(request.ip),
    stage: failure(code).stage,
    outcome: 'refused',
    code,
    sentence,
    identityId,
    clientId: null,
    tlsVersion: socket instanceof TLSSocket ? socket.getProtocol() : null,
    mqttVersion: null,
    certificate: summary,
  }
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
