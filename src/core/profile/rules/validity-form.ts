import type { DerElement } from '../../x509/der-reader.ts'
import { timeElement } from '../../x509/der-time.ts'
import type { LintRule } from '../lint-rule.ts'

export const validityForm: LintRule = {
  name: 'validity-form',
  clause: 'RFC 5280 §4.1.2.5',
  reason: 'UTCTime through 2049 and GeneralizedTime from 2050, in seconds and UTC: verifiers refuse other forms',
  faultOf({ certificate: { notBeforeSec, notAfterSec }, layout }) {
    if (!isWritten(layout.notBefore, notBeforeSec)) return 'has its notBefore in the wrong form'
    return isWritten(layout.notAfter, notAfterSec) ? null : 'has its notAfter in the wrong form'
  },
}

function isWritten(element: DerElement, sec: number): boolean {
  return Buffer.compare(element.bytes, timeElement(sec)) === 0
}
