/** The admin API, `/api/v1`: what the command line and other tools ask the hub for. */
import type { FastifyInstance } from 'fastify'
import type { HubView } from '../../api-schema/views.ts'
import { limits } from '../../core/limits.ts'
import type { FailureLimiter } from '../../hub/failure-limiter.ts'
import type { AnchorCrlKeeper } from '../../hub/fetch-anchor-crls.ts'
import type { Log } from '../../hub/ports/log.ts'
import type { ShadowDifferences } from '../../hub/shadow-differences.ts'
import { limitBodyTime } from '../body-time.ts'
import { httpApp, type TlsMaterial } from '../listen.ts'
import { authenticateRequests, type PeopleEntrance } from './authenticate.ts'
import { importRoute } from './import/import-route.ts'
import { logActs } from './log-acts.ts'
import { accessRoutes } from './routes/access.ts'
import { adoptionRoutes } from './routes/adoptions.ts'
import { anchorRoutes } from './routes/anchors.ts'
import { attemptRoutes } from './routes/attempts.ts'
import { type AuthorityDesk, authorityRoutes } from './routes/authorities.ts'
import { certificateRoutes, type IssuerParts } from './routes/certificates.ts'
import { deviceRoutes } from './routes/devices.ts'
import { documentRoute } from './routes/document.ts'
import { enrolmentRequestRoutes } from './routes/enrolment-requests.ts'
import { identityRoutes } from './routes/identities.ts'
import { passwordRoutes } from './routes/passwords.ts'
import { pinRoutes } from './routes/pins.ts'
import { policyRoutes } from './routes/policies.ts'
import { profileRoutes } from './routes/profiles.ts'
import { recordRoutes } from './routes/records.ts'
import { renewalRoutes } from './routes/renewals.ts'
import type { ApiHub } from './serve.ts'

export interface ApiServerOptions {
  readonly hub: ApiHub & IssuerParts
  /** Absent on the unix socket, whose file mode says who may try. */
  readonly limiter?: FailureLimiter
  /** Where authorities are changed. */
  readonly desk: AuthorityDesk
  readonly anchorCrls: Pick<AnchorCrlKeeper, 'fetchNow'>
  readonly log: Log
  /** Writes attempts that still wait, so that a list shows what has just happened. */
  flushAttempts(): Promise<void>
  /** What the policy in the shadow would decide otherwise. */
  readonly differences: Pick<ShadowDifferences, 'of'>
  /** What `GET /api/v1/hub` answers. */
  describeHub(): HubView
  /** Absent on the unix socket. */
  readonly tls?: TlsMaterial
  /** Absent where no client certificates are asked for. */
  readonly entrance?: PeopleEntrance
}

export function apiServer(options: ApiServerOptions): FastifyInstance {
  const { hub, log } = options
  const describeHub = (): HubView => options.describeHub()
  const app = httpApp({
    reader: 'operator',
    log,
    bodyBytesMax: limits.apiBodyBytesMax,
    requestMs: limits.importRequestMs,
    ...(options.tls === undefined ? {} : { tls: options.tls }),
    asksForCertificate: options.entrance !== undefined,
  })
  limitBodyTime(app, 'operator')
  acceptJson(app)
  const callers = authenticateRequests(app, hub, options.limiter, options.entrance)
  logActs(app, callers, log)
  const api = { app, hub, callers }
  deviceRoutes(api, describeHub)
  identityRoutes(api, describeHub)
  certificateRoutes(api, hub)
  adoptionRoutes(api)
  authorityRoutes(api, options.desk)
  renewalRoutes(api)
  enrolmentRequestRoutes(api)
  accessRoutes(api)
  passwordRoutes(api)
  profileRoutes(api)
  pinRoutes(api)
  anchorRoutes(api, hub, options.anchorCrls)
  policyRoutes(api, options.differences)
  attemptRoutes(api, () => options.flushAttempts())
  recordRoutes(api, { describeHub })
  importRoute(api, describeHub, log)
  documentRoute(api, describeHub)
  return app
}

/** JSON and JSON merge patches; an empty body is none. */
function acceptJson(app: FastifyInstance): void {
  const parse = app.getDefaultJsonParser('error', 'error')
  app.removeAllContentTypeParsers()
  app.addContentTypeParser<string>(
    ['application/json', 'application/merge-patch+json'],
    { parseAs: 'string' },
    (request, body, done) => {
      if (body === '') done(null, undefined)
      else void parse(request, body, done)
    },
  )
}
