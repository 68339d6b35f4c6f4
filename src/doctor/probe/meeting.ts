/**
 * The second half of a probe: the server is asked for a session, with the certificate of the client where there is one.
 *
 * A server that refuses a certificate under TLS 1.3 says so after the handshake, when the client may be writing already, and then its
 * word is lost. So a moment is waited before anything is written; and where the connection ends without a word all the same, the
 * handshake is done once more under TLS 1.2, where the refusal comes within it.
 */
import { X509Certificate } from 'node:crypto'
import type { Duplex } from 'node:stream'
import { setTimeout as elapse } from 'node:timers/promises'
import { quote } from '../../core/errors.ts'
import type { FailureName } from '../../core/failure/catalogue.ts'
import { limits } from '../../core/limits.ts'
import type { CertificateFields } from '../../core/x509/certificate.ts'
import { type Fact, type Finding, finding } from '../finding.ts'
import { certificateFields } from '../server-certificate.ts'
import {
  alertIn,
  type ClientPair,
  type HandshakeOptions,
  type NotShaken,
  type Shaken,
  shakeHands,
} from './handshake.ts'
import { alertText, judgeRefusal } from './judge-client.ts'
import { isVersionRefused, judgeConnack, judgeTopic } from './judge-visit.ts'
import type { ProbeOptions } from './options.ts'
import { speechOf } from './plain-speech.ts'
import { dial } from './reach.ts'
import { reasonText } from './reason-text.ts'
import type { Target } from './target.ts'
import { type Answer, type Visit, visit } from './visit.ts'
import { openWebSocket } from './websocket.ts'

/** What the first half has found out. */
export interface Reached {
  readonly target: Target
  readonly address: string
  /** A handshake without a certificate of the client; null where TLS is not spoken. */
  readonly handshake: HandshakeOptions | null
  /** Names in DER of the authorities that the server asks for; null where it asks for no certificate, undefined where that is not seen. */
  readonly authorities: readonly Uint8Array[] | null | undefined
}

export interface Told {
  readonly facts: readonly Fact[]
  readonly findings: readonly Finding[]
}

export async function meet(reached: Reached, options: ProbeOptions): Promise<Told> {
  const meeting = new Meeting(reached, options)
  await meeting.go()
  return meeting
}

interface Opened {
  readonly stream: Duplex
  /** Whether what is written there goes to the server that was meant. */
  readonly isProved: boolean
}

class Meeting implements Told {
  readonly facts: Fact[] = []
  readonly findings: Finding[] = []
  readonly #reached: Reached
  readonly #options: ProbeOptions
  readonly #shown: readonly CertificateFields[] | null
  readonly #subject: string

  constructor(reached: Reached, options: ProbeOptions) {
    this.#reached = reached
    this.#options = options
    this.#shown = options.pair === null ? null : shownIn(options.pair)
    this.#subject = reached.target.text
  }

  /** CONNECT in MQTT 5, and in 3.1.1 where the broker does not know that. */
  async go(): Promise<void> {
    const newest = await this.#visit(5)
    if (newest === null) return
    const mayBeVersion =
      newest.connack.kind === 'none' && newest.connack.end.kind === 'closed' && newest.connack.end.alert === null
    const again = isVersionRefused(newest) || mayBeVersion ? await this.#visit(4) : null
    const isOldAlone = again?.connack.kind === 'answer' && again.connack.code === 0
    if (isOldAlone) {
      const evidence = 'the broker speaks MQTT 3.1.1 and not MQTT 5'
      this.#add('protocol-version-unsupported', { severity: 'note', evidence, cure: 'set the devices to MQTT 3.1.1' })
    }
    const best = again?.connack.kind === 'answer' ? again : newest
    if (best.connack.kind === 'none') await this.#judgeNoAnswer(best, best.connack)
    else this.#judgeAnswer(best, best.connack.code)
  }

