// A reporter of node:test: which test files took longest, so that nobody has to look for what a slow suite waits for.
import { relative } from 'node:path'

const shownMax = 15

export default async function* slowestTestFiles(events) {
  const files = []
  for await (const { type, data } of events) {
    if (type === 'test:summary' && data.file !== undefined) files.push(data)
  }
  files.sort((a, b) => b.duration_ms - a.duration_ms)
  yield 'the test files that took longest:\n'
  for (const { file, duration_ms } of files.slice(0, shownMax)) {
    yield `${(duration_ms / 1000).toFixed(1).padStart(6)} s  ${relative(process.cwd(), file)}\n`
  }
}
