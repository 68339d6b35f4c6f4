/** Certificate requests and those who sign them: the hub over EST, or cfssl over its own API. */
import { createPrivateKey, createPublicKey, X509Certificate } from 'node:crypto'
import { Agent, request } from 'node:https'
import type { TLSSocket } from 'node:tls'
import type { BootstrapView } from '../../src/api-schema/views.ts'
import { parseBootstrap } from '../../src/core/identity/bootstrap.ts'
import { parseIdentityId } from '../../src/core/identity/id.ts'
import { Secret } from '../../src/core/secret.ts'
import { encodePem } from '../../src/core/x509/pem.ts'
import { readCertsOnly } from '../../src/core/x509/pkcs7.ts'
import { certificateRequest, makeKey } from '../../src/device/certificate-request.ts'
import { withApi } from './api-caller.ts'
import { many } from './many.ts'
import type { Tasks } from './tasks.ts'
import { tlsInWords, tlsOffer } from './tls-offer.ts'

/** A request that waits to be signed. */
export interface Prepared {
  readonly id: string
  readonly keyPem: string
  /** PKCS#10 in DER. */
  readonly csr: Uint8Array
  /** The token of the device; empty where nobody asks for one. Secret. */
  readonly token: string
}

const callMs = 30_000

export async function prepareEnrolments({
  data,
  prefix,
  count,
}: Tasks['prepareEnrolments']['request']): Promise<readonly Prepared[]> {
  const prepared: Prepared[] = []
  const prepare = (index: number, token: string): void => {
    const id = parseIdentityId(`${prefix}-${index}`)
    const key = makeKey()
    prepared[index] = { id, keyPem: key.reveal(), csr: certificateRequest(id, key), token }
  }
  if (data === null) {
    for (let index = 0; index < count; index++) prepare(index, '')
    return prepared
  }
  const atOnce = 16
  await withApi(data, atOnce, (api) =>
    many(count, atOnce, async (index) => {
      const { bootstrap } = await api.post<BootstrapView>('/devices', { id: `${prefix}-${index}` })
      prepare(index, parseBootstrap(new Secret(bootstrap)).token.reveal())
    }),
  )
  return prepared
}

export async function enrolMany(
  prepared: readonly Prepared[],
  { protocol, target, ca, isEachOnNewConnection, atOnce }: Tasks['enrol']['request'],
): Promise<Tasks['enrol']['answer']> {
  const agent = new Agent({
    ...target,
    ...tlsOffer,
    ca,
    servername: 'localhost',
    keepAlive: !isEachOnNewConnection,
    maxSockets: atOnce,
    maxCachedSessions: 0,
  })
  const { questionOf, certificateIn } = protocols[protocol]
  const answers: Buffer[] = []
  let tls = ''
  const seconds = await many(prepared.length, atOnce, async (index) => {
    const one = prepared[index]
    if (one === undefined) return
    const answer = await ask(agent, questionOf(one))
    tls ||= answer.tls
    answers[index] = answer.body
  })
  agent.destroy()
  for (const [index, { id, keyPem }] of prepared.entries()) {
    const { publicKey } = certificateIn(answers[index] ?? Buffer.alloc(0))
    if (!publicKey.equals(createPublicKey(createPrivateKey(keyPem))))
      throw new Error(`${id} got a certificate for another key`)
  }
  return { seconds, count: prepared.length, tls }
}

interface Question {
  readonly path: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

interface Protocol {
  questionOf(prepared: Prepared): Question
  /** @throws Error when there is none */
  certificateIn(body: Buffer): X509Certificate
}

const protocols: Readonly<Record<Tasks['enrol']['request']['protocol'], Protocol>> = {
  est: {
    questionOf: ({ id, csr, token }) => ({
      path: '/.well-known/est/simpleenroll',
      headers: {
        Authorization: `Basic ${Buffer.from(`${id}:${token}`).toString('base64')}`,
        'Content-Type': 'application/pkcs10',
      },
      body: Buffer.from(csr).toString('base64'),
    }),
    certificateIn: (body) => {
      const [der] = readCertsOnly(Buffer.from(body.toString('latin1'), 'base64'))
      return new X509Certificate(der ?? Buffer.alloc(0))
    },
  },
  cfssl: {
    questionOf: ({ csr }) => ({
      path: '/api/v1/cfssl/sign',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify({ certificate_request: encodePem('CERTIFICATE REQUEST', csr) }),
    }),
    certificateIn: (body) => {
      const answer = JSON.parse(body.toString('utf8')) as { result?: { certificate?: string } }
      return new X509Certificate(answer.result?.certificate ?? '')
    },
  },
}

interface Answer {
  readonly body: Buffer
  /** What the handshake has agreed on. */
  readonly tls: string
}

function ask(agent: Agent, { path, headers, body }: Question): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const outgoing = request({
      agent,
      method: 'POST',
      path,
      signal: AbortSignal.timeout(callMs),
      headers: { ...headers, 'Content-Length': Buffer.byteLength(body) },
    })
    outgoing.once('error', reject)
    outgoing.once('response', (incoming) => {
      const socket = incoming.socket as TLSSocket
      if (socket.isSessionReused()) reject(new Error('the TLS session was resumed'))
      const tls = tlsInWords(socket)
      const chunks: Buffer[] = []
      incoming.on('data', (chunk: Buffer) => chunks.push(chunk))
      incoming.once('error', reject)
      incoming.once('end', () => {
        const answer = Buffer.concat(chunks)
        if (incoming.statusCode === 200) resolve({ tls, body: answer })
        else reject(new Error(`${path} was answered with ${incoming.statusCode}: ${answer.toString('utf8')}`))
      })
    })
    outgoing.end(body)
  })
}
