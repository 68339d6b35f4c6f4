/** Paho for C, C++, Java and Go. */
import { numberIn, type Source } from '../sign.ts'
import { codeNamed, codeNumbered } from './mqtt-codes.ts'

export const paho: Source = {
  name: 'Paho',
  phrases: [
    // C: -1 for whatever failed below, else the code of the CONNACK.
    [/\breturn code (-1|[1-5]|1[2-6]\d)\b/, failed, 'client'],
    [/\bsubscribe returned (?:128|135)\b/, 'subscription-refused', 'client'],
    // Java: texts with their numbers.
    [
      /\bUnable to connect to server \(32103\)|\bMqttException: Unable to connect to server\b/,
      'connect-failed',
      'client',
    ],
    [/\bConnection lost \(32109\)/, 'closed-early', 'client'],
    [/\bTimed out waiting for a response from the server\b/, 'no-connack', 'client'],
    [
      /\b(Not authorized to connect|Bad user name or password|Invalid client ID|Invalid protocol version|Broker unavailable) \([1-5]\)/,
      named,
      'client',
    ],
    // Go.
    [
      /\b(unacceptable protocol version|identifier rejected|server Unavailable|bad user name or password|not Authorized)$/,
      named,
      'client',
    ],
    // ESP-IDF writes a comma.
    [/\bConnection refused, ([a-z][a-z ]{3,40})/, named, 'client'],
  ],
}

function failed(match: RegExpExecArray) {
  return match[1] === '-1' ? codeNamed('unspecified error') : codeNumbered(numberIn(match))
}

function named(match: RegExpExecArray) {
  return codeNamed(match[1] ?? '')
}
