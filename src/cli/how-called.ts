/** How a person calls this program here: a command that is printed must work when it is typed. */
import { realpathSync } from 'node:fs'
import { delimiter, join } from 'node:path'

type CalledAs = 'handfast' | 'npx handfast'

/**
 * `handfast` where that name on the PATH is this very program, else through npx. Folders of npm do not count: npx and
 * npm scripts put them on the PATH for a while, the shell of the person does not have them.
 *
 * @param program path of the running script
 * @param path the variable PATH
 */
export function calledAs(program: string, path: string): CalledAs {
  const own = realPath(program)
  const isInstalled = path
    .split(delimiter)
    .filter((folder) => folder !== '' && !folder.endsWith(join('node_modules', '.bin')))
    .some((folder) => own !== null && realPath(join(folder, 'handfast')) === own)
  return isInstalled ? 'handfast' : 'npx handfast'
}

function realPath(path: string): string | null {
  try {
    return realpathSync(path)
  } catch {
    return null
  }
}

export const handfast: CalledAs = calledAs(process.argv[1] ?? '', process.env.PATH ?? '')

/** A hint or a cure with its commands as they are typed here, and the id of the device where it is known. */
export function asTyped(text: string, id: string | null = null): string {
  const filled = id === null ? text : text.replaceAll('<id>', id)
  return filled.replaceAll('`handfast ', `\`${handfast} `)
}
