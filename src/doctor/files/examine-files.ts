/**
 * Looks at the files of a device: each by itself, then together. Everything is decided here from octets and a clock; reading the
 * files is done before (`read-files.ts`), mending them afterwards (`mend/`).
 */
import type { Platform } from '../../core/key-file/found-form.ts'
import { RoundBudget } from '../../core/key-file/work.ts'
import { limits } from '../../core/limits.ts'
import { type Examination, type Fact, type Finding, finding, gravestFirst } from '../finding.ts'
import { shellPath } from '../printable-text.ts'
import { type CertificateRole, certificateFindings } from './certificate-findings.ts'
import { isSame, isSelfSigned, issuersOf } from './chain.ts'
import { contentsOf, type FileContents, type FoundCertificate, isEmpty } from './contents.ts'
import { certificateFact, keyFact, subjectText } from './describe.ts'
import { fileFindings } from './file-findings.ts'
import { baseName, type FileAccess, type FoundFile, isPassphraseSized, namedFor } from './found-file.ts'
import { layoutTraits } from './layout-findings.ts'
import { type OpenedKey, openKeys } from './open-key.ts'
import { type Parts, partsOf } from './parts.ts'
import { type PassphraseFile, readPassphraseFile } from './passphrase.ts'
import { readerFacts, stackFindings } from './stack-findings.ts'
import { chainFindings, pairFindings, passphraseFindings, rootFindings } from './together-findings.ts'

export interface FilesQuestion {
  readonly files: readonly FoundFile[]
  /** Whether they are all that lies in a folder: then what is missing is missing. */
  readonly isFolder: boolean
  /** The folder, or another name for all of them together. */
  readonly subject: string
  /** Who may do what in the folder; left out where there is none. */
  readonly folderAccess?: FileAccess | null
  /** The platform that is to read them; null where nobody said. */
  readonly platform: Platform | null
  /** Milliseconds since the epoch. */
  readonly nowMs: number
}

/** What was made of the files on the way; who mends them needs it. */
export interface LookedAt {
  readonly contents: readonly FileContents[]
  readonly passphrases: readonly PassphraseFile[]
  readonly parts: Parts
}

/** Reads, opens and sorts. It never throws. @param budget what trying passphrases may cost */
export function lookAt(
  { files }: Pick<FilesQuestion, 'files'>,
  budget: RoundBudget = new RoundBudget(limits.doctorRoundsMax),
): LookedAt {
  const isPassphrase = (file: FoundFile): boolean => namedFor(file) === 'passphrase' && isPassphraseSized(file)
  const contents = files.map((file) => contentsOf(file))
  const passphrases = contents
    .filter(({ file, isPassphrase: isLine }) => isLine || (isPassphrase(file) && file.bytes.length === 0))
    .map(({ file }) => readPassphraseFile(file))
  const keys = contents.flatMap((each) => openKeys(each, passphrases, budget))
  return { contents, passphrases, parts: partsOf(contents, keys) }
}

/** One examination for each file, and one of all together where there is something to say of them. */
export function examineFiles(question: FilesQuestion, budget?: RoundBudget): readonly Examination[] {
  const looked = lookAt(question, budget)
  return [...looked.contents.map((each) => ofFile(each, looked, question)), ...together(looked, question)]
}

function ofFile(contents: FileContents, { passphrases, parts }: LookedAt, { nowMs }: FilesQuestion): Examination {
  const { file, certificates } = contents
  const keys = parts.keys.filter((each) => each.file === file)
  const passphrase = passphrases.find((each) => each.file === file)
  const isSecret = keys.length > 0 || (passphrase !== undefined && passphrase.candidates.length > 0)
  const inside = [...certificates, ...keys.flatMap((each) => each.certificates)]
  const isBlankPassphrase = passphrase !== undefined && file.unread === null && isEmpty(file)
  const findings: Finding[] = [
    ...(isBlankPassphrase ? [] : fileFindings(contents, isSecret)),
    ...(passphrase?.findings ?? []),
    ...inside.flatMap((each) => certificateFindings(each, roleOf(each, parts), nowMs)),
  ]
  return {
    subject: file.name,
    facts: [
      ...layoutFacts(contents, passphrase),
      ...keys.map(keyFact),
      ...inside.map((each) => certificateFact(each, nowMs)),
    ],
    findings: gravestFirst(findings),
  }
}

