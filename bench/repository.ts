import { join } from 'node:path'

export const repository: string = join(import.meta.dirname, '..')

/** What the command `handfast` is. */
export const launcher: string = join(repository, 'bin/handfast.js')
