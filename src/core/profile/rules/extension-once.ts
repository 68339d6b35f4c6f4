import { oidName } from '../../x509/oids.ts'
import type { EncodingRule } from '../lint-rule.ts'

export const extensionOnce: EncodingRule = {
  name: 'extension-once',
  clause: 'RFC 5280 §4.2',
  reason: 'of an extension that comes twice, one reader takes the first and another the last',
  faultOf({ layout }) {
    const types = layout?.extensions.map(({ oid }) => oid) ?? []
    const twice = types.find((oid, place) => types.indexOf(oid) !== place)
    return twice === undefined ? null : `has the extension ${oidName(twice)} twice`
  },
}
