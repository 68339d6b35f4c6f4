/** The policy file that a command is given. */
import { HubError } from '../../../core/errors.ts'
import { limits } from '../../../core/limits.ts'
import { problemLine } from '../../../core/policy/file/problems.ts'
import type { Finding } from '../../../core/policy/lint/rule.ts'
import { readSmallFile } from '../../whole-file.ts'

/** @throws HubError `usage` */
export async function readPolicyFile(path: string): Promise<string> {
  if (path !== '-') return readSmallFile(path, limits.policyBytesMax)
  const chunks: Buffer[] = []
  let bytes = 0
  for await (const chunk of process.stdin) {
    bytes += chunk.length
    if (bytes > limits.policyBytesMax) {
      throw new HubError('usage', `standard input is longer than ${limits.policyBytesMax} bytes: it is no policy`)
    }
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString('utf8')
}

/** A warning about a policy file as one line, as compilers write them. */
export function warningLine(file: string, warning: Finding): string {
  return `${file}:${problemLine(warning)} (warning: ${warning.rule})`
}
