import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { pageFor, quotedFile, readme } from '../../bench/page.ts'
import { readResult } from '../../bench/result.ts'

const page = readFileSync(readme, 'utf8')

test('the page says what its result file says, to the letter', () => {
  assert.ok(page === pageFor(page, quotedFile(page)), 'make it again: npm run bench -- --page FILE')
})

test('the page quotes a run in full size of files that are those of a commit', () => {
  const { what, commit } = readResult(quotedFile(page))
  assert.doesNotMatch(what, /quick|profiled/)
  assert.match(commit, /^[0-9a-f]+$/)
})

test('a figure that was changed by hand does not survive', () => {
  const changed = page.replace(/(\| mTLS connect[^\n]*?)\d+ \(/, '$11 (')
  assert.ok(changed !== page)
  assert.ok(pageFor(changed, quotedFile(page)) === page)
})

test('a result from elsewhere cannot be quoted, nor a page be made that has no place for it', () => {
  assert.throws(() => pageFor(page, '/tmp/result.json'), /not in .*bench/)
  assert.throws(() => pageFor('# Measurements\n', quotedFile(page)), /no section/)
})
