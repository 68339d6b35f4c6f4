import { derOid, derSequence } from '../../../../src/core/x509/der-writer.ts'
import { authorityInfoAccess } from '../../../../src/core/x509/extensions.ts'
import { oids } from '../../../../src/core/x509/oids.ts'
import { generalName, type RuleCases, soundDevice, withExtension } from '../draft.ts'

const ways =
  (...list: readonly (readonly [string, Uint8Array])[]) =>
  (draft: Parameters<typeof withExtension>[0]) =>
    withExtension(draft, {
      oid: oids.authorityInfoAccess,
      critical: false,
      value: derSequence(...list.map(([method, place]) => derSequence(derOid(method), place))),
    })
const uri = (text: string): Uint8Array => generalName('uri', text)

const [ocspUrl, caIssuersUrl] = ['http://hub.example/ocsp', 'http://hub.example/ca/a.crt']

export const cases: RuleCases = {
  good: [
    soundDevice,
    {
      what: 'OCSP and issuer',
      draft: (draft) => withExtension(draft, authorityInfoAccess({ ocspUrl, caIssuersUrl })),
      plan: () => ({ status: { crlUrl: null, ocspUrl, caIssuersUrl } }),
    },
  ],
  bad: [
    {
      what: 'the OCSP of somebody else',
      draft: (draft) => withExtension(draft, authorityInfoAccess({ ocspUrl: 'http://other.example/ocsp' })),
      plan: () => ({ status: { crlUrl: null, ocspUrl, caIssuersUrl: null } }),
    },
    { what: 'OCSP over HTTPS', draft: ways([oids.ocspAccess, uri('https://hub.example/ocsp')]) },
    {
      what: 'OCSP twice',
      draft: ways([oids.ocspAccess, uri('http://a.example/o')], [oids.ocspAccess, uri('http://b.example/o')]),
    },
    { what: 'an unknown method', draft: ways(['1.3.6.1.5.5.7.48.9', uri('http://hub.example/x')]) },
    { what: 'a place that is no URL', draft: ways([oids.ocspAccess, generalName('dns', 'hub.example')]) },
  ],
}
