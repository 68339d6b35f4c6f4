/** An authority and an EST server that are not ours: certificates by the openssl program, HTTPS by node:https. */
import { execFileSync } from 'node:child_process'
import { X509Certificate } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { duplexPair } from 'node:stream'
import { createServer as createTlsServer } from 'node:tls'
import type { Bootstrap } from '../../src/core/identity/bootstrap.ts'
import { parseIdentityId } from '../../src/core/identity/id.ts'
import { Secret } from '../../src/core/secret.ts'

export interface KeyAndCertificate {
  readonly key: string
  readonly certificate: string
}

/** A root, an issuing CA below it and a server certificate, in a folder of their own. */
export class OpensslAuthority {
  readonly folder: string = mkdtempSync(join(tmpdir(), 'handfast-openssl-'))

  constructor() {
    this.#selfSigned('root', '/CN=test root')
    this.#issue(
      'issuing',
      'root',
      '/CN=test issuing',
      'basicConstraints=critical,CA:TRUE\nkeyUsage=critical,keyCertSign\nsubjectKeyIdentifier=hash',
    )
  }

  /** The SHA-256 of the root, as a bootstrap string carries it. */
  get rootFingerprint(): string {
    return new X509Certificate(this.read('root.pem')).fingerprint256.replaceAll(':', '').toLowerCase()
  }

  /** A certificate for a server (or, with `clientAuth`, for a client) of this name. */
  endEntity(name: string, san: string, usage: 'serverAuth' | 'clientAuth' = 'serverAuth'): KeyAndCertificate {
    this.#issue(name, 'issuing', `/CN=${name}`, `subjectAltName=${san}\nextendedKeyUsage=${usage}`)
    return { key: this.read(`${name}.key`), certificate: this.read(`${name}.pem`) + this.read('issuing.pem') }
  }

  /** A certificate nobody stands behind. */
  selfSigned(name: string): KeyAndCertificate {
    this.#selfSigned(name, `/CN=${name}`)
    return { key: this.read(`${name}.key`), certificate: this.read(`${name}.pem`) }
  }

  /** Signs a request in DER, as the subject that it asks for or another; it must be signed itself. */
  sign(request: Buffer, subject?: string): string {
    writeFileSync(this.path('device.csr'), request)
    writeFileSync(this.path('device.ext'), 'authorityKeyIdentifier=keyid:always\n')
    this.#openssl('req', '-inform', 'DER', '-in', 'device.csr', '-verify', '-noout')
    this.#openssl(
      ...[
        'x509',
        '-req',
        '-inform',
        'DER',
        '-in',
        'device.csr',
        '-out',
        'device.pem',
        '-days',
        '10',
        '-extfile',
        'device.ext',
      ],
      ...(subject === undefined ? [] : ['-subj', subject]),
      ...['-CA', 'issuing.pem', '-CAkey', 'issuing.key', '-set_serial', String(++this.#serial)],
    )
    return this.read('device.pem')
  }

  /** A certs-only PKCS#7 of these files, in base64 without line breaks. */
  certsOnly(...names: readonly string[]): string {
    const files = names.flatMap((name) => ['-certfile', name])
    const der = this.#openssl('crl2pkcs7', '-nocrl', '-outform', 'DER', ...files)
    return der.toString('base64')
  }

  read(name: string): string {
    return readFileSync(this.path(name), 'utf8')
  }

  path(name: string): string {
    return join(this.folder, name)
  }

  remove(): void {
    rmSync(this.folder, { recursive: true, force: true })
  }

  #serial = 1000

  #selfSigned(name: string, subject: string): void {
    this.#openssl(
      'req',
      '-x509',
      ...this.#newKey(name),
      '-subj',
      subject,
      '-out',
      `${name}.pem`,
      '-days',
      '30',
      '-addext',
      'keyUsage=critical,keyCertSign',
    )
  }

  #issue(name: string, issuer: string, subject: string, extensions: string): void {
    writeFileSync(this.path(`${name}.ext`), `${extensions}\n`)
    this.#openssl('req', ...this.#newKey(name), '-subj', subject, '-out', `${name}.csr`)
    this.#openssl(
      ...['x509', '-req', '-in', `${name}.csr`, '-out', `${name}.pem`, '-days', '30', '-extfile', `${name}.ext`],
      ...['-CA', `${issuer}.pem`, '-CAkey', `${issuer}.key`, '-set_serial', String(++this.#serial)],
    )
  }

  #newKey(name: string): readonly string[] {
    return ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-keyout', `${name}.key`]
  }

  #openssl(...args: readonly string[]): Buffer {
    return execFileSync('openssl', args, { cwd: this.folder, stdio: ['ignore', 'pipe', 'pipe'] })
  }
}

