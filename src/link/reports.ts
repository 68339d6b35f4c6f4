/** What a gate tells its hub without waiting: attempts, and what is counted. While the link is down it is kept, within bounds. */

import type { FailureName } from '../core/failure/catalogue.ts'
import { isIdentityId } from '../core/identity/id.ts'
import { limits } from '../core/limits.ts'
import type { Action } from '../core/policy/rights.ts'
import type { CertificateSummary } from '../core/x509/certificate-summary.ts'
import type { NewAttempt } from '../hub/ports/attempts.ts'
import type { Observer, SessionEnd } from '../hub/ports/observer.ts'
import type { ShadowDifference, ShadowListener } from '../hub/shadow-differences.ts'
import { encodeFrame } from './frames.ts'
import { linkLimits } from './limits.ts'
import { fitted, type GateMessage } from './messages.ts'

/** How long something may wait before it is told. */
const afterMs = 50
/** What could not be told is tried again after this time. */
const againMs = 500

type Told = GateMessage & { readonly kind: 'told' }

export class Reports implements Pick<Observer, 'sessionEnded' | 'packetDenied' | 'shadowDiffered'>, ShadowListener {
  readonly #send: (message: Told) => boolean
  readonly #attempts: Told['attempts'] = []
  readonly #counted: Told['counted'] = []
  #timer: NodeJS.Timeout | null = null
  #dropped = 0

  /** @param send false while there is nobody to tell, or much is on its way already */
  constructor(send: (message: Told) => boolean) {
    this.#send = send
  }

  /** How many were not kept, because there were too many. */
  get dropped(): number {
    return this.#dropped
  }

  record(attempt: NewAttempt): void {
    this.#keep(this.#attempts, fitting(attempt))
  }

  sessionEnded(cause: SessionEnd): void {
    this.#keep(this.#counted, ['sessionEnded', cause])
  }

  packetDenied(code: FailureName): void {
    this.#keep(this.#counted, ['packetDenied', code])
  }

  shadowDiffered(action: Action, would: 'allow' | 'deny'): void {
    this.#keep(this.#counted, ['shadowDiffered', action, would])
  }

  shadowFound(difference: ShadowDifference): void {
    const { identity } = difference
    if (!isIdentityId(identity)) return
    const fit = (text: string): string => fitted(text, limits.shadowTextCharsMax)
    const [topic, because] = [fit(difference.topic), fit(difference.because)]
    const told = { ...difference, identity, topic, because, shadowBecause: fit(difference.shadowBecause) }
    this.#keep(this.#counted, ['shadowFound', told])
  }

  /** Tells what waits, as far as somebody is there. */
  flush(): void {
    if (this.#timer !== null) clearTimeout(this.#timer)
    this.#timer = null
    while (this.#attempts.length + this.#counted.length > 0) {
      const told = this.#next(linkLimits.toldMax)
      if (!this.#send(told)) {
        this.#schedule(againMs)
        return
      }
      this.#attempts.splice(0, told.attempts.length)
      this.#counted.splice(0, told.counted.length)
    }
  }

  /** As many as one message may hold: what strangers have written can make a hundred longer than that. */
  #next(most: number): Told {
    const told: Told = { kind: 'told', attempts: this.#attempts.slice(0, most), counted: this.#counted.slice(0, most) }
    return encodeFrame(told).length <= linkLimits.messageBytesMax ? told : this.#next(Math.floor(most / 2))
  }

  #keep<T>(list: T[], each: T): void {
    if (list.length >= linkLimits.waitingMax) {
      this.#dropped++
      return
    }
    list.push(each)
    this.#schedule(afterMs)
  }

  #schedule(ms: number): void {
    this.#timer ??= setTimeout(() => this.flush(), ms).unref()
  }
}

/** An attempt within the bounds of a message: what strangers have written in a certificate or a client id may be longer. */
function fitting(attempt: NewAttempt): Told['attempts'][number] {
  const { certificate, identityId, clientId } = attempt
  return {
    ...attempt,
    address: fitted(attempt.address),
    sentence: fitted(attempt.sentence),
    identityId: identityId !== null && isIdentityId(identityId) ? identityId : null,
    clientId: clientId === null ? null : fitted(clientId, limits.clientIdBytesMax),
    certificate: certificate === null ? null : fittingCertificate(certificate),
  }
}

function fittingCertificate(certificate: CertificateSummary): CertificateSummary {
  const { serialNumber, subject, issuer } = certificate
  return { ...certificate, serialNumber: fitted(serialNumber), subject: fitted(subject), issuer: fitted(issuer) }
}
