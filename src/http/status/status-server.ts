/** What anybody may read, over plain HTTP: CRLs and CA certificates protect themselves by their signatures. */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { HubError, quote } from '../../core/errors.ts'
import { limits } from '../../core/limits.ts'
import type { OcspAnswerer } from '../../hub/answer-ocsp.ts'
import type { Authorities } from '../../hub/authorities.ts'
import { type CrlRow, fullCrl } from '../../hub/ports/crls.ts'
import type { Log } from '../../hub/ports/log.ts'
import type { CrlScope } from '../../hub/publish-crl.ts'
import { matchesTag } from '../entity-tag.ts'
import { type HealthOptions, serveHealth } from '../health.ts'
import { httpApp } from '../listen.ts'
import { serveOcsp } from './ocsp-routes.ts'

export interface StatusServerOptions {
  readonly authorities: Pick<Authorities, 'byId' | 'rootsPem'>
  /** @throws HubError `not-found` */
  crl(scope: CrlScope): Promise<CrlRow>
  readonly ocsp: Pick<OcspAnswerer, 'answer'>
  readonly readiness: HealthOptions['readiness']
  readonly clock: { nowMs(): number }
  readonly log: Log
}

export function statusServer(options: StatusServerOptions): FastifyInstance {
  const app = httpApp({ reader: 'device', log: options.log, bodyBytesMax: limits.estBodyBytesMax })

  app.get('/ca.pem', (_request, reply) =>
    reply.header('Content-Type', 'application/x-pem-file').send(options.authorities.rootsPem()),
  )

  app.get<{ Params: { file: string } }>('/ca/:file', (request, reply) => {
    const authority = options.authorities.byId(withoutEnding(request.params.file, '.crt'))
    if (authority === null) throw new HubError('not-found', `there is no ${quote(request.params.file)}`)
    return reply.header('Content-Type', 'application/pkix-cert').send(Buffer.from(authority.certificate))
  })

  const sendCrl = async (request: FastifyRequest, reply: FastifyReply, scope: CrlScope): Promise<FastifyReply> => {
    const row = await options.crl(scope)
    const tag = `"${row.number}"`
    const freshSec = Math.max(0, Math.floor((row.nextUpdateMs - options.clock.nowMs()) / 1000))
    reply
      .header('ETag', tag)
      .header('Last-Modified', new Date(row.thisUpdateMs).toUTCString())
      .header('Cache-Control', `public, max-age=${Math.min(freshSec, 300)}`)
    if (matchesTag(request.headers['if-none-match'], tag)) return reply.code(304).send()
    return reply.header('Content-Type', 'application/pkix-crl').send(Buffer.from(row.crl))
  }

  app.get<{ Params: { file: string } }>('/crl/:file', (request, reply) =>
    sendCrl(request, reply, { authorityId: withoutEnding(request.params.file, '.crl'), shard: fullCrl }),
  )

  app.get<{ Params: { authority: string; file: string } }>('/crl/:authority/:file', (request, reply) => {
    const { authority: authorityId, file } = request.params
    const shard = withoutEnding(file, '.crl')
    if (!/^(0|[1-9][0-9]{0,8})$/.test(shard)) throw new HubError('not-found', `there is no ${quote(file)}`)
    return sendCrl(request, reply, { authorityId, shard: Number(shard) })
  })

  serveOcsp(app, { answerer: options.ocsp, clock: options.clock })
  serveHealth(app, { readiness: options.readiness, withReasons: false })
  return app
}

function withoutEnding(file: string, ending: string): string {
  if (!file.endsWith(ending)) throw new HubError('not-found', `there is no ${quote(file)}`)
  return file.slice(0, -ending.length)
}
