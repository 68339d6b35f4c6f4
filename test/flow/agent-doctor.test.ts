/** `handfast agent doctor` on a device of a real hub, whose side of the story it tells. */
// one database: what a device is told of its attempts comes by the same queries as the lists of the API
import assert from 'node:assert/strict'
import { globSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import type { Examination } from '../../src/doctor/finding.ts'
import { repository, startHubProcess } from '../support/hub-process.ts'
import { needs } from '../support/programs.ts'
import { run } from '../support/run.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'

async function doctor(dir: string, env: Readonly<Record<string, string>> = {}) {
  const args = [join(repository, 'bin/handfast.js'), 'agent', 'doctor', '--dir', dir, '--json']
  const { status, stdout, stderr } = await run(process.execPath, args, { env, timeoutMs: 60_000 })
  assert.ok(stdout.startsWith('['), stderr)
  const examinations = JSON.parse(stdout) as readonly Examination[]
  return { status, examinations, codes: examinations.flatMap(({ findings }) => findings.map(({ code }) => code)) }
}

test('a device hears from its hub why it is not let in', needs('faketime'), async (t) => {
  const folder = temporaryFolder(t)
  const hub = await startHubProcess(t, { data: join(folder, 'data') })
  const { folder: dir } = await hub.enrolled('pump-7', join(folder, 'pump-7'))

  const well = await doctor(dir)
  assert.deepEqual([well.status, well.codes], [0, []], JSON.stringify(well.examinations, null, 1))
  const story = well.examinations.find(({ subject }) => subject.endsWith('what the hub says of this device'))
  assert.deepEqual(story?.facts[0], { name: 'now', value: 'this certificate is let in' })

  const library = globSync('/usr/lib/*/faketime/libfaketime.so.1')[0] ?? ''
  const ahead = await doctor(dir, { LD_PRELOAD: library, FAKETIME: '+1d' })
  assert.deepEqual(ahead.codes, ['device-clock-apart'])

  await hub.json(['revoke', 'pump-7', '--reason', 'keyCompromise'])
  const revoked = await doctor(dir)
  assert.equal(revoked.status, 1)
  assert.ok(revoked.codes.includes('certificate-revoked'), revoked.codes.join())
  const cures = revoked.examinations.flatMap(({ findings }) => findings.map(({ cure }) => cure))
  assert.match(cures.join('\n'), /`handfast device enable pump-7`/)
  assert.doesNotMatch(cures.join('\n'), /<id>/)

  await hub.stop()
  const alone = await doctor(dir)
  assert.equal(alone.status, 1)
  assert.ok(alone.codes.includes('hub-unreachable'), alone.codes.join())
})
