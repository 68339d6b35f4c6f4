import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import {
  type FailureName,
  failure,
  failureNames,
  isFailureName,
  toldToClient,
} from '../../../src/core/failure/catalogue.ts'
import { wireForms } from '../../../src/core/failure/wire-forms.ts'
import { hopelessFailures, strangerFailures } from '../../../src/core/identification/stranger-failures.ts'

test('no two failures share an id or a cause', () => {
  const ids = failureNames.map((name) => failure(name).id)
  const causes = failureNames.map((name) => failure(name).cause)
  assert.equal(new Set(ids).size, ids.length)
  assert.equal(new Set(causes).size, causes.length)
})

test('no two files of entries give a name to different failures', () => {
  const folder = join(import.meta.dirname, '../../../src/core/failure/entries')
  const names = globSync('*.ts', { cwd: folder }).flatMap((file) =>
    [...readFileSync(join(folder, file), 'utf8').matchAll(/^ {2}'?([a-z-]+)'?: entry\(/gm)].map(([, name]) => name),
  )
  assert.deepEqual(names.toSorted(), failureNames.toSorted())
})

test('every failure has a cause, a cure, and an answer on every wire', () => {
  for (const name of failureNames) {
    const { cause, cure, kind } = failure(name)
    assert.match(cause, /^\S.{9,}[^.]$/, name)
    assert.match(cure, /^\S.{9,}[^.]$/, name)
    const form = wireForms[kind]
    assert.ok(form.connackV3 >= 1 && form.connackV3 <= 5, name)
    assert.ok(form.reasonV5 >= 0x80 && form.reasonV5 <= 0xa2, name)
    // 202 is the one answer that is none yet (RFC 7030 §4.2.3).
    assert.ok(kind === 'waits' ? form.http === 202 : form.http >= 400 && form.http < 600, name)
    assert.ok(form.exit >= 1 && form.exit <= 7, name)
  }
})

test('a tired person reads one sentence of what happened and one of what to do', () => {
  for (const name of failureNames) {
    const { cause, cure } = failure(name)
    assert.ok(cause.length <= 140 && cure.length <= 170, name)
    for (const text of [cause, cure]) assert.doesNotMatch(text, /[.!?] [A-Z]|\n|please/i, name)
  }
})

test('a clause names a standard and a place in it', () => {
  for (const name of failureNames) {
    const { clause } = failure(name)
    if (clause !== null) assert.match(clause, /^(?:RFC \d{4}|MQTT 5|PROXY protocol) §\d+(?:\.\d+)*$/, name)
  }
})

test('what goes against TLS or MQTT cites the clause, unless it is a limit or a setting of our own', () => {
  const ours: readonly FailureName[] = ['tls-timeout', 'attachment-misconfigured', 'attachment-host-unknown']
  const without = failureNames.filter((name) => {
    const { stage, clause } = failure(name)
    return (stage === 'tls' || stage === 'mqtt') && clause === null
  })
  assert.deepEqual(without.toSorted(), ours.toSorted())
})

test('a failure says by which alert TLS tells it, where TLS has a word for it', () => {
  const alertOf = (name: FailureName) => failure(name).alert
  assert.equal(alertOf('certificate-expired'), 45)
  assert.equal(alertOf('certificate-revoked'), 44)
  assert.equal(alertOf('certificate-foreign-authority'), 48)
  assert.equal(alertOf('publish-denied'), null)
})

test('a stranger learns nothing about the cause', () => {
  for (const name of failureNames.filter((candidate) => failure(candidate).told === 'general')) {
    assert.equal(toldToClient(name, 'secret detail'), 'not accepted by this hub; its operator can see why')
  }
  for (const name of [...strangerFailures, ...hopelessFailures]) assert.equal(failure(name).told, 'general', name)
})

test('the holder of a revoked certificate is told that word and no more', () => {
  assert.equal(toldToClient('certificate-revoked', 'with all its detail'), 'revoked')
  assert.equal(toldToClient('identity-disabled', 'with all its detail'), 'disabled')
})

test('whoever proved more is told the cause in full', () => {
  assert.equal(toldToClient('certificate-expired', 'it expired 3 days ago'), 'HF-2106 it expired 3 days ago')
})

test('names from outside are recognised only when they are in the list', () => {
  assert.equal(isFailureName('certificate-revoked'), true)
  assert.equal(isFailureName('toString'), false)
})

test('docs/failures.md, docs/limits.md and man/handfast.1 say what the code says', () => {
  const script = join(import.meta.dirname, '../../../scripts/write-reference-pages.ts')
  const { status, stderr } = spawnSync(process.execPath, [script, '--check'], { encoding: 'utf8' })
  assert.equal(status, 0, stderr)
})
