import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** A folder that is removed when the test ends. */
export function temporaryFolder(context: { after(step: () => void): unknown }): string {
  const path = mkdtempSync(join(tmpdir(), 'hf-'))
  context.after(() => rmSync(path, { recursive: true, force: true }))
  return path
}
