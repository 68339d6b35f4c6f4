/** The admin API, `/api/v1`: what the command line and other tools ask the hub for. */
import type { FastifyInstance, FastifyRequest } from 'fastify'
import type { z } from 'zod'
import {
  attemptListQuery,
  auditListQuery,
  createTokenRequest,
  deviceListQuery,
  emptyRequest,
  registerDeviceRequest,
  revokeRequest,
} from '../../api-schema/requests.ts'
import type { BootstrapView, DeviceChangeView, DeviceDetailView, HubView } from '../../api-schema/views.ts'
import { HubError, quote } from '../../core/errors.ts'
import { isFailureName } from '../../core/failure/catalogue.ts'
import { formatBootstrap } from '../../core/identity/bootstrap.ts'
import { parseIdentityId } from '../../core/identity/id.ts'
import { limits } from '../../core/limits.ts'
import { Secret } from '../../core/secret.ts'
import { type ApiCaller, authenticateApiKey } from '../../hub/api-keys.ts'
import { changeDeviceState, revokeCertificate, revokeDevice } from '../../hub/change-identity.ts'
import type { FailureLimiter } from '../../hub/failure-limiter.ts'
import { peerAddress } from '../../hub/peer-address.ts'
import type { Clock } from '../../hub/ports/clock.ts'
import type { Log } from '../../hub/ports/log.ts'
import type { Random } from '../../hub/ports/random.ts'
import type { Store } from '../../hub/ports/store.ts'
import { findDevice, grantToken, registerDevice, type TokenGrant } from '../../hub/register-device.ts'
import { httpApp, type TlsMaterial } from '../listen.ts'
import { attemptToView, auditEntryToView, changeToView, credentialToView, deviceToView } from './to-view.ts'

export interface ApiServerOptions {
  readonly hub: { readonly store: Store; readonly clock: Clock; readonly random: Random }
  /** Absent on the unix socket, whose file mode says who may try. */
  readonly limiter?: FailureLimiter
  readonly log: Log
  /** Writes attempts that still wait, so that a list shows what has just happened. */
  flushAttempts(): Promise<void>
  /** What `GET /api/v1/hub` answers. */
  describeHub(): HubView
  /** Absent on the unix socket. */
  readonly tls?: TlsMaterial
}

/** Certificates shown with a device. */
const credentialsShownMax = 100

