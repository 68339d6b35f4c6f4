/** docs/signing.md: how a certificate comes about, and every rule that it must keep. */

import { limits } from '../src/core/limits.ts'
import { encodingRules, lintRules } from '../src/core/profile/lint.ts'

export function signingPage(): string {
  const rows = [...encodingRules, ...lintRules].map(
    ({ name, clause, reason }) => `| ${name} | ${clause} | ${reason.charAt(0).toUpperCase()}${reason.slice(1)}. |`,
  )
  return `# How a certificate is signed

Every certificate of a hub comes about in one way: those of devices, servers and people, of the hub's own listeners, and of the
authorities themselves.

1. The profile makes it, from what the registry knows and an order may decide. Key and proof of possession were checked before.
2. It is signed with a throwaway key of the issuer's algorithm. Nobody trusts that key; it makes a whole certificate to look at.
3. Every rule below looks at it, beside the plan that it was made by. One fault is enough: nothing is signed, and the error
   (\`certificate-lint-failed\`) names each rule that was broken.
4. It is written down, with an entry of the audit log (\`credential.sign\`): the *intent*. Both are on disk before the next step.
5. The lint has given a *permit*, which is good for one signature, over these bytes, by that issuer. For it the authority signs.
6. What was signed is compared with what was linted, byte for byte, and OpenSSL reads it: issuer, signature, key, purpose and
   names must be what was planned.
7. It takes the place of its intent, in one transaction with what caused it, and only then it is handed out.

The certificates of authorities have no row before they are signed; their intent stands in the audit log (\`authority.sign\`).

**A crash** between 4 and 7 leaves an intent. Whether the signature was made is not known, so its serial number is revoked after
${limits.intentLapsesMs / 60_000} minutes and stands in the CRL; a certificate that is not ready after ${limits.intentCompletedMs / 60_000} is not handed out any more.

**Looking again.** \`handfast ca audit\` takes every certificate that was ever issued through these rules, compares it with its row,
verifies its signature, and looks for every signature of the audit log in the registry. It reads a snapshot in bounded memory,
while the hub runs or not. Rules that came later hold for what was issued before, too.

## The rules

| rule | where it is written | why |
| --- | --- | --- |
${rows.join('\n')}

This page is written by \`node scripts/write-reference-pages.ts\` from \`src/core/profile/rules\`.
`
}
