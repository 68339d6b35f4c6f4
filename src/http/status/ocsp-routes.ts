/** OCSP over HTTP (RFC 6960 appendix A, RFC 9919 §5 and §6). */
import type { FastifyInstance, FastifyReply } from 'fastify'
import { HubError } from '../../core/errors.ts'
import { limits } from '../../core/limits.ts'
import type { OcspAnswer, OcspAnswerer } from '../../hub/answer-ocsp.ts'
import { matchesTag } from '../entity-tag.ts'

/** Caches on the way may keep an answer so long: a revocation that they do not hear of must not wait for `nextUpdate`. */
const cachedSecMax = 300

export function serveOcsp(
  app: FastifyInstance,
  { answerer, clock }: { readonly answerer: Pick<OcspAnswerer, 'answer'>; readonly clock: { nowMs(): number } },
): void {
  app.addContentTypeParser(
    'application/ocsp-request',
    { parseAs: 'buffer', bodyLimit: limits.ocspRequestBytesMax },
    (_request, body, done) => done(null, body),
  )

  app.post('/ocsp', async (request, reply) => {
    if (!Buffer.isBuffer(request.body)) {
      throw new HubError('media-type-unsupported', 'the request is not of the type application/ocsp-request')
    }
    return send(reply, await answerer.answer(request.body), clock.nowMs())
  })

  app.get('/ocsp/*', async (request, reply) => {
    const answer = await answerer.answer(requestIn(request.raw.url ?? ''))
    const { kept } = answer
    if (kept !== null && matchesTag(request.headers['if-none-match'], `"${kept.tag}"`)) {
      return withDates(reply, answer, clock.nowMs()).code(304).send()
    }
    return send(reply, answer, clock.nowMs())
  })
}

/**
 * The request in a path, or nothing where there is none: clients escape base64 or do not, leave out the padding, or put one
 * slash more between our address and what they ask. Base64 of a SEQUENCE never begins with a slash, so that one means nothing.
 */
export function requestIn(url: string): Uint8Array {
  const path = url.split('?', 1)[0] ?? ''
  if (path.length > limits.ocspGetCharsMax) return new Uint8Array()
  let text: string
  try {
    text = decodeURIComponent(path.slice('/ocsp/'.length)).replace(/^\/+/, '')
  } catch {
    return new Uint8Array()
  }
  // Some programs read "+" as the space that it is in forms.
  const base64 = text.replaceAll(' ', '+').replace(/=+$/, '')
  return /^[A-Za-z0-9+/]+$/.test(base64) ? Buffer.from(base64, 'base64') : new Uint8Array()
}

function send(reply: FastifyReply, answer: OcspAnswer, nowMs: number): FastifyReply {
  return withDates(reply, answer, nowMs).header('Content-Type', 'application/ocsp-response').send(answer.body)
}

function withDates(reply: FastifyReply, { kept }: OcspAnswer, nowMs: number): FastifyReply {
  if (kept === null) return reply.header('Cache-Control', 'no-store')
  const goodSec = Math.max(0, Math.floor((kept.nextUpdateMs - nowMs) / 1000))
  const maxAge = Math.min(goodSec, cachedSecMax)
  return reply
    .header('ETag', `"${kept.tag}"`)
    .header('Last-Modified', new Date(kept.thisUpdateMs).toUTCString())
    .header('Expires', new Date(kept.nextUpdateMs).toUTCString())
    .header('Cache-Control', `max-age=${maxAge}, public, no-transform, must-revalidate`)
}
