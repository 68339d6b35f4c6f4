import assert from 'node:assert/strict'
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { test } from 'node:test'
import { newResult, readResult, resultText, writeResult } from '../../bench/result.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'
import { result, rounds, row } from './results.ts'

const sample = result([
  row('connect', [
    ['handfast', rounds(1.5, 2.25)],
    ['mosquitto', rounds(1, 1)],
  ]),
  row('revoke', [['handfast', [{ values: [1, 2, 3.125], perSecond: null }]]], 99),
])

test('a result is read as it was written, raw samples and all', (context) => {
  const path = writeResult(temporaryFolder(context), sample)
  assert.deepEqual(readResult(path), sample)
})

test('its file is named by date, commit and what was measured, and a second one gets a number', (context) => {
  const folder = temporaryFolder(context)
  const first = writeResult(folder, sample)
  const second = writeResult(folder, sample)
  assert.equal(basename(first), '2026-11-25-0123abcd-full.json')
  assert.equal(basename(second), '2026-11-25-0123abcd-full-2.json')
  assert.deepEqual(readdirSync(folder).sort(), [basename(second), basename(first)].sort())
})

test('a round stands on a line of its own, so that people can read it and git can compare it', () => {
  assert.match(resultText(sample), /^ +\{ "values": \[1, 2, 3\.125\], "perSecond": null \}$/m)
  assert.match(resultText(sample), /^ +\{ "values": \[1\.5\], "perSecond": 666\.\d+ \},$/m)
})

test('what is no result of this schema is refused, with the file and the fault', (context) => {
  const path = join(temporaryFolder(context), 'x.json')
  const refused = (text: string, fault: RegExp): void => {
    writeFileSync(path, text)
    assert.throws(
      () => readResult(path),
      (error: Error) => error.message.includes(path) && fault.test(error.message),
    )
  }
  refused('{', /no result file/)
  refused('[]', /schema undefined/)
  refused('{"schema":"handfast-bench/2"}', /schema "handfast-bench\/2"/)
  const text = resultText(sample)
  refused(text.replace('"rank": 50', '"rank": 101'), /rank/)
  refused(text.replace('"side": "handfast"', '"side": "nats"'), /side/)
  assert.throws(() => readResult(join(path, 'not-there')), /not-there is no result file/)
})

test('sides of one row have as many rounds as each other', () => {
  const uneven = row('connect', [
    ['handfast', rounds(1, 2)],
    ['mosquitto', rounds(1)],
  ])
  assert.throws(() => newResult({ ...sample, rows: [uneven] }), /as many rounds/)
})

test('every full result that is kept can still be read, and stands as it was written', () => {
  const folder = join(import.meta.dirname, '../../bench/results')
  const kept = readdirSync(folder).filter((name) => /-full(-[0-9]+)?\.json$/.test(name))
  assert.ok(kept.length > 0)
  for (const name of kept)
    assert.equal(resultText(readResult(join(folder, name))), readFileSync(join(folder, name), 'utf8'))
})
