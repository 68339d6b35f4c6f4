/** Answers about certificates that were given before. What happens to a certificate ends what was said of it. */
import type { SerialNumber } from '../core/identity/credential.ts'
import { limits } from '../core/limits.ts'
import type { KeptOcspAnswer } from './answer-ocsp.ts'

/** An answer that is being made. What happens meanwhile makes it stale. */
export interface Making {
  isStale: boolean
}

export class OcspCache {
  /** By serial number, then by the CertID; the serial number asked for least recently stands first. */
  readonly #answers = new Map<SerialNumber, Map<string, KeptOcspAnswer>>()
  readonly #making = new Map<SerialNumber, Set<Making>>()
  #count = 0

  /** @param certificateId the CertID in DER, as text of one character an octet */
  find(serialNumber: SerialNumber, certificateId: string): KeptOcspAnswer | null {
    const answers = this.#answers.get(serialNumber)
    const answer = answers?.get(certificateId)
    if (answers === undefined || answer === undefined) return null
    this.#answers.delete(serialNumber)
    this.#answers.set(serialNumber, answers)
    return answer
  }

  /** To be called before the registry is asked. */
  begin(serialNumber: SerialNumber): Making {
    const making: Making = { isStale: false }
    const all = this.#making.get(serialNumber) ?? new Set<Making>()
    this.#making.set(serialNumber, all.add(making))
    return making
  }

  /** To be called once for each {@link begin}; keeps the answer unless it has become stale. */
  end(serialNumber: SerialNumber, making: Making, certificateId: string, answer: KeptOcspAnswer | null): void {
    const all = this.#making.get(serialNumber)
    all?.delete(making)
    if (all?.size === 0) this.#making.delete(serialNumber)
    if (answer === null || making.isStale) return
    const answers = this.#answers.get(serialNumber) ?? new Map<string, KeptOcspAnswer>()
    if (!answers.has(certificateId)) this.#count += 1
    this.#answers.delete(serialNumber)
    this.#answers.set(serialNumber, answers.set(certificateId, answer))
    for (const oldest of this.#answers.keys()) {
      if (this.#count <= limits.ocspAnswersKeptMax) break
      this.#drop(oldest)
    }
  }

  /** Something has happened to a certificate. */
  forget(serialNumber: SerialNumber): void {
    this.#drop(serialNumber)
    for (const making of this.#making.get(serialNumber) ?? []) making.isStale = true
  }

  forgetAll(): void {
    this.#answers.clear()
    this.#count = 0
    for (const all of this.#making.values()) for (const making of all) making.isStale = true
  }

  #drop(serialNumber: SerialNumber): void {
    this.#count -= this.#answers.get(serialNumber)?.size ?? 0
    this.#answers.delete(serialNumber)
  }
}
