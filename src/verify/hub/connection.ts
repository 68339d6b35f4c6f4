/** Questions to the hub, over mutual TLS. */
import { Agent, type RequestOptions, request } from 'node:https'
import type { SecureContext } from 'node:tls'
import { HubError, quote } from '../../core/errors.ts'
import { isFailureName } from '../../core/failure/catalogue.ts'
import { limits } from '../../core/limits.ts'

/** How the server shows who it is, and knows the hub: `tlsOptions` of `handfast/device`, or PEM. */
export type HubTls =
  | { readonly secureContext: SecureContext }
  | {
      /** Roots of the hub. */
      readonly ca: string
      /** Certificate of a verifier with what stands above it, and its key. */
      readonly cert: string
      readonly key: string
    }

export interface HubPlace {
  /** Public name of the hub, as its certificate has it. */
  readonly host: string
  /** Its HTTPS port; 8443 where it is left out. */
  readonly port?: number
  /** Asked before each question, so that a renewed certificate is shown from then on. */
  readonly tls: () => HubTls
}

export interface HubConnection {
  /**
   * @param path with its query
   * @param signal ends the question
   * @returns JSON that nobody has looked at
   * @throws HubError `verify-hub-silent`, `hub-answer-unexpected`, or what the hub itself says
   */
  ask(path: string, timeMs: number, signal?: AbortSignal): Promise<unknown>
  close(): void
}

export function hubConnection({ host, port = 8443, tls }: HubPlace): HubConnection {
  const agents = new Set<Agent>()
  let shown: { readonly by: unknown; readonly agent: Agent } | null = null

  /** A connection that is kept open shows what was current when it was opened; a renewed certificate goes over new ones. */
  function agentFor(given: HubTls): Agent {
    const by = 'secureContext' in given ? given.secureContext : given.cert
    if (shown?.by === by) return shown.agent
    const agent = new Agent({ keepAlive: true, maxSockets: limits.verifyQuestionsMax + 2, maxCachedSessions: 0 })
    // What is asked over those before is still answered; then they go, also where each question brings another certificate.
    for (const before of agents) {
      if (Object.keys(before.sockets).length + Object.keys(before.requests).length > 0) continue
      before.destroy()
      agents.delete(before)
    }
    agents.add(agent)
    shown = { by, agent }
    return agent
  }

  return {
    async ask(path, timeMs, signal) {
      const ends = [AbortSignal.timeout(timeMs), ...(signal === undefined ? [] : [signal])]
      const given = tls()
      const own = 'secureContext' in given ? { secureContext: given.secureContext } : pemOf(given)
      // What the hub says is believed, so it is always verified.
      const options = { ...own, host, port, path, agent: agentFor(given), rejectUnauthorized: true }
      return answerOf(options, AbortSignal.any(ends))
    },
    close() {
      for (const agent of agents) agent.destroy()
    },
  }
}

function pemOf({ ca, cert, key }: Exclude<HubTls, { readonly secureContext: SecureContext }>): RequestOptions {
  return { ca, cert, key, minVersion: 'TLSv1.2' }
}

async function answerOf(options: RequestOptions, signal: AbortSignal): Promise<unknown> {
  const { status, text } = await exchanged(options, signal).catch((cause: unknown) => {
    if (cause instanceof HubError) throw cause
    const why = cause instanceof Error ? ('code' in cause ? String(cause.code) : cause.message) : String(cause)
    throw new HubError('verify-hub-silent', `the hub at ${options.host}:${options.port} does not answer: ${why}`, {
      cause,
    })
  })
  const said = parsed(text)
  if (status === 200) return said
  const { code, detail } = (said ?? {}) as { readonly code?: unknown; readonly detail?: unknown }
  if (typeof code === 'string' && isFailureName(code)) {
    throw new HubError(code, `the hub says: ${quote(typeof detail === 'string' ? detail : '')}`)
  }
  throw new HubError('hub-answer-unexpected', `the hub answers with the status ${status}`)
}

function exchanged(
  options: RequestOptions,
  signal: AbortSignal,
): Promise<{ readonly status: number; readonly text: string }> {
  return new Promise((resolve, reject) => {
    const asked = request({ ...options, signal }, (answer) => {
      const parts: Buffer[] = []
      let bytes = 0
      answer.on('data', (part: Buffer) => {
        bytes += part.length
        if (bytes <= limits.verifyAnswerBytesMax) parts.push(part)
        else
          answer.destroy(
            new HubError(
              'hub-answer-unexpected',
              `the hub answers with more than ${limits.verifyAnswerBytesMax} bytes`,
            ),
          )
      })
      answer.on('error', reject)
      answer.on('end', () => resolve({ status: answer.statusCode ?? 0, text: Buffer.concat(parts).toString('utf8') }))
    })
    asked.on('error', reject)
    asked.end()
  })
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text) as unknown
  } catch {
    return null
  }
}
