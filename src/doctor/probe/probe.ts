/**
 * What a device meets at a broker, step by step: name, connection, what is spoken there, the certificate of the server, what becomes
 * of the certificate of the client, CONNECT, and a topic where one is named. It ends at the first step beyond which none leads.
 *
 * Nothing secret goes to a server that has not proved itself: a password is sent only where its certificate holds for the name that
 * was dialled, or to this machine itself. No topic is touched that was not named, and no session is taken over: the client id is made
 * up unless one is given.
 */
import { X509Certificate } from 'node:crypto'
import { isIP } from 'node:net'
import type { Duplex } from 'node:stream'
import { quote } from '../../core/errors.ts'
import { limits } from '../../core/limits.ts'
import type { TopicName } from '../../core/mqtt/topic.ts'
import type { Secret } from '../../core/secret.ts'
import type { CertificateFields } from '../../core/x509/certificate.ts'
import { openDer } from '../../core/x509/der-reader.ts'
import { tags } from '../../core/x509/der-tags.ts'
import { nameText, readName } from '../../core/x509/name.ts'
import { type Examination, type Fact, type Finding, finding, gravestFirst } from '../finding.ts'
import { certificateFields, certificateText } from '../server-certificate.ts'
import {
  type ClientPair,
  type Handshake,
  type HandshakeOptions,
  type NotShaken,
  type Shaken,
  shakeHands,
} from './handshake.ts'
import { type ClientSeen, judgeRefusal } from './judge-client.ts'
import { judgeDials, judgeNotTls, judgeResolution } from './judge-reach.ts'
import { judgeServer } from './judge-server.ts'
import { isVersionRefused, judgeConnack, judgeTopic, type VisitorSeen } from './judge-visit.ts'
import { askPlainly, speechOf } from './plain-speech.ts'
import { dial, dialAll, resolve } from './reach.ts'
import { reasonText } from './reason-text.ts'
import { parseTarget, type Target } from './target.ts'
import { type Visit, visit } from './visit.ts'
import { openWebSocket } from './websocket.ts'

export interface ProbeOptions {
  /** Authorities that the devices trust, in PEM; null for those of the system. */
  readonly authorities: readonly string[] | null
  readonly systemAuthorities: readonly string[]
  readonly pair: ClientPair | null
  readonly username: string | null
  readonly password: Secret | null
  readonly topic: TopicName | null
  /** Null for a made up one. */
  readonly clientId: string | null
  readonly alpn: readonly string[]
  /** The name in the certificate, where it is another than the one that is dialled. */
  readonly serverName: string | null
  readonly nowSec: number
  /** Lower-case hexadecimal, for the client id that is made up. */
  readonly nonce: string
}

/**
 * @param address as the person wrote it
 * @throws HubError `usage` where it is no address
 */
export async function probe(address: string, options: ProbeOptions): Promise<Examination> {
  const target = parseTarget(address)
  const run = new Probe(target, options)
  await run.go()
  return { subject: target.text, facts: run.facts, findings: gravestFirst(run.findings) }
}

class Probe {
  readonly facts: Fact[] = []
  readonly findings: Finding[] = []
  readonly #target: Target
  readonly #options: ProbeOptions
  readonly #name: string
  readonly #shown: readonly CertificateFields[] | null
  /** What is known of the certificates that the server asks for: undefined before it is. */
  #authorities: readonly Uint8Array[] | null | undefined = undefined

  constructor(target: Target, options: ProbeOptions) {
    this.#target = target
    this.#options = options
    this.#name = options.serverName ?? target.host
    this.#shown = options.pair === null ? null : shownIn(options.pair)
  }

