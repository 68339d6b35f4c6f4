/** `handfast doctor` on files and folders. */
import { readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { HubError, quote } from '../../core/errors.ts'
import { examineFiles, type FilesQuestion } from '../../doctor/files/examine-files.ts'
import { accessOf, readFolderFiles, readNamedFiles } from '../../doctor/files/read-files.ts'
import type { Examination } from '../../doctor/finding.ts'
import { shellPath } from '../../doctor/printable-text.ts'
import type { DoctorOptions } from './examine.ts'
import { isBrokerConfiguration } from './thing.ts'

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
    const configuration = configurationIn(subject)
    throw new HubError('usage', `no file in the folder ${quote(subject)} has the name of a key or a certificate`, {
      hint:
        configuration === null
          ? 'name the files themselves, or the folder below that holds them: other names and folders within are passed over'
          : `there is the configuration of a Mosquitto in it; name that: \`handfast doctor ${shellPath(configuration)}\``,
    })
  })
  const files = paths.filter((path) => !isFolder(path))
  if (files.length === 0) return folders
  const subject = files.length === 1 ? (files[0] ?? '') : `${files[0]} and ${files.length - 1} more`
  return [...folders, { ...rest, subject, isFolder: false, files: [...readNamedFiles(files, user), ...passphrase] }]
}

/** The configuration of a Mosquitto that lies in a folder, by the name that it mostly has before others; null where none does. */
function configurationIn(folder: string): string | null {
  const names = readdirSync(folder)
    .filter((name) => name.endsWith('.conf'))
    .toSorted()
  const paths = ['mosquitto.conf', ...names].map((name) => join(folder, name))
  return paths.find((path) => isBrokerConfiguration(path)) ?? null
}
