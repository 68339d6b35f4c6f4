/** What real programs printed, made to by known causes (`gather/gather.ts`): nothing that is told may be another cause for certain. */
import assert from 'node:assert/strict'
import { globSync } from 'node:fs'
import { basename, join } from 'node:path'
import { test } from 'node:test'
import { decodeLine } from '../../../src/doctor/log/decode-line.ts'
import { examineLogText } from '../../../src/doctor/log/examine-log.ts'
import { type GatheredLine, readLines } from './gather/harvest.ts'

const files = globSync('*.ndjson', { cwd: join(import.meta.dirname, 'lines') }).toSorted()

/** They say that the other side ended it, and send the reader to its log, where the cause is. */
const elsewhere: ReadonlySet<string> = new Set(['broker-refused-unexplained', 'tls-closed-early', 'connection-reset'])

function findingsOf({ line }: GatheredLine) {
  return examineLogText(line)
    .flatMap(({ findings }) => findings)
    .filter(({ code }) => code !== 'log-line-unknown')
}

test('there are lines of many programs', () => {
  const count = files.flatMap((file) => readLines(join(import.meta.dirname, 'lines', file))).length
  assert.ok(files.length >= 15, `${files.length} programs`)
  assert.ok(count >= 300, `${count} lines`)
})

for (const file of files) {
  const lines = readLines(join(import.meta.dirname, 'lines', file))
  const name = `${basename(file, '.ndjson')} (${lines.length} lines)`

  test(`what is certain of a line of ${name} is true`, () => {
    const lies = lines.flatMap((gathered) =>
      findingsOf(gathered)
        .filter(({ certainty }) => certainty === 'certain')
        .filter(({ code }) => !gathered.truths.some((truth) => truth.split('|').includes(code)))
        .map(({ code }) => `${gathered.line}: ${code}, not ${gathered.truths.join(', ')}`),
    )
    assert.deepEqual(lies, [])
  })

  test(`every cause that made a line of ${name} is among those that are told of it`, () => {
    const missed = lines.flatMap((gathered) => {
      const codes: ReadonlySet<string> = new Set(findingsOf(gathered).map(({ code }) => code))
      if (codes.size === 0 || [...codes].some((code) => elsewhere.has(code))) return []
      return gathered.truths
        .filter((truth) => !truth.split('|').some((code) => codes.has(code)))
        .map((truth) => `${gathered.line}: ${truth} is not in ${[...codes].join(', ')}`)
    })
    assert.deepEqual(missed, [])
  })

  test(`no line of ${name} is taken for one of the other side`, () => {
    const mistaken = lines.filter(({ line, side }) => {
      const told = decodeLine(line).side
      return told !== null && told !== side
    })
    assert.deepEqual(mistaken, [])
  })
}

test('lines of one cause alone are told so that this cause comes first', () => {
  const alone = files
    .flatMap((file) => readLines(join(import.meta.dirname, 'lines', file)))
    .filter(({ truths }) => truths.length === 1)
  const told = alone.filter((gathered) => findingsOf(gathered).length > 0)
  const first = told.filter((gathered) => {
    const [best, ...rest] = findingsOf(gathered)
    const equals = [best, ...rest].filter((each) => each?.certainty === best?.certainty).map((each) => each?.code ?? '')
    return gathered.truths[0]?.split('|').some((truth) => equals.includes(truth as never))
  })
  assert.ok(told.length / alone.length > 0.85, `${told.length} of ${alone.length} are known`)
  assert.ok(first.length / told.length > 0.97, `${first.length} of ${told.length} come first`)
})
