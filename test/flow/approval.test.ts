/** A device whose key an operator approves, through the command line on both sides. */
// one database: what it keeps of waiting keys are rows like others, which the contract suite holds on both
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import type { BootstrapView, EnrolmentDecisionView, EnrolmentRequestView } from '../../src/api-schema/views.ts'
import { startHubProcess } from '../support/hub-process.ts'
import { run } from '../support/run.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'

const launcher = join(import.meta.dirname, '../../bin/handfast.js')

test('a key waits until its words were compared, and then the same command gets its certificate', async (t) => {
  const folder = temporaryFolder(t)
  const hub = await startHubProcess(t, { data: join(folder, 'data') })
  const { bootstrap } = await hub.json<BootstrapView>(['device', 'add', 'pump-7', '--approval'])
  const enrol = () =>
    run(process.execPath, [launcher, 'enrol', bootstrap, '--dir', 'pump-7', '--no-wait'], { cwd: folder })

  const first = await enrol()
  assert.equal(first.status, 6, first.stderr)
  assert.match(first.stderr, /code: HF-7118 enrolment-waits/)
  const [, words = ''] = /reads:\n\n {2}([a-z ]+)\n/.exec(first.stderr) ?? []
  assert.equal(words.split(' ').length, 6, first.stderr)

  const { items } = await hub.json<{ items: readonly EnrolmentRequestView[] }>(['device', 'waiting'])
  assert.deepEqual(
    items.map((item) => [item.device, item.words]),
    [['pump-7', words]],
  )
  const wrong = await hub.cli(['device', 'approve', 'pump-7', '--words', 'zoo zoo zoo zoo zoo zoo'])
  assert.equal(wrong.status, 5, wrong.stderr)
  assert.match(wrong.stderr, /key-words-wrong/)
  assert.equal((await enrol()).status, 6)
  const { requests } = await hub.json<EnrolmentDecisionView>(['device', 'approve', 'pump-7', '--words', words])
  assert.equal(requests[0]?.state, 'approved')
  const last = await enrol()
  assert.equal(last.status, 0, last.stderr)
  assert.match(last.stdout, /^pump-7 is enrolled, until 20/)
})
