import { noNames } from '../../../../src/core/identity/identity.ts'
import { subjectAltName } from '../../../../src/core/x509/extensions.ts'
import {
  alternativeNames,
  generalName,
  type RuleCases,
  soundDevice,
  soundIssuing,
  soundServer,
  withExtension,
} from '../draft.ts'

const uris = ['spiffe://plant.example/server/server-1']
const named =
  (dnsNames: readonly string[], ipAddresses: readonly string[] = ['10.3.0.11']) =>
  (draft: Parameters<typeof withExtension>[0]) =>
    withExtension(draft, subjectAltName({ uris, dnsNames, ipAddresses }, false))

export const cases: RuleCases = {
  good: [
    soundDevice,
    soundServer,
    soundIssuing,
    { what: 'the same name in capitals', of: 'server', draft: named(['HUB.plant.example']) },
    {
      what: 'an address in another spelling',
      of: 'server',
      draft: named([], ['2001:db8::1']),
      plan: () => ({ names: { ...noNames, ipAddresses: ['2001:0DB8:0:0::1'] } }),
    },
    {
      what: 'names of which nobody knows any more what was ordered',
      of: 'server',
      draft: named(['x.example']),
      plan: () => ({ names: null }),
    },
  ],
  bad: [
    { what: 'a name that was not ordered', of: 'server', draft: named(['hub.plant.example', 'www.bank.example']) },
    {
      what: 'an address that was not ordered',
      of: 'server',
      draft: named(['hub.plant.example'], ['10.3.0.11', '10.3.0.12']),
    },
    { what: 'a missing name', of: 'server', draft: named([]) },
    { what: 'a name twice', of: 'server', draft: named(['hub.plant.example', 'hub.plant.example']) },
    {
      what: 'a mailbox that was not ordered',
      draft: (draft) => withExtension(draft, alternativeNames(generalName('email', 'boss@plant.example'))),
    },
  ],
}
