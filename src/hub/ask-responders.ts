/**
 * What OCSP responders of others say of certificates. Each is asked when it is needed and believed until its word ends, an hour at
 * most where it sets no end or a later one; nothing of it outlives the process.
 */
import { HubError } from '../core/errors.ts'
import type { Anchored, OcspStatus } from '../core/identification/anchor.ts'
import { namedHosts, sourceFault } from '../core/identification/revocation-sources.ts'
import { limits } from '../core/limits.ts'
import { type OcspWord, ocspQuestion, readOcspAnswer } from '../core/x509/ocsp-client.ts'
import { type Clock, nowSec } from './ports/clock.ts'
import type { Log } from './ports/log.ts'
import type { StatusFetcher } from './ports/status-fetcher.ts'
import type { TrustedAnchor, TrustedAnchors } from './trusted-anchors.ts'

interface Hub {
  readonly clock: Clock
  readonly log: Log
  readonly fetcher: StatusFetcher
  readonly anchors: Pick<TrustedAnchors, 'find'>
}

interface Kept {
  readonly status: OcspStatus
  /** Until when nobody is asked again. */
  readonly untilMs: number
}

export class Responders {
  readonly #hub: Hub
  /** By issuer and serial number, the oldest first. */
  readonly #kept = new Map<string, Kept>()
  readonly #asking = new Map<string, Promise<OcspStatus>>()
  readonly #waiting: (() => void)[] = []
  /** Responders that did not answer, and until when nobody waits for them again. */
  readonly #silent = new Map<string, number>()
  #questions = 0

  constructor(hub: Hub) {
    this.#hub = hub
  }

  /** What is known without asking; null also where its word has ended, unless that was that it is revoked. */
  known(anchored: Anchored): OcspStatus {
    const kept = this.#kept.get(keyOf(anchored))
    const isOver = kept === undefined || kept.untilMs < this.#hub.clock.nowMs()
    return isOver && kept?.status !== 'revoked' ? null : (kept?.status ?? null)
  }

  /** Whether somebody can be asked, and what was said before does not count any more. */
  isDue(anchored: Anchored): boolean {
    const kept = this.#kept.get(keyOf(anchored))
    return this.#urlsFor(anchored).length > 0 && (kept === undefined || kept.untilMs < this.#hub.clock.nowMs())
  }

  /** Asks unless it is known; null where nobody answers in a way that counts. It never rejects. */
  async statusOf(anchored: Anchored): Promise<OcspStatus> {
    if (!this.isDue(anchored)) return this.known(anchored)
    const key = keyOf(anchored)
    const running = this.#asking.get(key)
    if (running !== undefined) return running
    const asked = this.#ask(anchored).finally(() => this.#asking.delete(key))
    this.#asking.set(key, asked)
    return asked
  }

  #urlsFor({ anchorId, responders }: Anchored): readonly string[] {
    const anchor = this.#hub.anchors.find(anchorId)
    if (anchor === null || anchor.revocation === 'ignore') return []
    const { ocspUrl, isByCertificates } = anchor.sources
    const named = isByCertificates ? responders.filter((url) => sourceFault(url) === null) : []
    return [...(ocspUrl === null ? [] : [ocspUrl]), ...named].slice(0, 2)
  }

  async #ask(anchored: Anchored): Promise<OcspStatus> {
    await this.#turn()
    try {
      for (const url of this.#urlsFor(anchored)) {
        const anchor = this.#hub.anchors.find(anchored.anchorId)
        const word = anchor === null ? null : await this.#askAt(url, anchor, anchored)
        if (word !== null) return this.#keep(anchored, word)
      }
      const kept = this.known(anchored)
      const untilMs = this.#hub.clock.nowMs() + limits.ocspRetryMs
      this.#remember(keyOf(anchored), { status: kept === 'revoked' ? kept : null, untilMs })
      return kept
    } finally {
      this.#questions--
      this.#waiting.shift()?.()
    }
  }

  async #turn(): Promise<void> {
    while (this.#questions >= limits.ocspQuestionsMax) {
      await new Promise<void>((resolve) => this.#waiting.push(resolve))
    }
    this.#questions++
  }

  async #askAt(url: string, anchor: TrustedAnchor, anchored: Anchored): Promise<OcspWord | null> {
    const { clock, log, fetcher } = this.#hub
    // A plant that comes back does not wait for it one by one.
    if ((this.#silent.get(url) ?? 0) > clock.nowMs()) return null
    const issuer = anchor.signers.get(anchored.issuer)?.fields
    if (issuer === undefined) return null
    const subject = { issuer, serialNumber: anchored.serialNumber }
    try {
      const answer = await fetcher.fetch({
        ...{ url, question: ocspQuestion(subject), bytesMax: limits.ocspAnswerBytesMax },
        ...{ timeMs: limits.ocspQuestionMs, hosts: namedHosts(anchor.sources) },
      })
      this.#silent.delete(url)
      return readOcspAnswer(answer, subject, nowSec(clock))
    } catch (error) {
      if (error instanceof HubError && error.code === 'status-fetch-failed') this.#fellSilent(url)
      log.warn('a responder of a trust anchor did not answer', { anchor: anchor.id, url, error })
      return null
    }
  }

  #fellSilent(url: string): void {
    if (this.#silent.size >= limits.ocspRespondersMax) this.#silent.clear()
    this.#silent.set(url, this.#hub.clock.nowMs() + limits.ocspRetryMs)
  }

  #keep(anchored: Anchored, { status, nextUpdateSec }: OcspWord): OcspStatus {
    const nowMs = this.#hub.clock.nowMs()
    const lastMs = nowMs + limits.ocspWordAgeSec * 1000
    const untilMs = nextUpdateSec === null ? lastMs : Math.min(lastMs, nextUpdateSec * 1000)
    const kept: OcspStatus = status === 'unknown' ? null : status
    this.#remember(keyOf(anchored), {
      status: kept,
      untilMs: status === 'unknown' ? nowMs + limits.ocspRetryMs : untilMs,
    })
    return kept
  }

  #remember(key: string, kept: Kept): void {
    this.#kept.delete(key)
    this.#kept.set(key, kept)
    const [oldest] = this.#kept.keys()
    if (this.#kept.size > limits.ocspWordsKeptMax && oldest !== undefined) this.#kept.delete(oldest)
  }
}

function keyOf({ issuer, serialNumber }: Anchored): string {
  return `${issuer} ${serialNumber}`
}