/** One request as the server read it. */
export interface EstRequest {
  readonly method: string
  readonly path: string
  readonly authorization: string
  readonly body: string
  /** The certificate that the client showed, in DER; null where it showed none or was not asked. */
  readonly certificate: Buffer | null
}

export type EstHandler = (request: EstRequest, response: ServerResponse) => void

/** An HTTPS server that keeps every byte that came out of its TLS. */
export class EstServer {
  readonly requests: EstRequest[] = []
  readonly port: number
  readonly #received: Buffer[]
  readonly #close: () => void

  private constructor(port: number, requests: EstRequest[], received: Buffer[], close: () => void) {
    this.port = port
    this.requests = requests
    this.#received = received
    this.#close = close
  }

  static async start(tls: KeyAndCertificate, handler: EstHandler): Promise<EstServer> {
    const received: Buffer[] = []
    const requests: EstRequest[] = []
    const shown = new WeakMap<object, Buffer>()
    const http = createServer((incoming, response) => {
      const certificate = shown.get(incoming.socket) ?? null
      void readRequest(incoming).then((read) => {
        const request = { ...read, certificate }
        requests.push(request)
        handler(request, response)
      })
    })
    const asksClient = { requestCert: true, rejectUnauthorized: false }
    const server = createTlsServer({ key: tls.key, cert: tls.certificate, ...asksClient }, (socket) => {
      // The HTTP parser reads a socket below its events: a pair in between shows every byte.
      const [inner, outer] = duplexPair()
      socket.on('data', (chunk: Buffer) => received.push(chunk))
      socket.on('error', () => {})
      socket.pipe(outer).pipe(socket)
      inner.on('close', () => socket.destroy())
      const certificate = socket.getPeerX509Certificate()
      if (certificate !== undefined) shown.set(inner, certificate.raw)
      http.emit('connection', inner)
    })
    server.on('tlsClientError', () => {})
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const { port } = server.address() as AddressInfo
    return new EstServer(port, requests, received, () => {
      http.closeAllConnections()
      server.close()
    })
  }

  /** Everything that clients have said, decrypted. */
  get received(): string {
    return Buffer.concat(this.#received).toString('latin1')
  }

  stop(): void {
    this.#close()
  }
}

async function readRequest(incoming: IncomingMessage): Promise<Omit<EstRequest, 'certificate'>> {
  const chunks: Buffer[] = []
  for await (const chunk of incoming) chunks.push(chunk as Buffer)
  return {
    method: incoming.method ?? '',
    path: incoming.url ?? '',
    authorization: incoming.headers.authorization ?? '',
    body: Buffer.concat(chunks).toString('latin1'),
  }
}

/** Answers with certificates, in base64 folded as EST servers do. */
export function sendCertificates(response: ServerResponse, base64: string): void {
  response.setHeader('Content-Type', 'application/pkcs7-mime; smime-type=certs-only')
  response.end(`\r\n${base64.replace(/.{1,64}/g, '$&\r\n')}\r\n`)
}

/** The handler of an honest hub: CA certificates for everyone, a certificate for every request. */
export function honest(authority: OpensslAuthority): EstHandler {
  return ({ path, body }, response) => {
    if (path === '/.well-known/est/cacerts') {
      sendCertificates(response, authority.certsOnly('root.pem', 'issuing.pem'))
      return
    }
    authority.sign(Buffer.from(body, 'base64'))
    sendCertificates(response, authority.certsOnly('device.pem'))
  }
}

export const testToken: string = `0123456789abcdef.${'s'.repeat(43)}`

export function bootstrapFor(authority: OpensslAuthority, port: number, change: Partial<Bootstrap> = {}): Bootstrap {
  return {
    host: '127.0.0.1',
    httpsPort: port,
    mqttPort: 8883,
    id: parseIdentityId('pump-7'),
    rootFingerprint: authority.rootFingerprint,
    token: new Secret(testToken),
    ...change,
  }
}
