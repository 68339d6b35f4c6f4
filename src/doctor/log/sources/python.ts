/** Python's ssl, asyncio, and Paho for Python; what OpenSSL says through them stands in its own table. */
import { numberIn, type Source } from '../sign.ts'
import { codeNamed, codeNumbered } from './mqtt-codes.ts'

export const python: Source = {
  name: 'Python',
  phrases: [
    [/\bHostname mismatch, certificate is not valid for '[^']{1,253}'/, 'peer-name', 'client'],
    [/\bhostname '[^']{1,253}' doesn't match\b/, 'peer-name', 'client'],
    [/\bEOF occurred in violation of protocol\b/, 'closed-early'],
    [/\bSSLZeroReturnError\b|\bTLS\/SSL connection has been closed\b/, 'closed-early'],
  ],
}

export const pahoPython: Source = {
  name: 'Paho for Python',
  phrases: [
    [/\bReceived CONNACK \(\d, (\d{1,3})\)/, (match) => codeNumbered(numberIn(match)), 'client'],
    [/\bReceived CONNACK \(\d, ([A-Z][A-Za-z ]{3,60})\)/, (match) => codeNamed(match[1] ?? ''), 'client'],
    [/\bon_connect: ([A-Z][A-Za-z :]{3,60})/, (match) => codeNamed(match[1] ?? ''), 'client'],
    // Its result 2, after whatever refusal.
    [/\bon_disconnect: Protocol error\b/, 'refused-somehow', 'client'],
    [/\bon_disconnect: (?!Protocol error)([A-Z][A-Za-z :]{3,60})/, (match) => codeNamed(match[1] ?? ''), 'client'],
    [
      /\b(?:Connected with result code|result code|rc[=:]|return code) ?([1-5])\b/i,
      (match) => codeNumbered(numberIn(match)),
      'client',
    ],
    [
      /\bUnexpected disconnection\b|\bon_disconnect: The connection was lost\b|\brc ?[=:] ?7\b/,
      'closed-early',
      'client',
    ],
  ],
}
