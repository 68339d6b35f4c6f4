/** The route of the OpenAPI document. */
import { createHash } from 'node:crypto'
import { showDocument } from '../../../api-schema/operations/records.ts'
import type { HubView } from '../../../api-schema/views.ts'
import { matchesTag } from '../../entity-tag.ts'
import { openApiDocument } from '../../openapi/document.ts'
import { originOf } from '../bootstrap.ts'
import { type ApiListener, fastifyPath } from '../serve.ts'

/** It is for anybody: it says what the sources say, and where the hub is served, and nothing of what the hub holds. */
export function documentRoute({ app }: Pick<ApiListener, 'app'>, describeHub: () => HubView): void {
  let made: { readonly text: string; readonly tag: string } | null = null

  // Not before it is asked for: which ports are open is known only then, and most hubs are never asked.
  function document(): { readonly text: string; readonly tag: string } {
    if (made === null) {
      const { version, publicName, api, https } = describeHub()
      const apiUrl = api === null ? '/' : originOf(publicName, api.port)
      const text = JSON.stringify(openApiDocument({ version, apiUrl, estUrl: originOf(publicName, https.port) }))
      made = { text, tag: `"${createHash('sha256').update(text).digest('base64url').slice(0, 16)}"` }
    }
    return made
  }

  app.get(fastifyPath(showDocument.path), { config: { forAnybody: true } }, (request, reply) => {
    const { text, tag } = document()
    reply.header('ETag', tag).header('Cache-Control', 'no-cache')
    if (matchesTag(request.headers['if-none-match'], tag)) return reply.code(304).send()
    return reply.header('Content-Type', 'application/json').send(text)
  })
}
