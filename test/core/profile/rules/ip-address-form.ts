import { subjectAltName } from '../../../../src/core/x509/extensions.ts'
import { type RuleCases, soundServer, withExtension } from '../draft.ts'

const addressed =
  (...ipAddresses: readonly string[]) =>
  (draft: Parameters<typeof withExtension>[0]) =>
    withExtension(draft, subjectAltName({ ipAddresses }, false))

export const cases: RuleCases = {
  good: [
    soundServer,
    { what: 'addresses of both families', draft: addressed('127.0.0.1', '::1', 'fd00::7', '2001:db8::1') },
  ],
  bad: [
    { what: 'every IPv4 address', draft: addressed('0.0.0.0') },
    { what: 'every IPv6 address', draft: addressed('::') },
    { what: 'a multicast group', draft: addressed('10.0.0.1', '224.0.0.1') },
    { what: 'a multicast group of IPv6', draft: addressed('ff02::1') },
    { what: 'everybody on the link', draft: addressed('255.255.255.255') },
  ],
}
