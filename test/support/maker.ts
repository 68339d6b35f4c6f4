/** Authorities of other people, made by OpenSSL's own commands, with a database for `openssl ca` and `openssl ocsp`. */
import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import type { DeviceFiles } from './hub-process.ts'
import { run } from './run.ts'

const ecKey = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes']
const rsaKey = ['-newkey', 'rsa:2048', '-nodes']
/** As `openssl req` and `openssl x509` sign by RSA-PSS. */
const pssSigning = ['-sigopt', 'rsa_padding_mode:pss', '-sigopt', 'rsa_pss_saltlen:32', '-sha256']

export async function openssl(...args: readonly string[]): Promise<void> {
  const { status, stderr } = await run('openssl', args)
  assert.equal(status, 0, `openssl ${args.join(' ')}\n${stderr}`)
}

interface AuthorityOptions {
  /** The authority above it; null for a root. */
  readonly above?: Maker | null
  /** Whether it has an RSA key and signs by RSA-PSS. */
  readonly isPss?: boolean
}

export class Maker {
  readonly #folder: string
  readonly #name: string
  readonly #isPss: boolean

  private constructor(folder: string, name: string, isPss: boolean) {
    this.#folder = folder
    this.#name = name
    this.#isPss = isPss
  }

  static async start(folder: string, name: string, options: AuthorityOptions = {}): Promise<Maker> {
    const { above = null, isPss = false } = options
    const made = new Maker(folder, name, isPss)
    const subject = ['-subj', `/O=ACME/CN=ACME ${name}`]
    const key = [...(isPss ? rsaKey : ecKey), '-keyout', made.path('ca.key')]
    if (above === null) {
      await openssl('req', '-x509', ...key, '-out', made.path('ca.pem'), ...subject, '-days', '300', ...made.signing())
    } else {
      await openssl('req', ...key, '-out', made.path('ca.csr'), ...subject)
      const extensions = 'basicConstraints=critical,CA:TRUE\nkeyUsage=critical,keyCertSign,cRLSign'
      await above.sign(made.path('ca.csr'), made.path('ca.pem'), extensions, 200)
    }
    writeFileSync(made.path('index.txt'), '')
    writeFileSync(made.path('index.txt.attr'), 'unique_subject = no\n')
    const section = `[ca]\ndefault_ca=acme\n[acme]\ndatabase=${made.path('index.txt')}\ndefault_md=sha256\n`
    writeFileSync(made.path('ca.cnf'), section)
    return made
  }

  path(name: string): string {
    return join(this.#folder, `${this.#name}-${name}`)
  }

  get pem(): string {
    return readFileSync(this.path('ca.pem'), 'utf8')
  }

  signing(): readonly string[] {
    return this.#isPss ? pssSigning : []
  }

  /** @param extensions lines of a section; null for a certificate without extensions */
  async sign(request: string, to: string, extensions: string | null, days: number): Promise<void> {
    const extra: string[] = []
    if (extensions !== null) {
      writeFileSync(`${to}.ext`, `${extensions}\n`)
      extra.push('-extfile', `${to}.ext`)
    }
    const by = ['-CA', this.path('ca.pem'), '-CAkey', this.path('ca.key'), '-CAcreateserial', ...this.signing()]
    await openssl('x509', '-req', '-in', request, ...by, '-days', `${days}`, ...extra, '-out', to)
  }

  /** A certificate with its key, on which `openssl ocsp` can be asked: it stands in the database. */
  async issue(
    name: string,
    commonName: string,
    ca: string,
    extensions: string | null,
    days = 30,
  ): Promise<DeviceFiles> {
    const [key, csr, cert] = [this.path(`${name}.key`), this.path(`${name}.csr`), this.path(`${name}.pem`)]
    await openssl('req', ...ecKey, '-keyout', key, '-out', csr, '-subj', `/CN=${commonName}`)
    await this.sign(csr, cert, extensions, days)
    await openssl('ca', ...this.#by(), '-valid', cert)
    return { id: name, folder: this.#folder, ca, cert, key }
  }

  async revoke(cert: string): Promise<void> {
    await openssl('ca', ...this.#by(), '-revoke', cert)
  }

  /** Its CRL now. */
  async crl(): Promise<string> {
    await openssl('ca', ...this.#by(), '-gencrl', '-crldays', '7', '-out', this.path('crl.pem'))
    return this.path('crl.pem')
  }

  /** The same in DER, as it is served. */
  async crlDer(): Promise<Buffer> {
    await openssl('crl', '-in', await this.crl(), '-outform', 'DER', '-out', this.path('crl.der'))
    return readFileSync(this.path('crl.der'))
  }

  /**
   * What its responder answers.
   *
   * @param responder whose certificate and key sign the answer; the authority itself where it is left out
   */
  async ocsp(question: Uint8Array, responder?: { readonly cert: string; readonly key: string }): Promise<Buffer> {
    writeFileSync(this.path('ocsp.req'), question)
    const { cert, key } = responder ?? { cert: this.path('ca.pem'), key: this.path('ca.key') }
    const by = ['-rsigner', cert, '-rkey', key, '-ndays', '1']
    const files = ['-reqin', this.path('ocsp.req'), '-respout', this.path('ocsp.resp')]
    await openssl('ocsp', '-index', this.path('index.txt'), '-CA', this.path('ca.pem'), ...by, ...files)
    return readFileSync(this.path('ocsp.resp'))
  }

  #by(): readonly string[] {
    return ['-config', this.path('ca.cnf'), '-cert', this.path('ca.pem'), '-keyfile', this.path('ca.key')]
  }
}

/** What a web server on loopback answers by path; undefined for nothing. */
export type Served = (path: string, body: Buffer) => Promise<Uint8Array | undefined> | Uint8Array | undefined

/** @returns its address, as in `http://127.0.0.1:4711` */
export async function serveStatus(t: { after(step: () => unknown): void }, served: Served): Promise<string> {
  const server = createServer(async (request, response) => {
    const parts: Buffer[] = []
    for await (const part of request) parts.push(part)
    const answer = await served(request.url ?? '', Buffer.concat(parts))
    response.writeHead(answer === undefined ? 404 : 200).end(answer)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.after(() => server.close())
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}
