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
import { quote } from '../../core/errors.ts'
import { limits } from '../../core/limits.ts'
import { openDer } from '../../core/x509/der-reader.ts'
import { tags } from '../../core/x509/der-tags.ts'
import { nameText, readName } from '../../core/x509/name.ts'
import { type Examination, type Fact, type Finding, finding, gravestFirst } from '../finding.ts'
import { certificateFields, certificateText } from '../server-certificate.ts'
import { type Handshake, type HandshakeOptions, type NotShaken, shakeHands } from './handshake.ts'
import { judgeDials, judgeNotTls, judgeResolution } from './judge-reach.ts'
import { judgeServer } from './judge-server.ts'
import { meet } from './meeting.ts'
import type { ProbeOptions } from './options.ts'
import { askPlainly, speechOf } from './plain-speech.ts'
import { dialAll, resolve } from './reach.ts'
import { parseTarget, type Target } from './target.ts'

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
  /** What is known of the certificates that the server asks for: undefined before it is. */
  #authorities: readonly Uint8Array[] | null | undefined = undefined

  constructor(target: Target, options: ProbeOptions) {
    this.#target = target
    this.#options = options
    this.#name = options.serverName ?? target.host
  }

  async go(): Promise<void> {
    const target = this.#target
    // Who writes https:// need not have thought of a WebSocket.
    if (target.path !== null) this.#fact('probed as', `MQTT over WebSocket, at the path ${quote(target.path)}`)
    const address = await this.#reach()
    if (address === null || (target.isTls && !(await this.#look(address)))) return
    const handshake = target.isTls ? this.#handshake(address) : null
    const told = await meet({ target, address, handshake, authorities: this.#authorities }, this.#options)
    this.facts.push(...told.facts)
    this.findings.push(...told.findings)
  }

  #fact(name: string, value: string): void {
    this.facts.push({ name, value })
  }

  /** @returns an address that takes connections */
  async #reach(): Promise<string | null> {
    const { host, port } = this.#target
    const resolution = await resolve(host, this.#options.stepMs)
    this.findings.push(...judgeResolution(this.#target, resolution))
    if (resolution.kind === 'failed') return null
    if (isIP(host) === 0) this.#fact('addresses', resolution.addresses.join(', '))
    const dials = await dialAll(resolution.addresses, port, this.#options.stepMs)
    this.findings.push(...judgeDials(this.#target, dials))
    const good = dials.find(({ code }) => code === null)
    if (good !== undefined) this.#fact('connection', `to ${good.address} in ${good.tookMs} ms`)
    return good?.address ?? null
  }

  /** Handshakes without a certificate of the client, for what the server shows and asks. @returns whether to go on */
  async #look(address: string): Promise<boolean> {
    const base = this.#handshake(address)
    const [clear, newest] = await Promise.all([
      shakeHands({ ...base, maxVersion: 'TLSv1.2' }),
      shakeHands({ ...base, minVersion: 'TLSv1.3' }),
    ])
    for (const each of [clear, newest]) if (each.kind === 'done') each.socket.destroy()
    this.#authorities = clear.flight.chain === null ? undefined : clear.flight.authorities
    const isTls = [clear, newest].some(({ kind, flight }) => kind === 'done' || flight.isTls)
    if (!isTls && clear.kind === 'failed') {
      const early = speechOf(clear.flight.start)
      const said =
        early === 'nothing'
          ? await askPlainly(address, this.#target.port, `doctor-${this.#options.nonce}`, this.#options.stepMs)
          : early
      this.findings.push(...judgeNotTls(this.#target, clear, said))
      return false
    }
    if ((clear.flight.version ?? tls12) < tls12) {
      const evidence = 'it answers with a version below TLS 1.2, which no client of today goes on with'
      this.findings.push(finding('server-tls-outdated', this.#target.text, { evidence }))
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
      const old = await shakeHands({ ...this.#handshake(address), minVersion: 'TLSv1', maxVersion: 'TLSv1.1' })
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

  #handshake(address: string): HandshakeOptions {
    const { authorities, systemAuthorities, alpn } = this.#options
    const trusted = authorities ?? systemAuthorities
    return {
      address,
      port: this.#target.port,
      name: this.#name,
      authorities: trusted,
      pair: null,
      alpn,
      minVersion: 'TLSv1.2',
      maxVersion: 'TLSv1.3',
      stepMs: this.#options.stepMs,
    }
  }
}

const tls12 = 0x0303

function refusalText(failed: NotShaken | undefined): string {
  if (failed === undefined) return 'the handshake came to nothing'
  return failed.alert === null
    ? `the handshake ended with ${failed.code}`
    : `the server refused the handshake with alert ${failed.alert}`
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
