/** The page about the API, run as it stands with curl against a real hub. */
// needs: curl
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import type { AuditEntryView, DeviceDetailView, PageView } from '../../src/api-schema/views.ts'
import { startHubProcess } from '../support/hub-process.ts'
import { run } from '../support/run.ts'
import { shellBlocks } from '../support/shell-page.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'

test('the page about the API works as it stands', async (t) => {
  const folder = temporaryFolder(t)
  const data = join(folder, 'data')
  const hub = await startHubProcess(t, { data, args: ['--api-listen', '127.0.0.1:0'] })
  const blocks = shellBlocks('docs/api.md')
  assert.deepEqual(
    [...blocks.keys()].map((heading) => heading.split(' ')[0]),
    ['1.', '2.', '3.', '4.', '5.', '6.', '7.', '8.'],
  )
  const env = { API: `https://localhost:${hub.api?.port}`, KEY_FILE: join(data, 'admin.key'), CA: hub.ca }
  const { status, stdout, stderr } = await run('sh', ['-eu', '-c', [...blocks.values()].join('\n')], {
    cwd: folder,
    env,
  })
  assert.equal(status, 0, `${stdout}\n${stderr}`)
  assert.match(stdout, /somebody was faster/)
  assert.match(stdout, /"pointer":"\/colour"/)

  const { device } = await hub.json<DeviceDetailView>(['device', 'show', 'pump-7'])
  assert.deepEqual([device.state, device.group, device.attributes], ['disabled', 'line-3', { line: '4' }])
  const { items } = await hub.json<PageView<AuditEntryView>>(['audit', '--limit', '100'])
  const acts = items.filter(({ subject }) => subject === 'pump-7').map(({ act }) => act)
  assert.equal(acts.filter((act) => act === 'identity.register').length, 1, 'what was sent twice was done once')
  assert.equal(acts.filter((act) => act === 'identity.change').length, 1)
  assert.match(
    readFileSync(join(folder, 'results.ndjson'), 'utf8'),
    /"id":"pump-11","result":"created","bootstrap":"handfast:/,
  )
  const { paths } = JSON.parse(readFileSync(join(folder, 'openapi.json'), 'utf8'))
  assert.ok('/.well-known/est/simpleenroll' in paths)
})
