/** The file of a passphrase, and the ways in which programs have read it when they encrypted a key. */
import { Secret } from '../../core/secret.ts'
import { type Finding, finding } from '../finding.ts'
import { type FoundFile, isPassphraseSized } from './found-file.ts'
import { textLayout } from './text-layout.ts'

/** How a passphrase is got from its file. */
export type Reading = 'line' | 'with-line-end' | 'without-spaces'

export interface PassphraseFile {
  readonly file: FoundFile
  /** The likeliest first; none where the file holds no passphrase. */
  readonly candidates: readonly { readonly reading: Reading; readonly passphrase: Secret }[]
  readonly hasLineEnd: boolean
  readonly findings: readonly Finding[]
}

/** Reads the file of a passphrase; nothing of what it holds goes into findings. */
export function readPassphraseFile(file: FoundFile): PassphraseFile {
  const none = (evidence: string): PassphraseFile => ({
    ...{ file, candidates: [], hasLineEnd: false },
    findings: [finding('passphrase-file-unfit', file.name, { evidence })],
  })
  if (file.unread !== null) return { file, candidates: [], hasLineEnd: false, findings: [] }
  if (!isPassphraseSized(file)) return none(`it has ${file.bytes.length} octets, more than any passphrase`)
  if (file.bytes.length === 0) {
    const evidence = 'it is empty: there is no passphrase in it'
    return {
      ...{ file, candidates: [], hasLineEnd: false },
      findings: [finding('file-empty', file.name, { severity: 'note', evidence })],
    }
  }
  const layout = textLayout(file.bytes)
  if (layout === null) return none('it is no text')
  const { text, encoding, hasByteOrderMark } = layout
  const line = text.replace(/[\r\n]+$/, '')
  if (/[\r\n]/.test(line)) return none(`it has ${line.split(/\r\n|\n|\r/).length} lines`)
  if (line === '') return none('it is a line end and nothing else')
  const findings: Finding[] = []
  if (encoding === 'utf-16' || hasByteOrderMark) {
    const evidence = encoding === 'utf-16' ? 'it is UTF-16' : 'it begins with a byte order mark'
    findings.push(
      finding('passphrase-file-unfit', file.name, {
        evidence: `${evidence}, and devices take it for a part of the passphrase`,
      }),
    )
  }
  const readings = new Map<string, Reading>([[line, 'line']])
  if (text !== line) readings.set(text, 'with-line-end')
  if (!readings.has(line.trim()) && line.trim() !== '') readings.set(line.trim(), 'without-spaces')
  return {
    file,
    candidates: [...readings].map(([each, reading]) => ({ reading, passphrase: new Secret(each) })),
    hasLineEnd: text !== line,
    findings,
  }
}
