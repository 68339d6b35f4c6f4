/** What a broker said to CONNECT, to a subscription and to a message. */
import { quote } from '../../core/errors.ts'
import { type FailureName, failure, failureNames } from '../../core/failure/catalogue.ts'
import type { CertificateFields } from '../../core/x509/certificate.ts'
import { oids } from '../../core/x509/oids.ts'
import { type Certainty, type Finding, finding } from '../finding.ts'
import { reasonText } from './reason-text.ts'
import type { Answer, Visit } from './visit.ts'

export interface VisitorSeen {
  readonly subject: string
  readonly clientId: string
  readonly username: string | null
  /** Its own certificate; null where none was shown. */
  readonly own: CertificateFields | null
  /** Whether the server asked for a certificate; null where that is not known. */
  readonly isAsked: boolean | null
}

/** A refusing CONNACK. */
export function judgeConnack({ version, connack }: Visit, seen: VisitorSeen): readonly Finding[] {
  if (connack.kind === 'none' || connack.code === 0) return []
  const { subject, clientId, username, own, isAsked } = seen
  const { code, reason, server } = connack
  const evidence = `the broker answered CONNECT with ${reasonText(code, version)}${reason === null ? '' : `: ${quote(reason)}`}`
  const missing = own === null && isAsked === true ? [certificateMissing(evidence, subject)] : []
  const told = ofHandfast(reason)
  if (told !== null) return [finding(told.code, subject, { certainty: told.certainty, evidence })]
  switch (kindOf(code, version)) {
    case 'login':
      if (username !== null)
        return [
          finding('password-wrong', subject, {
            certainty: missing.length === 0 ? 'certain' : 'likely',
            ...{ evidence, cure: 'check user name and password' },
          }),
          ...missing,
        ]
      if (own === null)
        return [
          finding('password-missing', subject, {
            certainty: 'likely',
            evidence: `${evidence}, and neither a certificate nor a user name was shown`,
            cure: 'give --cert and --key, or --username and --password-file',
          }),
        ]
      if (!own.subject.attributes.some(({ oid }) => oid === oids.commonName)) {
        return [
          finding('certificate-name-missing', subject, {
            certainty: 'likely',
            evidence: `${evidence}, and the certificate has no common name`,
          }),
        ]
      }
      if (isAsked === false)
        return [
          finding('mosquitto-certificate-not-requested', subject, {
            certainty: 'likely',
            evidence: `${evidence}, and the server did not ask for the certificate`,
          }),
        ]
      return [finding('broker-refused-unexplained', subject, { evidence })]
    case 'version':
      return [
        finding('protocol-version-unsupported', subject, {
          evidence,
          cure: 'use a broker that speaks MQTT 3.1.1 or 5',
        }),
      ]
    case 'client id': {
      const cure = 'give the client id that the broker expects with --client-id: many want the name in the certificate'
      return [
        finding('client-id-invalid', subject, { evidence: `${evidence}; the client id was ${quote(clientId)}`, cure }),
      ]
    }
    case 'unavailable':
      return [finding('broker-unavailable', subject, { evidence })]
    case 'banned':
      return [finding('client-banned', subject, { evidence })]
    case 'elsewhere':
      return [
        finding('broker-elsewhere', subject, {
          evidence: `${evidence}${server === null ? '' : `; it names ${quote(server)}`}`,
        }),
      ]
    case 'other':
      return ofUnnamed(code, evidence, missing, seen)
  }
}

/** A refusal that says no more than that. */
function ofUnnamed(code: number, evidence: string, missing: readonly Finding[], seen: VisitorSeen): readonly Finding[] {
  const isForbidden = code === 5 || code === 0x87
  const isMissing = isForbidden && missing.length > 0
  if (isMissing && seen.username === null) return missing
  const unexplained = finding('broker-refused-unexplained', seen.subject, {
    certainty: isMissing ? 'possible' : 'certain',
    evidence: `${evidence}; ${shownText(seen)}`,
  })
  return isMissing ? [...missing, unexplained] : [unexplained]
}

/** A server that asks for a certificate may do without one, and may then refuse whoever showed none. */
function certificateMissing(evidence: string, subject: string): Finding {
  return finding('certificate-missing', subject, {
    certainty: 'likely',
    evidence: `${evidence}; it asked for a certificate and was shown none`,
    cure: 'give --cert and --key',
  })
}

