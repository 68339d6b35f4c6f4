/** Text with variables in a policy file. */
import type { Place } from '../model.ts'
import { parseTemplate } from '../template.ts'
import type { NodeReader } from './node-reader.ts'

/** Whether a text is one; where it is not, the reader is told why. @param parameters names that `${role.…}` may have */
export function isTemplate(text: string, place: Place, parameters: readonly string[], reader: NodeReader): boolean {
  try {
    parseTemplate(text, parameters)
    return true
  } catch (error) {
    reader.fail(place, error instanceof Error ? error.message : 'is not understood')
    return false
  }
}