  async go(): Promise<void> {
    const address = await this.#reach()
    if (address === null) return
    if (!this.#target.isTls) return this.#meetPlainly(address)
    if (!(await this.#look(address))) return
    await this.#meet(() => this.#open(address), true)
  }

  #fact(name: string, value: string): void {
    this.facts.push({ name, value })
  }

  /** @returns an address that takes connections */
  async #reach(): Promise<string | null> {
    const { host, port } = this.#target
    const resolution = await resolve(host)
    this.findings.push(...judgeResolution(this.#target, resolution))
    if (resolution.kind === 'failed') return null
    if (isIP(host) === 0) this.#fact('addresses', resolution.addresses.join(', '))
    const dials = await dialAll(resolution.addresses, port)
    this.findings.push(...judgeDials(this.#target, dials))
    const good = dials.find(({ code }) => code === null)
    if (good !== undefined) this.#fact('connection', `to ${good.address} in ${good.tookMs} ms`)
    return good?.address ?? null
  }

  /** Handshakes without a certificate of the client, for what the server shows and asks. @returns whether to go on */
  async #look(address: string): Promise<boolean> {
    const base = this.#handshake(address, null)
    const [clear, newest] = await Promise.all([
      shakeHands({ ...base, maxVersion: 'TLSv1.2' }),
      shakeHands({ ...base, minVersion: 'TLSv1.3' }),
    ])
    for (const each of [clear, newest]) if (each.kind === 'done') each.socket.destroy()
    this.#authorities = clear.flight.chain === null ? undefined : clear.flight.authorities
    const isTls = [clear, newest].some(({ kind, flight }) => kind === 'done' || flight.isTls)
    if (!isTls && clear.kind === 'failed') {
      const early = speechOf(clear.flight.start)
      const said = early === 'nothing' ? await askPlainly(address, this.#target.port, this.#madeUpId()) : early
      this.findings.push(...judgeNotTls(this.#target, clear, said))
      return false
    }
    this.#tellTls(clear, newest)
    const chain = newest.kind === 'done' && clear.flight.chain === null ? newest.chain : (clear.flight.chain ?? [])
    this.#judgeServer(
      chain,
      newest.kind === 'done' ? newest.verdict : clear.kind === 'done' ? clear.verdict : undefined,
    )
    return chain.length > 0 || (await this.#explain(address, clear, newest))
  }

  /** Neither version came as far as a certificate. */
  async #explain(address: string, clear: Handshake, newest: Handshake): Promise<boolean> {
    const { text } = this.#target
    const [first, second] = [clear, newest].filter((each): each is NotShaken => each.kind === 'failed')
    const alert = first?.alert ?? second?.alert ?? null
    const evidence = refusalText(first ?? second)
    if (alert === 112)
      this.findings.push(
        finding('tls-name-unrecognised', text, { evidence: `${evidence}; the name was ${quote(this.#name)}` }),
      )
    else if (alert === 120)
      this.findings.push(
        finding('tls-no-application-protocol', text, {
          evidence: `${evidence}; offered were ${this.#options.alpn.join(', ') || 'none'}`,
        }),
      )
    else {
      const old = await shakeHands({ ...this.#handshake(address, null), minVersion: 'TLSv1', maxVersion: 'TLSv1.1' })
      if (old.kind === 'done') {
        old.socket.destroy()
        this.findings.push(
          finding('server-tls-outdated', text, { evidence: `it speaks ${old.version} and refuses TLS 1.2 and 1.3` }),
        )
      } else if (alert === 40 || alert === 71)
        this.findings.push(finding('tls-no-shared-cipher', text, { certainty: 'likely', evidence }))
      else this.findings.push(finding('server-handshake-failed', text, { evidence }))
    }
    return false
  }

  #tellTls(clear: Handshake, newest: Handshake): void {
    // A server that demands a certificate ends the handshake of 1.2, having said all that matters.
    const old = clear.kind === 'done' ? `TLS 1.2 with ${clear.cipher}` : clear.flight.chain === null ? null : 'TLS 1.2'
    const versions = [newest.kind === 'done' ? `TLS 1.3 with ${newest.cipher}` : null, old].filter(
      (each) => each !== null,
    )
    if (versions.length > 0) this.#fact('speaks', versions.join(', '))
    const alpn = newest.kind === 'done' ? newest.alpn : clear.kind === 'done' ? clear.alpn : null
    if (alpn !== null) this.#fact('ALPN', alpn)
    if (this.#authorities === undefined)
      this.#fact('client certificate', 'whether it asks for one is not seen under TLS 1.3')
    else if (this.#authorities === null) this.#fact('client certificate', 'not asked for')
    else this.#fact('client certificate', `asked for, ${authoritiesText(this.#authorities)}`)
  }

  #judgeServer(chain: readonly Uint8Array[], verdict: string | null | undefined): void {
    const [leaf] = chain.map(certificateFields)
    if (leaf !== undefined && typeof leaf !== 'string') this.#fact('server certificate', certificateText(leaf))
    if (chain.length > 0) this.#fact('chain', `${chain.length} certificate${chain.length === 1 ? '' : 's'}`)
    const { authorities, systemAuthorities, nowSec } = this.#options
    const anchors = (authorities ?? systemAuthorities).flatMap((pem) => anchorIn(pem))
    const seen = {
      subject: this.#target.text,
      name: this.#name,
      chain,
      anchors,
      isOwnTrust: authorities !== null,
      verdict,
      nowSec,
    }
    this.findings.push(...judgeServer(seen))
  }

  #handshake(address: string, pair: ClientPair | null): HandshakeOptions {
    const { authorities, systemAuthorities, alpn } = this.#options
    const trusted = authorities ?? systemAuthorities
    return {
      address,
      port: this.#target.port,
      name: this.#name,
      authorities: trusted,
      pair,
      alpn,
      minVersion: 'TLSv1.2',
      maxVersion: 'TLSv1.3',
    }
  }

  /** A connection with the certificate of the client, and whether the server has proved itself on it. */
  async #open(address: string): Promise<Opened | null> {
    const shaken = await shakeHands(this.#handshake(address, this.#options.pair))
    if (shaken.kind === 'done') return this.#wrapped(shaken)
    this.#refused(shaken.alert, shaken.code)
    return null
  }

  #refused(alert: number | null, code: string | null): void {
    const isAboutTls = alert === null && code !== null && code.startsWith('ERR_') && !code.includes('ALERT')
    if (isAboutTls) {
      this.findings.push(finding('server-handshake-failed', this.#target.text, { evidence: `OpenSSL says ${code}` }))
      return
    }
    this.findings.push(...judgeRefusal(alert, this.#clientSeen()))
  }

  async #wrapped(shaken: Shaken): Promise<Opened | null> {
    const isProved = shaken.verdict === null && shaken.nameFault === null
    const stream = await this.#webSocketOn(shaken.socket)
    return stream === null ? null : { stream, isProved }
  }

  async #webSocketOn(connection: Duplex): Promise<Duplex | null> {
    const { path, text } = this.#target
    if (path === null) return connection
    const opened = await openWebSocket(connection, { ...this.#target, path })
    if (typeof opened === 'object') return opened
    const evidence =
      typeof opened === 'number'
        ? `the server answered the WebSocket handshake with HTTP status ${opened}`
        : `the WebSocket handshake failed (${opened})`
    this.findings.push(
      finding('websocket-refused', text, {
        evidence,
        cure: 'check the path, most often /mqtt, and that the listener is one for WebSocket',
      }),
    )
    return null
  }

  async #meetPlainly(address: string): Promise<void> {
    await this.#meet(async () => {
      const socket = await dial(address, this.#target.port)
      if (typeof socket === 'string') return null
      const stream = await this.#webSocketOn(socket)
      const isNear = /^(?:127\.|::1$)/.test(address)
      return stream === null ? null : { stream, isProved: isNear }
    }, false)
  }

  /** CONNECT in MQTT 5, and in 3.1.1 where the broker does not know that. */
  async #meet(open: () => Promise<Opened | null>, isTls: boolean): Promise<void> {
    const newest = await this.#visit(open, 5)
    if (newest === null) return
    const isUnheard =
      newest.connack.kind === 'none' && newest.connack.end.alert === null && newest.connack.end.kind === 'closed'
    const again = isVersionRefused(newest) || isUnheard ? await this.#visit(open, 4) : null
    const best = again?.connack.kind === 'answer' ? again : newest
    if (again !== null && again.connack.kind === 'answer' && again.connack.code === 0) {
      const evidence = 'the broker speaks MQTT 3.1.1 and not MQTT 5'
      this.findings.push(
        finding('protocol-version-unsupported', this.#target.text, {
          severity: 'note',
          evidence,
          cure: 'set the devices to MQTT 3.1.1',
        }),
      )
    }
    this.#judgeVisit(best, isTls)
  }

  async #visit(open: () => Promise<Opened | null>, version: 4 | 5): Promise<Visit | null> {
    const opened = await open()
    if (opened === null) return null
    const { username, password, topic } = this.#options
    if (password !== null && !opened.isProved) {
      opened.stream.destroy()
      this.#holdBack()
      return null
    }
    return visit(opened.stream, { version, clientId: this.#clientId(), username, password, topic })
  }

  #holdBack(): void {
    const why = this.#target.isTls ? 'the certificate of the server does not hold' : 'the connection has no TLS'
    const evidence = `${why}, so the password was not sent and CONNECT was not tried`
    this.findings.push(finding('password-held-back', this.#target.text, { severity: 'note', evidence }))
  }

  #judgeVisit(seen: Visit, isTls: boolean): void {
    const { text } = this.#target
    const { connack, start, version } = seen
    if (connack.kind === 'none') {
      this.#judgeNoConnack(connack.end.kind, connack.end.alert, start, isTls)
      return
    }
    this.#fact(
      'CONNECT',
      `MQTT ${version === 5 ? '5' : '3.1.1'}: ${connack.code === 0 ? 'accepted' : reasonText(connack.code, version)}`,
    )
    this.findings.push(...judgeConnack(seen, this.#visitor()))
    const { topic } = this.#options
    if (topic === null || connack.code !== 0) return
    const findings = judgeTopic(topic, seen, text)
    if (findings.length === 0) this.#fact('topic', `${quote(topic)}: a message went there and came back`)
    this.findings.push(...findings)
  }

  #judgeNoConnack(kind: 'closed' | 'late' | 'unreadable', alert: number | null, start: Buffer, isTls: boolean): void {
    const { text } = this.#target
    if (isTls && (alert !== null || (kind === 'closed' && this.#mayBeAboutCertificate()))) {
      this.findings.push(...judgeRefusal(alert, this.#clientSeen()))
    } else if (start[0] === 0x15 && start[1] === 3) {
      this.findings.push(
        finding('port-speaks-tls', text, { evidence: 'the answer to a CONNECT without TLS is an alert of TLS' }),
      )
    } else if (speechOf(start) === 'http') {
      this.findings.push(finding('port-speaks-http', text, { evidence: 'the answer to CONNECT is HTTP' }))
    } else if (start.length > 0) {
      const evidence = `the answer to CONNECT is not MQTT; it begins with 0x${start.subarray(0, 8).toString('hex')}`
      this.findings.push(finding('port-speaks-other', text, { evidence }))
    } else if (kind === 'late') this.findings.push(finding('broker-silent', text))
    else {
      const evidence = 'the broker ended the connection at CONNECT without an answer'
      this.findings.push(finding('broker-refused-unexplained', text, { certainty: 'likely', evidence }))
    }
  }

  /** Under TLS 1.3 a server refuses a certificate, or the lack of one, after the handshake. */
  #mayBeAboutCertificate(): boolean {
    return this.#authorities !== null
  }

  #clientSeen(): ClientSeen {
    return {
      subject: this.#target.text,
      shown: this.#shown,
      authorities: this.#authorities ?? null,
      nowSec: this.#options.nowSec,
    }
  }

  #visitor(): VisitorSeen {
    const isAsked = this.#authorities === undefined ? null : this.#authorities !== null
    return {
      subject: this.#target.text,
      clientId: this.#clientId(),
      username: this.#options.username,
      own: this.#shown?.[0] ?? null,
      isAsked,
    }
  }

  #clientId(): string {
    return this.#options.clientId ?? this.#madeUpId()
  }

  #madeUpId(): string {
    return `doctor-${this.#options.nonce}`
  }
}

interface Opened {
  readonly stream: Duplex
  /** Whether what is written there goes to the server that was meant. */
  readonly isProved: boolean
}

function refusalText(failed: NotShaken | undefined): string {
  if (failed === undefined) return 'the handshake came to nothing'
  return failed.alert === null
    ? `the handshake ended with ${failed.code}`
    : `the server refused the handshake with alert ${failed.alert}`
}

function shownIn({ chain }: ClientPair): readonly CertificateFields[] {
  return (chain.match(/-----BEGIN CERTIFICATE-----[\s\S]+?-----END CERTIFICATE-----/g) ?? [])
    .map((pem) => certificateFields(new X509Certificate(pem).raw))
    .filter((fields) => typeof fields !== 'string')
}

function anchorIn(pem: string): readonly X509Certificate[] {
  try {
    return [new X509Certificate(pem)]
  } catch {
    return []
  }
}

function authoritiesText(names: readonly Uint8Array[]): string {
  if (names.length === 0) return 'of any authority'
  const shown = names.slice(0, limits.probeAuthoritiesShownMax).map(distinguishedName)
  const more = names.length > shown.length ? ` and ${names.length - shown.length} more` : ''
  return `of ${shown.join('; ')}${more}`
}

function distinguishedName(der: Uint8Array): string {
  try {
    return nameText(readName(openDer(der).take(tags.sequence, 'a name'), 'a name'))
  } catch {
    return 'a name that cannot be read'
  }
}