type Kind = 'login' | 'version' | 'client id' | 'unavailable' | 'banned' | 'elsewhere' | 'other'
const kindsV3: readonly Kind[] = ['other', 'version', 'client id', 'unavailable', 'login', 'other']
const kindsV5: ReadonlyMap<number, Kind> = new Map<number, Kind>([
  ...([
    [0x84, 'version'],
    [0x85, 'client id'],
    [0x86, 'login'],
    [0x88, 'unavailable'],
    [0x89, 'unavailable'],
  ] as const),
  ...([
    [0x8a, 'banned'],
    [0x97, 'unavailable'],
    [0x9c, 'elsewhere'],
    [0x9d, 'elsewhere'],
    [0x9f, 'unavailable'],
  ] as const),
])

/** A broker of MQTT 3.1.1 answers in its own numbers whatever it was asked in. */
function kindOf(code: number, version: 4 | 5): Kind {
  if (code < 0x80) return kindsV3[code] ?? 'other'
  return version === 5 ? (kindsV5.get(code) ?? 'other') : 'other'
}

/** Whether a broker says that it does not speak this version of MQTT. */
export function isVersionRefused({ version, connack }: Visit): boolean {
  return connack.kind === 'answer' && kindOf(connack.code, version) === 'version'
}

/**
 * A Handfast hub says the code of the cause in its Reason String to whoever has proved enough, and a word alone to who holds a revoked
 * certificate or speaks for a disabled identity.
 */
function ofHandfast(reason: string | null): { readonly code: FailureName; readonly certainty: Certainty } | null {
  if (reason === 'revoked') return { code: 'certificate-revoked', certainty: 'likely' }
  if (reason === 'disabled') return { code: 'identity-disabled', certainty: 'likely' }
  const id = /^(HF-\d{4})\b/.exec(reason ?? '')?.[1]
  const code = failureNames.find((name) => failure(name).id === id)
  return code === undefined ? null : { code, certainty: 'certain' }
}

function shownText({ own, username }: VisitorSeen): string {
  const shown = [
    own === null ? 'no certificate' : 'the certificate',
    username === null ? 'no user name' : `the user name ${quote(username)}`,
  ]
  return `it was shown ${shown.join(' and ')}`
}

/** What became of the topic. */
export function judgeTopic(
  topic: string,
  { version, suback, puback, isHeard }: Visit,
  subject: string,
): readonly Finding[] {
  const of = quote(topic)
  const findings: Finding[] = []
  if (suback !== null && isRefused(suback)) {
    const evidence = `the subscription to ${of} was ${answerText(suback, version)}`
    findings.push(
      finding(suback.kind === 'none' ? lostCause(suback, 'subscribe-denied') : 'subscribe-denied', subject, {
        ...doubt(suback),
        evidence,
        cure: `allow reading ${of} in the access list of the broker`,
      }),
    )
  }
  if (puback !== null && isRefused(puback)) {
    const evidence = `the message to ${of} was ${answerText(puback, version)}`
    findings.push(
      finding(puback.kind === 'none' ? lostCause(puback, 'publish-denied') : 'publish-denied', subject, {
        ...doubt(puback),
        evidence,
        cure: `allow writing to ${of} in the access list of the broker`,
      }),
    )
  }
  const isAcknowledged = puback !== null && !isRefused(puback) && suback !== null && !isRefused(suback)
  if (isAcknowledged && !isHeard) {
    findings.push(
      finding('message-not-delivered', subject, {
        certainty: 'likely',
        evidence: `subscription to and message to ${of} were acknowledged, and the message did not come back`,
      }),
    )
  }
  return findings
}

function isRefused(answer: Answer): boolean {
  return answer.kind === 'none' || answer.code >= 0x80
}

/** A connection that ends at a message is how MQTT 3.1.1 refuses it; silence has other causes. */
function lostCause(answer: Answer, denied: FailureName): FailureName {
  return answer.kind === 'none' && answer.end.kind === 'closed' ? denied : 'topic-unanswered'
}

function doubt(answer: Answer): { readonly certainty: 'certain' | 'likely' } {
  return { certainty: answer.kind === 'answer' ? 'certain' : 'likely' }
}

function answerText(answer: Answer, version: 4 | 5): string {
  if (answer.kind === 'answer') return `answered with ${reasonText(answer.code, version)}`
  return answer.end.kind === 'closed' ? 'answered by the end of the connection' : 'not answered in time'
}
