/** What is wrong with one file, whatever lies beside it. */
import { quote } from '../../core/errors.ts'
import { type Finding, finding } from '../finding.ts'
import { shellPath } from '../printable-text.ts'
import { type FileContents, isEmpty } from './contents.ts'
import { baseName, type FoundFile, namedFor } from './found-file.ts'
import { layoutFindings } from './layout-findings.ts'

/** @param isSecret whether a key or its passphrase stands in it */
export function fileFindings(contents: FileContents, isSecret: boolean): readonly Finding[] {
  const { file } = contents
  if (file.unread !== null) return [finding(file.unread, file.name)]
  if (isEmpty(file)) return [finding('file-empty', file.name, { evidence: `${quote(baseName(file))} is empty` })]
  return [
    ...damage(contents),
    ...layoutFindings(contents),
    ...misplaced(contents),
    ...(isSecret ? openToOthers(file) : []),
  ]
}

function damage({ file, pem, derFault, certificates, keys, isCut, unreadPlaces }: FileContents): readonly Finding[] {
  const found = (pem?.faults ?? []).map(({ code, what }) => finding(code, file.name, { evidence: what }))
  if (derFault !== null) found.push(finding('der-damaged', file.name, { evidence: `it ${derFault}` }))
  if (isCut) {
    const evidence = `it holds more certificates than the ${certificates.length} that were read`
    found.push(finding('file-too-large', file.name, { severity: 'warning', evidence }))
  }
  for (const place of unreadPlaces) {
    found.push(
      finding('der-damaged', file.name, {
        evidence: `certificate ${place} of the file is one that OpenSSL does not read`,
      }),
    )
  }
  const unread = certificates.filter(({ fields }) => fields === null)
  for (const { place } of unread) {
    const evidence = `certificate ${place} of the file is not in strict DER, and only lenient readers take it`
    found.push(finding('certificate-unreadable', file.name, { severity: 'warning', certainty: 'likely', evidence }))
  }
  for (const { form } of keys.filter((key) => key.form.encryption === 'PKCS#8')) {
    found.push(
      finding('der-damaged', file.name, {
        evidence: `the ${form.form} key in it names an encryption that cannot be read`,
      }),
    )
  }
  return found
}

/** Things that stand where another one should. */
function misplaced({
  file,
  certificates,
  keys,
  pfx,
  others,
  derFault,
  unreadPlaces,
  pem,
}: FileContents): readonly Finding[] {
  const named = namedFor(file)
  const hasKey = keys.length > 0 || pfx !== null
  if (named === 'key' && !hasKey && certificates.length > 0) return [swapped(file, 'a certificate and no key', 'a key')]
  if (named === 'certificate' && keys.length > 0 && certificates.length === 0) {
    return [swapped(file, 'a key and no certificate', 'a certificate')]
  }
  if (hasKey || certificates.length > 0) return []
  const isExpected = named === 'key' || named === 'certificate' || named === 'roots'
  const found = others.flatMap(({ kind, what, cure }) => {
    const detail = {
      evidence: `it holds ${what}`,
      ...(cure === '' ? {} : { cure: cure.replace('<file>', shellPath(file.name)) }),
    }
    if (kind === 'request') return named === 'certificate' ? finding('request-for-certificate', file.name, detail) : []
    if (kind === 'public-key') return named === 'key' ? finding('public-key-for-private', file.name, detail) : []
    if (kind === 'foreign-key') return finding('key-form-foreign', file.name, detail)
    if (kind === 'crl' || kind === 'parameters')
      return isExpected ? finding('file-unrecognised', file.name, detail) : []
    return finding('file-unrecognised', file.name, { ...detail, severity: isExpected ? 'fault' : 'note' })
  })
  const isTold = found.length > 0 || derFault !== null || unreadPlaces.length > 0 || (pem?.faults.length ?? 0) > 0
  if (isTold || !isExpected || others.length > 0) return found
  return [finding('file-unrecognised', file.name)]
}

function swapped(file: FoundFile, holds: string, named: string): Finding {
  return finding('files-swapped', file.name, { evidence: `it is named as ${named} and holds ${holds}` })
}

function openToOthers({ name, access }: FoundFile): readonly Finding[] {
  if (access === null || (access.mode & 0o077) === 0) return []
  const mode = access.mode.toString(8).padStart(4, '0')
  const evidence = `its mode is ${mode}`
  return [finding('key-open-to-others', name, { severity: 'warning', evidence, cure: `chmod 0600 ${shellPath(name)}` })]
}
