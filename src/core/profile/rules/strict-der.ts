import type { EncodingRule } from '../lint-rule.ts'

export const strictDer: EncodingRule = {
  name: 'strict-der',
  clause: 'X.690 §10; RFC 5280 §4.1',
  reason: 'two readers of bytes that are not DER may see two certificates',
  faultOf: ({ fault }) => (fault === null ? null : `cannot be read: ${fault}`),
}
