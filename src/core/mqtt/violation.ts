import type { FailureName } from '../failure/catalogue.ts'
import { reason } from './protocol.ts'

export type ViolationCode = Extract<
  FailureName,
  | 'connect-malformed'
  | 'connect-too-large'
  | 'protocol-version-unsupported'
  | 'client-id-invalid'
  | 'auth-method-unsupported'
  | 'packet-malformed'
  | 'protocol-error'
  | 'packet-too-large'
>

/**
 * Why bytes from a peer are not acceptable MQTT. It is a value, not an exception: peers send such bytes at any rate they
 * like, and a parser that throws would make that expensive. Tell it apart with `instanceof`.
 */
export class Violation {
  readonly code: ViolationCode
  /** Reason code of MQTT 5 (§2.4) that answers it. */
  readonly reasonV5: number
  /** One sentence for a person. */
  readonly sentence: string

  constructor(code: ViolationCode, reasonV5: number, sentence: string) {
    this.code = code
    this.reasonV5 = reasonV5
    this.sentence = sentence
  }
}

/** Bytes that cannot be read by the specification (MQTT 5 §1.2, Malformed Packet). */
export function malformed(sentence: string): Violation {
  return new Violation('packet-malformed', reason.malformedPacket, sentence)
}

/** Bytes that can be read and must not stand there (MQTT 5 §1.2, Protocol Error). */
export function protocolError(sentence: string, reasonV5: number = reason.protocolError): Violation {
  return new Violation('protocol-error', reasonV5, sentence)
}
