/** The commands of a page of documentation, as a person would paste them. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { repository } from './hub-process.ts'

/**
 * The fenced `sh` blocks of a page, in order, by the heading that they stand under.
 *
 * @param page its path in the repository
 */
export function shellBlocks(page: string): ReadonlyMap<string, string> {
  const text = readFileSync(join(repository, page), 'utf8')
  const blocks = new Map<string, string>()
  for (const [, heading = '', , body = ''] of text.matchAll(/^## (.*)\n((?!## )[\s\S])*?^```sh\n([\s\S]*?)^```$/gm)) {
    assert.ok(!blocks.has(heading), `${page} has two blocks under ${heading}`)
    blocks.set(heading, body)
  }
  return blocks
}
