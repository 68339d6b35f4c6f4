/** OCSP responders, asked about each certificate and again when their word is a minute old. Who gets no answer is not known. */
import { HubError } from '../../core/errors.ts'
import { respondersOf } from '../../core/identification/anchor.ts'
import { limits } from '../../core/limits.ts'
import { ocspQuestion, readOcspAnswer } from '../../core/x509/ocsp-client.ts'
import type { Leaf } from '../leaf.ts'
import { type FetchStatus, fetchStatus } from './fetch.ts'
import type { Status, StatusSource } from './source.ts'
import { Turns } from './turns.ts'

export interface OcspOptions {
  /** Address of the responder; where it is left out, the first that the certificate names. */
  readonly responder?: string
}

interface Surroundings {
  readonly warn: (error: unknown) => void
  readonly fetch?: FetchStatus
}

interface Word {
  readonly status: Status
  readonly untilSec: number
}

export function ocspSource({ responder }: OcspOptions, { warn, fetch = fetchStatus }: Surroundings): StatusSource {
  const words = new Map<string, Word>()
  const asking = new Map<string, Promise<Status>>()
  const turns = new Turns({
    openMax: limits.ocspQuestionsMax,
    waitingMax: limits.verifyWaitingMax,
    waitMs: limits.verifyOcspWaitMs,
  })

  async function ask(leaf: Leaf, key: string, nowSec: number): Promise<Status> {
    const word = await wordOf(leaf, nowSec)
    // The oldest goes first; what is good is asked again.
    for (const oldest of words.keys()) {
      if (words.size < limits.verifyAnswersKept) break
      words.delete(oldest)
    }
    words.set(key, word)
    return word.status
  }

  async function wordOf({ fields, signer }: Leaf, nowSec: number): Promise<Word> {
    const url = responder ?? respondersOf(fields)[0]
    const soon = nowSec + limits.ocspRetryMs / 1_000
    if (url === undefined) return { status: 'unknown', untilSec: soon }
    const subject = { issuer: signer.fields, serialNumber: fields.serialNumber }
    const asked = { url, question: ocspQuestion(subject), bytesMax: limits.ocspAnswerBytesMax }
    try {
      const answer = await fetch({ ...asked, timeMs: limits.ocspQuestionMs })
      const { status, nextUpdateSec } = readOcspAnswer(answer, subject, nowSec)
      const untilSec = nowSec + limits.verifyOcspKeptSec
      return { status, untilSec: Math.min(untilSec, nextUpdateSec ?? untilSec) }
    } catch (error) {
      if (!(error instanceof HubError)) throw error
      warn(error)
      return { status: 'unknown', untilSec: soon }
    }
  }

  return {
    statusOf(leaf, nowSec) {
      const key = `${leaf.signer.fingerprint} ${leaf.fields.serialNumber}`
      const word = words.get(key)
      if (word !== undefined && nowSec < word.untilSec) return Promise.resolve(word.status)
      const present = asking.get(key)
      if (present !== undefined) return present
      const mine = turns
        .take(word === undefined ? 'first' : 'again', () => ask(leaf, key, nowSec))
        .then((status) => status ?? 'unknown')
        .finally(() => asking.delete(key))
      asking.set(key, mine)
      return mine
    },
    onChange() {},
    close() {
      words.clear()
    },
  }
}
