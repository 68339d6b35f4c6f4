import { derSequence } from '../../../../src/core/x509/der-writer.ts'
import { crlDistributionPoint } from '../../../../src/core/x509/extensions.ts'
import { oids } from '../../../../src/core/x509/oids.ts'
import { type Draft, type RuleCases, soundDevice, soundRoot, withExtension } from '../draft.ts'

const at = (url: string) => ({
  draft: (draft: Draft) => withExtension(draft, crlDistributionPoint(url)),
  plan: () => ({ status: { crlUrl: url, ocspUrl: null, caIssuersUrl: null } }),
})
const point = crlDistributionPoint('http://hub.example/a.crl').value.subarray(2)

export const cases: RuleCases = {
  good: [soundDevice, soundRoot, { what: 'a shard', ...at('http://hub.example:8080/crl/issuing-1/3.crl') }],
  bad: [
    {
      what: 'the CRL of somebody else',
      draft: (draft) => withExtension(draft, crlDistributionPoint('http://hub.example/b.crl')),
    },
    { what: 'HTTPS', ...at('https://hub.example/a.crl') },
    { what: 'a directory', ...at('ldap://hub.example/cn=a') },
    { what: 'no path', ...at('http://hub.example') },
    { what: 'a password', ...at('http://a:b@hub.example/a.crl') },
    { what: 'a query', ...at('http://hub.example/crl?a=1') },
    {
      what: 'two points',
      draft: (draft) =>
        withExtension(draft, { oid: oids.crlDistributionPoints, critical: false, value: derSequence(point, point) }),
    },
    {
      what: 'none in the extension',
      draft: (draft) =>
        withExtension(draft, { oid: oids.crlDistributionPoints, critical: false, value: derSequence(derSequence()) }),
    },
  ],
}
