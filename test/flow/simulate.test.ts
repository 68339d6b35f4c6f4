/** `handfast simulate` against a real hub: renewals and revocations of a fleet that sends, and its own account of them. */
// one database: what it asks of a hub is asked on both by other files
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import type { SimulationSummary } from '../../src/simulate/simulate.ts'
import { startHubProcess } from '../support/hub-process.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'

test('a fleet renews while it sends, those that are revoked are out, and nothing else is lost', async (t) => {
  const hub = await startHubProcess(t, { data: join(temporaryFolder(t), 'data') })
  const load = ['--devices', '12', '--for', '8s', '--renew-every', '3s', '--revoke', '2', '--interval', '200']
  const { status, stdout, stderr } = await hub.cli(['simulate', ...load, '--clock-skew', '2m', '--json'])
  const lines = stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line))
  const { enrolled, sent, renewals, revocations, lost, failed } = lines.at(-1) as SimulationSummary
  assert.equal(status, 0, stdout.slice(-2_000) + stderr)
  assert.deepEqual([enrolled, revocations.asked, revocations.out, lost, failed], [12, 2, 2, 0, []])
  assert.ok(renewals.done >= 10 && renewals.failed === 0, `${renewals.done} renewals, ${renewals.failed} failed`)
  assert.ok(sent > 24, `${sent} readings`)
  const revoked = lines.filter(({ kind }) => kind === 'revoked').map(({ id }) => id)
  for (const id of revoked) {
    const { state } = (await hub.json<{ device: { state: string } }>(['device', 'show', id])).device
    assert.equal(state, 'disabled')
  }

  const text = await hub.cli(['simulate', '--devices', '11', '--prefix', 'more-', '--count', '2', '--interval', '10'])
  assert.match(
    text.stdout,
    /^11 of 11 devices enrolled, 22 readings acknowledged, 0 failed\nreadings were acknowledged in [\d.]+ ms \(median\), [\d.]+ ms \(99 of 100\)\n$/,
  )
})
