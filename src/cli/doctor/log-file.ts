/** A log in a file, told from files of keys and certificates by its name and by what stands in it. */
import { closeSync, fstatSync, openSync, readSync, statSync } from 'node:fs'
import { namedFor } from '../../doctor/files/found-file.ts'
import type { Examination } from '../../doctor/finding.ts'

/** How much is read of the end of a log: characters from standard input, octets of a file. */
export const logLengthMax = 1_048_576

/** Null where it is no log: text under a name of one, or text without PEM in which a message of a program is known. */
export async function examineLogFile(path: string): Promise<readonly Examination[] | null> {
  const isNamed = /\.log(?:\.\d+)?$|(?:^|\/)(?:syslog|messages)$/.test(path)
  if (!isNamed && namedFor({ name: path }) !== null) return null
  const text = endOf(path)
  if (text === null || /-----BEGIN /.test(text)) return null
  const { examineLogText } = await import('../../doctor/log/examine-log.ts')
  const examinations = examineLogText(text)
  const isKnown = examinations.some(({ findings }) => findings.some(({ code }) => code !== 'log-line-unknown'))
  if (!isNamed && !isKnown) return null
  return examinations.map((each) => {
    const subject = each.subject === 'the log' ? path : `${path}: ${each.subject}`
    return { ...each, subject, findings: each.findings.map((found) => ({ ...found, subject })) }
  })
}

/** Null where it is no file, no text, or cannot be read. */
function endOf(path: string): string | null {
  let file: number | null = null
  try {
    // A pipe would have to be waited for.
    if (!statSync(path).isFile()) return null
    file = openSync(path, 'r')
    const stats = fstatSync(file)
    const bytes = Buffer.alloc(Math.min(stats.size, logLengthMax))
    const length = readSync(file, bytes, 0, bytes.length, stats.size - bytes.length)
    const read = bytes.subarray(0, length)
    return read.includes(0) ? null : read.toString('utf8')
  } catch {
    return null
  } finally {
    if (file !== null) closeSync(file)
  }
}