export function apiServer(options: ApiServerOptions): FastifyInstance {
  const { hub, log } = options
  const app = httpApp({
    reader: 'operator',
    log,
    bodyBytesMax: limits.apiBodyBytesMax,
    ...(options.tls === undefined ? {} : { tls: options.tls }),
  })
  const callers = new WeakMap<FastifyRequest, ApiCaller>()

  app.addHook('onRequest', async (request) => {
    try {
      callers.set(request, await authenticateApiKey(hub, bearerToken(request)))
    } catch (error) {
      const isGuess = error instanceof HubError && error.code === 'key-invalid'
      if (isGuess) options.limiter?.recordFailure(peerAddress(request.ip))
      throw error
    }
  })
  const actorOf = (request: FastifyRequest): string => `key:${callers.get(request)?.keyName ?? 'unknown'}`

  app.get('/api/v1/hub', (_request, reply) => reply.send(options.describeHub()))

  app.post('/api/v1/devices', async (request, reply) => {
    const body = parsed(registerDeviceRequest, request.body)
    const grant = await registerDevice(hub, actorOf(request), body)
    return reply.code(201).send(bootstrapOf(options.describeHub(), grant))
  })

  app.get('/api/v1/devices', async (request) => {
    const { after, limit, state, group } = parsed(deviceListQuery, request.query)
    const page = await hub.store.identities.list({
      kind: 'device',
      after: after ?? null,
      limit,
      ...(state === undefined ? {} : { state }),
      ...(group === undefined ? {} : { group }),
    })
    return { items: page.items.map(deviceToView), next: page.next }
  })

  app.get<{ Params: { id: string } }>('/api/v1/devices/:id', async (request): Promise<DeviceDetailView> => {
    const id = parseIdentityId(request.params.id)
    const device = await findDevice(hub.store, id)
    const credentials = await hub.store.credentials.listOfIdentity(id, { after: null, limit: credentialsShownMax })
    return { device: deviceToView(device), credentials: credentials.items.map(credentialToView) }
  })

  app.post<{ Params: { id: string } }>('/api/v1/devices/:id/tokens', async (request, reply) => {
    const { tokenLifetimeSec } = parsed(createTokenRequest, request.body ?? {})
    const grant = await grantToken(hub, actorOf(request), parseIdentityId(request.params.id), tokenLifetimeSec)
    return reply.code(201).send(bootstrapOf(options.describeHub(), grant))
  })

  const stateActs = { disable: 'disabled', enable: 'active', retire: 'retired' } as const
  for (const [act, state] of Object.entries(stateActs)) {
    app.post<{ Params: { id: string } }>(`/api/v1/devices/:id/${act}`, async (request): Promise<DeviceChangeView> => {
      parsed(emptyRequest, request.body ?? {})
      return changeToView(await changeDeviceState(hub, actorOf(request), parseIdentityId(request.params.id), state))
    })
  }

  app.post<{ Params: { id: string } }>('/api/v1/devices/:id/revoke', async (request): Promise<DeviceChangeView> => {
    const { reason } = parsed(revokeRequest, request.body ?? {})
    return changeToView(await revokeDevice(hub, actorOf(request), parseIdentityId(request.params.id), reason))
  })

  app.post<{ Params: { serial: string } }>(
    '/api/v1/credentials/:serial/revoke',
    async (request): Promise<DeviceChangeView> => {
      const { reason } = parsed(revokeRequest, request.body ?? {})
      return changeToView(await revokeCertificate(hub, actorOf(request), parseSerial(request.params.serial), reason))
    },
  )

  app.get('/api/v1/attempts', async (request) => {
    const { after, limit, outcome, device, code, order } = parsed(attemptListQuery, request.query)
    if (code !== undefined && !isFailureName(code)) {
      throw new HubError('request-invalid', `${quote(code)} is not a failure`, { hint: 'docs/errors.md lists them' })
    }
    await options.flushAttempts()
    const page = await hub.store.attempts.list({
      after: after ?? null,
      limit,
      order,
      ...(outcome === undefined ? {} : { outcome }),
      ...(device === undefined ? {} : { identityId: device }),
      ...(code === undefined ? {} : { code }),
    })
    return { items: page.items.map(attemptToView), next: page.next }
  })

  app.get('/api/v1/audit', async (request) => {
    const { after, limit } = parsed(auditListQuery, request.query)
    const page = await hub.store.audit.list({ after: after ?? null, limit })
    return { items: page.items.map(auditEntryToView), next: page.next }
  })
  return app
}

function bearerToken(request: FastifyRequest): Secret | null {
  const match = /^Bearer ([A-Za-z0-9._-]{1,256})$/i.exec(request.headers.authorization ?? '')
  return match?.[1] === undefined ? null : new Secret(match[1])
}

/** @throws HubError `request-invalid` that names every field at fault */
function parsed<T extends z.ZodType>(schema: T, value: unknown): z.output<T> {
  const result = schema.safeParse(value)
  if (result.success) return result.data
  const faults = result.error.issues.map((issue) => {
    const where = issue.path.length === 0 ? 'the request' : quote(issue.path.join('.'))
    return `${where}: ${issue.message.toLowerCase()}`
  })
  throw new HubError('request-invalid', faults.join('; '))
}

/** A serial number as people paste it: upper or lower case, with or without colons. */
function parseSerial(text: string): string {
  const serial = text.replaceAll(':', '').toLowerCase()
  if (/^(?:[0-9a-f]{2}){1,20}$/.test(serial)) return serial
  throw new HubError('request-invalid', `${quote(text)} is not a serial number`, {
    hint: 'give it in hexadecimal, as `handfast device show <id>` prints it',
  })
}

function bootstrapOf(hub: HubView, grant: TokenGrant): BootstrapView {
  return {
    device: deviceToView(grant.identity),
    bootstrap: formatBootstrap({
      host: hub.publicName,
      httpsPort: hub.https.port,
      mqttPort: hub.mqtt.port,
      id: grant.identity.id,
      rootFingerprint: hub.rootFingerprint,
      token: grant.tokenText,
    }).reveal(),
    tokenExpiresAt: new Date(grant.token.expiresAtMs).toISOString(),
  }
}
