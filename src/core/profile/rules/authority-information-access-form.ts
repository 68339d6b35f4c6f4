import { quote } from '../../errors.ts'
import { oidName, oids } from '../../x509/oids.ts'
import { httpUrlFault } from '../http-url.ts'
import type { LintRule } from '../lint-rule.ts'

const methods: ReadonlySet<string> = new Set([oids.ocspAccess, oids.caIssuersAccess])

export const authorityInformationAccessForm: LintRule = {
  name: 'authority-information-access-form',
  clause: 'RFC 5280 §4.2.2.1',
  reason: 'it says over plain HTTP where OCSP is answered and where the issuer is found, once each',
  faultOf({ authorityInformation, plan: { status } }) {
    const seen = authorityInformation.map(({ method }) => method)
    if (new Set(seen).size < seen.length) return 'names a method of authority information twice'
    for (const { method, url } of authorityInformation) {
      if (!methods.has(method)) return `has authority information of the method ${oidName(method)}`
      const planned = method === oids.ocspAccess ? status?.ocspUrl : status?.caIssuersUrl
      if (planned !== undefined && url !== planned)
        return `names ${quote(url ?? 'something')} for ${oidName(method)}, not its own`
      const fault = url === null ? 'is no URL' : httpUrlFault(url)
      if (fault !== null) return `names ${quote(url ?? 'something')} for ${oidName(method)}, which ${fault}`
    }
    return null
  },
}
