import assert from 'node:assert/strict'
import { test } from 'node:test'
import { examineLogText } from '../../../src/doctor/log/examine-log.ts'
import { documentedLines } from './documented-lines.ts'

for (const [source, lines] of Object.entries(documentedLines)) {
  test(`lines of ${source} are told by their causes`, () => {
    const wrong = lines.flatMap(([line, code, certainty]) => {
      const [first] = examineLogText(line)[0]?.findings ?? []
      const isRight = first?.code === code && first.certainty === certainty
      return isRight ? [] : [`${line}: ${first?.code} ${first?.certainty}, not ${code} ${certainty}`]
    })
    assert.deepEqual(wrong, [])
  })
}
