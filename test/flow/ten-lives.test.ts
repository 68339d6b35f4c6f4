/**
 * Applications that know nothing of certificates, in Node and in Python, through lives of theirs. Three here;
 * `HANDFAST_TEST_LIVES=10 node --test test/flow/ten-lives.test.ts` takes four minutes.
 */
// one database: what a device does asks no database
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import { repository } from '../support/hub-process.ts'
import { needs, programPath } from '../support/programs.ts'
import { run } from '../support/run.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'

const lives = Number(process.env.HANDFAST_TEST_LIVES ?? 3)
// Faster, and a busy machine would not get done in the times that hub and agent give each other.
const speed = 5
const timeout = 120_000 + lives * 60_000

const title =
  'applications without a word about certificates lose no message of QoS 1 while their certificate is renewed again and again'

/** What an application says of its messages. */
type Count = Readonly<Record<'published' | 'acknowledged' | 'heard' | 'connections', number>>

test(title, { ...needs('faketime'), timeout }, async (t) => {
  const driver = join(repository, 'test/flow/accelerated/lives.ts')
  const args = ['-f', `+0 x${speed}`, process.execPath, driver, String(lives), temporaryFolder(t)]
  const { status, stdout, stderr } = await run(programPath('faketime') ?? '', args, { timeoutMs: timeout })
  assert.equal(status, 0, stderr)
  const { lives: lived, ...applications } = JSON.parse(stdout.trim().split('\n').at(-1) ?? '') as {
    readonly lives: number
    readonly attached: Count
    readonly proxied?: Count
  }
  assert.ok(lived >= lives, stdout)
  for (const [way, { published, acknowledged, heard, connections }] of Object.entries(applications)) {
    assert.ok(published > lives * 20, `${way}: ${stdout}`)
    assert.equal(acknowledged, published, way)
    assert.equal(heard, published, way)
    assert.ok(connections >= lives, `${way} came back with new certificates: ${stdout}`)
  }
})
