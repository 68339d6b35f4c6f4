/** `handfast doctor` on files and folders. */
import { statSync } from 'node:fs'
import { HubError, quote } from '../../core/errors.ts'
import { examineFiles, type FilesQuestion } from '../../doctor/files/examine-files.ts'
import { accessOf, readFolderFiles, readNamedFiles } from '../../doctor/files/read-files.ts'
import type { Examination } from '../../doctor/finding.ts'
import type { DoctorOptions } from './examine.ts'

/**
 * Each folder is looked at by itself, single files all together.
 *
 * @throws HubError `usage` for what is neither a file nor a folder, and for too many
 */
export function examineFilePaths(paths: readonly string[], options: DoctorOptions): readonly Examination[] {
  return questions(paths, options).flatMap((each) => examineFiles(each))
}

export function questions(
  paths: readonly string[],
  { for: platform, keyPassFile }: DoctorOptions,
): readonly FilesQuestion[] {
  const user = process.getuid?.() ?? null
  const passphrase =
    keyPassFile === undefined
      ? []
      : readNamedFiles([keyPassFile], user).map((file) => ({ ...file, saidFor: 'passphrase' as const }))
  const rest = { platform: platform ?? null, nowMs: Date.now() }
  const isFolder = (path: string): boolean => statSync(path).isDirectory()
  const folders = paths.filter(isFolder).map((subject) => {
    const files = readFolderFiles(subject, user)
    if (files.length > 0) {
      const folderAccess = accessOf(subject, user)
      return { ...rest, subject, isFolder: true, folderAccess, files: [...files, ...passphrase] }
    }
    throw new HubError('usage', `no file in the folder ${quote(subject)} has the name of a key or a certificate`, {
      hint: 'name the files themselves, or the folder below that holds them: other names and folders within are passed over',
    })
  })
  const files = paths.filter((path) => !isFolder(path))
  if (files.length === 0) return folders
  const subject = files.length === 1 ? (files[0] ?? '') : `${files[0]} and ${files.length - 1} more`
  return [...folders, { ...rest, subject, isFolder: false, files: [...readNamedFiles(files, user), ...passphrase] }]
}
