/** Entries of a password file that Mosquitto drops when it starts. */
import { quote } from '../../core/errors.ts'
import { limits } from '../../core/limits.ts'
import { type Finding, finding } from '../finding.ts'
import { placeOf } from './configuration-text.ts'

/** `$6$salt$hash` is SHA-512, `$7$rounds$salt$hash` PBKDF2, and 2.1 adds argon2id. */
const hashed = /^\$(?:6\$[A-Za-z0-9+/=]+\$[A-Za-z0-9+/=]+|7\$\d+\$[A-Za-z0-9+/=]+\$[A-Za-z0-9+/=]+|argon2id\$.+)$/

/** What stands behind the name is never shown; nor is a line without a name, which may be a password. */
export function checkPasswords(file: string, bytes: Uint8Array): readonly Finding[] {
  const findings: Finding[] = []
  for (const [index, line] of Buffer.from(bytes).toString('utf8').split(/\r?\n/).entries()) {
    if (findings.length >= limits.findingsOfOneCauseMax) break
    if (line.trim() === '' || line.startsWith('#')) continue
    const colon = line.indexOf(':')
    const place = placeOf({ file, line: index + 1 })
    if (colon <= 0) {
      findings.push(
        finding('mosquitto-password-not-hashed', place, {
          evidence: 'the line has no name and hash with ":" between them',
        }),
      )
    } else if (!hashed.test(line.slice(colon + 1).trim())) {
      const evidence = `the entry of ${quote(line.slice(0, colon))} is no hash that Mosquitto knows, so it is dropped at the start`
      findings.push(finding('mosquitto-password-not-hashed', place, { evidence }))
    }
  }
  return findings
}
