import type { IdentityId } from '../../../../src/core/identity/id.ts'
import { subjectAltName } from '../../../../src/core/x509/extensions.ts'
import { type RuleCases, soundDevice, soundIssuing, soundServer, withExtension } from '../draft.ts'

const uri = 'spiffe://plant.example/device/device-1'
const withUris =
  (...uris: readonly string[]) =>
  (draft: Parameters<typeof withExtension>[0]) =>
    withExtension(draft, subjectAltName({ uris, dnsNames: ['a.example'] }, false))
const planned = (spiffeId: string) => () => ({ identity: { id: 'device-1' as IdentityId, spiffeId } })

export const cases: RuleCases = {
  good: [soundDevice, soundServer, soundIssuing],
  bad: [
    { what: 'none', draft: withUris() },
    { what: 'two', draft: withUris(uri, 'spiffe://plant.example/device/device-2') },
    { what: 'that of another device', draft: withUris('spiffe://plant.example/device/device-2') },
    {
      what: 'a web address that was planned',
      draft: withUris('https://plant.example/x'),
      plan: planned('https://plant.example/x'),
    },
    {
      what: 'a path that climbs, though planned',
      draft: withUris('spiffe://plant.example/device/../user/root'),
      plan: planned('spiffe://plant.example/device/../user/root'),
    },
    { what: 'an authority with one', of: 'issuing', draft: withUris(uri) },
  ],
}