function layoutFacts(
  { file, layout, pem, others }: FileContents,
  passphrase: PassphraseFile | undefined,
): readonly Fact[] {
  const { access } = file
  const mode = access === null ? [] : [{ name: 'mode', value: access.mode.toString(8).padStart(4, '0') }]
  if (passphrase !== undefined) return [{ name: 'holds', value: 'a passphrase' }, ...mode]
  const held = others.map(({ what }) => ({ name: 'holds', value: what }))
  if (layout === null || pem === null) return [...held, ...mode]
  const ends = layout.lineEnds === 'crlf' ? ', lines end in CR LF' : ''
  return [{ name: 'form', value: `PEM, ${layout.encoding.toUpperCase()}${ends}` }, ...held, ...mode]
}

function roleOf(found: FoundCertificate, { leaf, roots, sent, damaged }: Parts): CertificateRole {
  if (leaf !== null && found === leaf) return 'leaf'
  if (found.certificate.ca || roots.includes(found)) return isSelfSigned(found) ? 'root' : 'intermediate'
  return sent.includes(found) || damaged.has(found.file) || found.place > 1 ? 'intermediate' : 'leaf'
}

function together(looked: LookedAt, question: FilesQuestion): readonly Examination[] {
  const { contents, passphrases, parts } = looked
  const { isFolder, subject, platform } = question
  const given = certificatesGiven(parts)
  const named = platform ?? (isLikeMeadow(contents) ? 'meadow' : null)
  const ofStacks = stackFindings(parts.key ?? parts.keys[0] ?? null, given, named)
  const findings = [
    ...pairFindings(parts, isFolder),
    ...passphraseFindings(parts.keys, passphrases),
    ...chainFindings(parts),
    ...rootFindings(parts),
    ...folderFindings(question, parts),
    ...(platform === null ? ofStacks.map(onlyPossible) : ofStacks),
  ]
  const facts = [...pairFacts(parts), ...readers(looked, given)]
  if (facts.length === 0 && findings.length === 0) return []
  return [
    {
      subject: contents.length === 1 ? `${subject}: what reads it` : `${subject}: together`,
      facts,
      findings: gravestFirst(findings),
    },
  ]
}

function folderFindings({ subject, folderAccess = null }: FilesQuestion, { keys }: Parts): readonly Finding[] {
  if (folderAccess === null || keys.length === 0 || (folderAccess.mode & 0o022) === 0) return []
  const evidence = `its mode is ${folderAccess.mode.toString(8).padStart(4, '0')}`
  return [
    finding('folder-open-to-others', subject, {
      severity: 'warning',
      evidence,
      cure: `chmod 0700 ${shellPath(subject)}`,
    }),
  ]
}

/** Names that Meadow asks for, and nobody else: then it is likely the reader. */
function isLikeMeadow(contents: readonly FileContents[]): boolean {
  return contents.some(({ file }) => baseName(file) === 'private_key_pass.txt')
}

function onlyPossible(found: Finding): Finding {
  return {
    ...found,
    ...{ severity: 'warning', certainty: 'possible' },
    evidence: `${found.evidence}; the names are those of Meadow, which is built on it`,
  }
}

function certificatesGiven({ leaf, sent, roots }: Parts): readonly FoundCertificate[] {
  return leaf === null ? roots : [...sent, ...roots.filter((each) => !sent.some((one) => isSame(one, each)))]
}

function pairFacts({ keys, leaf, key, all }: Parts): readonly Fact[] {
  if (leaf === null) return []
  const isClosed = keys.length > 0 && keys.every((each) => each.key === null)
  const chain = [leaf, ...issuersOf(leaf, all)].map(subjectText).join(' ← ')
  return [
    ...(key === null ? [] : [{ name: 'pair', value: `${key.file.name} is the key of ${subjectText(leaf)}` }]),
    ...(isClosed ? [{ name: 'pair', value: 'not compared, as the key is not opened' }] : []),
    ...(all.length > 1 ? [{ name: 'chain', value: chain }] : []),
  ]
}

function readers({ contents, parts }: LookedAt, given: readonly FoundCertificate[]): readonly Fact[] {
  const one: OpenedKey | undefined = parts.key ?? parts.keys.find(({ state }) => state !== 'damaged')
  if (one === undefined) return []
  const used = new Set([one.file, ...given.map(({ file }) => file)])
  const traits = contents.filter(({ file }) => used.has(file)).flatMap((each) => layoutTraits(each))
  return readerFacts(
    one,
    given,
    traits.map(({ trait }) => trait),
  )
}