  #add(code: FailureName, detail: Parameters<typeof finding>[2] = {}): void {
    this.findings.push(finding(code, this.#subject, detail))
  }

  /** @returns null where it did not come to it, which was told of */
  async #visit(version: 4 | 5): Promise<Visit | null> {
    const opened = await this.#open()
    if (opened === null) return null
    const { username, password, topic, stepMs } = this.#options
    // Some brokers know a device by its user name alone, which is a token then.
    if ((username === null && password === null) || opened.isProved) {
      return visit(opened.stream, { version, clientId: this.#clientId(), username, password, topic, stepMs })
    }
    opened.stream.destroy()
    const why =
      this.#reached.handshake === null ? 'the connection has no TLS' : 'the certificate of the server does not hold'
    const evidence = `${why}, so ${password === null ? 'the user name' : 'the password'} was not sent and CONNECT was not tried`
    this.#add('password-held-back', { severity: 'note', evidence })
    return null
  }

  async #open(): Promise<Opened | null> {
    const { address, target, handshake } = this.#reached
    if (handshake === null) {
      const socket = await dial(address, target.port, this.#options.stepMs)
      return typeof socket === 'string' ? null : this.#upgraded(socket, /^(?:127\.|::1$)/.test(address))
    }
    const shaken = await shakeHands({ ...handshake, pair: this.#options.pair })
    if (shaken.kind === 'failed') {
      this.#judgeRefusal(shaken)
      return null
    }
    const refusal = await wordAfter(
      shaken,
      this.#reached.authorities === null,
      Math.min(this.#options.stepMs, limits.probeRefusalMs),
    )
    if (refusal !== null) {
      this.#judgeRefusal(refusal.alert === null ? await this.#askAgain() : refusal)
      return null
    }
    return this.#upgraded(shaken.socket, shaken.verdict === null && shaken.nameFault === null)
  }

  async #upgraded(connection: Duplex, isProved: boolean): Promise<Opened | null> {
    const { target } = this.#reached
    if (target.path === null) return { stream: connection, isProved }
    const stream = await openWebSocket(connection, { ...target, path: target.path }, this.#options.stepMs)
    if (typeof stream === 'object') return { stream, isProved }
    if (typeof stream === 'string' && this.#reached.handshake === null && (await this.#speaksTls())) {
      const evidence = `the WebSocket handshake without TLS failed (${stream}), and a ClientHello was answered`
      this.#add('port-speaks-tls', { evidence, cure: 'use wss:// and the authority of the broker' })
      return null
    }
    const said = typeof stream === 'number' ? `was answered with HTTP status ${stream}` : `failed (${stream})`
    const cure = 'check the path, most often /mqtt, and that the listener is one for WebSocket'
    this.#add('websocket-refused', { evidence: `the WebSocket handshake ${said}`, cure })
    return null
  }

  /** The same under TLS 1.2. */
  async #askAgain(): Promise<Refusal> {
    const { handshake } = this.#reached
    if (handshake === null) return silent
    const again = await shakeHands({ ...handshake, pair: this.#options.pair, maxVersion: 'TLSv1.2' })
    if (again.kind === 'failed') return again
    again.socket.destroy()
    return silent
  }

  #judgeRefusal({ alert, code }: Refusal): void {
    const { pair, nowSec } = this.#options
    const weak = pair === null ? undefined : weaknesses[code]
    if (weak !== undefined) {
      this.#add(weak, { evidence: `OpenSSL refuses to show the certificate (${code}), and servers refuse to take it` })
    } else if (alert === null && code.startsWith('ERR_') && !code.includes('ALERT')) {
      this.#add('server-handshake-failed', { evidence: `OpenSSL says ${code}` })
    } else if (this.#reached.authorities === null) {
      const how = alert === null ? `ended with ${code}` : `was refused with the alert ${alertText(alert)}`
      this.#add('server-handshake-failed', { evidence: `the handshake ${how}, and no certificate was asked for` })
    } else {
      const authorities = this.#reached.authorities ?? null
      this.findings.push(...judgeRefusal(alert, { subject: this.#subject, shown: this.#shown, authorities, nowSec }))
    }
  }

  #judgeAnswer(seen: Visit, code: number): void {
    const { version } = seen
    this.facts.push({
      name: 'CONNECT',
      value: `MQTT ${version === 5 ? '5' : '3.1.1'}: ${code === 0 ? 'accepted' : reasonText(code, version)}`,
    })
    const { authorities } = this.#reached
    const isAsked = authorities === undefined ? null : authorities !== null
    const { username, topic } = this.#options
    const own = this.#shown?.[0] ?? null
    this.findings.push(
      ...judgeConnack(seen, { subject: this.#subject, clientId: this.#clientId(), username, own, isAsked }),
    )
    if (topic === null || code !== 0) return
    const findings = judgeTopic(topic, seen, this.#subject)
    if (findings.length === 0)
      this.facts.push({ name: 'topic', value: `${quote(topic)}: a message went there and came back` })
    this.findings.push(...findings)
  }

  async #judgeNoAnswer({ start }: Visit, { end }: Answer & { readonly kind: 'none' }): Promise<void> {
    const { handshake, authorities } = this.#reached
    if (handshake !== null && end.alert !== null) this.#judgeRefusal({ alert: end.alert, code: end.code ?? '' })
    else if (start[0] === 0x15 && start[1] === 3) {
      this.#add('port-speaks-tls', { evidence: 'the answer to a CONNECT without TLS is an alert of TLS' })
    } else if (speechOf(start) === 'http') this.#add('port-speaks-http', { evidence: 'the answer to CONNECT is HTTP' })
    else if (start.length > 0) {
      const evidence = `the answer to CONNECT is not MQTT; it begins with 0x${start.subarray(0, 8).toString('hex')}`
      this.#add('port-speaks-other', { evidence })
    } else if (handshake === null && (await this.#speaksTls())) {
      this.#add('port-speaks-tls', { evidence: 'a CONNECT without TLS was not answered, and a ClientHello was' })
    } else if (end.kind === 'late') this.#add('broker-silent')
    else if (handshake !== null && authorities !== null) this.#judgeRefusal(await this.#askAgain())
    else {
      const evidence = 'the broker ended the connection at CONNECT without an answer'
      this.#add('broker-refused-unexplained', { certainty: 'likely', evidence })
    }
  }

  async #speaksTls(): Promise<boolean> {
    const { address, target } = this.#reached
    const tried = await shakeHands({
      ...{ address, port: target.port, name: target.host, authorities: [], pair: null, alpn: [] },
      ...{ minVersion: 'TLSv1.2', maxVersion: 'TLSv1.3', stepMs: this.#options.stepMs },
    })
    if (tried.kind === 'done') tried.socket.destroy()
    return tried.kind === 'done' || tried.flight.isTls
  }

  #clientId(): string {
    return this.#options.clientId ?? `doctor-${this.#options.nonce}`
  }
}

type Refusal = Pick<NotShaken, 'alert' | 'code'>
const silent: Refusal = { alert: null, code: 'ECLOSED' }

/** What OpenSSL says of a certificate of one's own that it will not show. */
const weaknesses: Readonly<Record<string, FailureName>> = {
  ERR_SSL_CA_MD_TOO_WEAK: 'certificate-hash-weak',
  ERR_SSL_EE_KEY_TOO_SMALL: 'certificate-key-weak',
  ERR_SSL_CA_KEY_TOO_SMALL: 'certificate-key-weak',
}

/**
 * What the server says right after a handshake of TLS 1.3 that the client holds for done.
 *
 * @param isUnasked it asks for no certificate, and so has nothing to refuse
 * @returns null where it says nothing, and keeps the connection
 */
async function wordAfter({ socket, version }: Shaken, isUnasked: boolean, refusalMs: number): Promise<Refusal | null> {
  if (version !== 'TLSv1.3' || isUnasked) return null
  const ended = new Promise<Refusal>((done) => {
    socket.once('error', (error: NodeJS.ErrnoException) =>
      done({ alert: alertIn(error), code: error.code ?? error.message }),
    )
    socket.once('close', () => done(silent))
  })
  // Alerts are only seen by who reads; nothing else comes before CONNECT.
  socket.read(0)
  return Promise.race([ended, elapse(refusalMs, null)])
}

function shownIn({ chain }: ClientPair): readonly CertificateFields[] {
  return (chain.match(/-----BEGIN CERTIFICATE-----[\s\S]+?-----END CERTIFICATE-----/g) ?? [])
    .map((pem) => certificateFields(new X509Certificate(pem).raw))
    .filter((fields) => typeof fields !== 'string')
}
