import { quote } from '../../errors.ts'
import type { LintRule } from '../lint-rule.ts'

export const emailForm: LintRule = {
  name: 'email-form',
  clause: 'RFC 5280 §4.2.1.6',
  reason: 'a mailbox is local part, "@" and host, without a name or brackets around it',
  faultOf({ names: { emails } }) {
    const fault = emails.find((email) => !isMailbox(email))
    return fault === undefined ? null : `has the mailbox ${quote(fault)}`
  },
}

function isMailbox(text: string): boolean {
  return (
    text.length <= 254 &&
    /^[A-Za-z0-9!#$%&'+/=?^_`{|}~-]+(?:\.[A-Za-z0-9!#$%&'+/=?^_`{|}~-]+)*@[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?(?:\.[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?)*$/.test(
      text,
    )
  )
}
