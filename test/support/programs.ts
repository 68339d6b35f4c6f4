/** Programs that are not ours, and what a test says when one is missing. */
import { accessSync, constants } from 'node:fs'
import { delimiter, join } from 'node:path'

const folders = [...(process.env.PATH ?? '').split(delimiter), '/usr/sbin', '/sbin']

/** The path of a program, or null. */
export function programPath(name: string): string | null {
  for (const folder of folders) {
    const path = join(folder, name)
    try {
      accessSync(path, constants.X_OK)
      return path
    } catch {
      // Not here: look in the next folder.
    }
  }
  return null
}

/** Test options that leave a test out, with the reason, where a program is missing. */
export function needs(...names: readonly string[]): { skip: string | false } {
  const missing = names.filter((name) => programPath(name) === null)
  return { skip: missing.length === 0 ? false : `${missing.join(', ')} is not installed` }
}
