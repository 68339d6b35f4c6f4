/**
 * Applications that know nothing of certificates, through lives of theirs. Three here; `HANDFAST_TEST_LIVES=10 node --test
 * test/flow/ten-lives.test.ts` takes four minutes.
 */
import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
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

const hasPaho = existsSync('/usr/lib/python3/dist-packages/paho')
const ways = {
  attached: { title: 'an application in Node without a word about certificates', skip: false },
  proxied: {
    title: 'an application in Python, through the local proxy,',
    skip: hasPaho ? false : 'python3-paho-mqtt is not installed',
  },
} as const

for (const [way, { title, skip }] of Object.entries(ways)) {
  const options = { skip: needs('faketime').skip || skip, timeout }
  test(`${title} loses no message of QoS 1 while its certificate is renewed again and again`, options, async (t) => {
    const driver = join(repository, 'test/flow/accelerated/lives.ts')
    const args = ['-f', `+0 x${speed}`, process.execPath, driver, String(lives), temporaryFolder(t), way]
    const { status, stdout, stderr } = await run(programPath('faketime') ?? '', args, { timeoutMs: timeout })
    assert.equal(status, 0, stderr)
    const told = JSON.parse(stdout.trim().split('\n').at(-1) ?? '') as Record<string, number>
    assert.ok((told.lives ?? 0) >= lives, stdout)
    assert.ok((told.published ?? 0) > lives * 20, stdout)
    assert.equal(told.acknowledged, told.published)
    assert.equal(told.heard, told.published)
    assert.ok((told.connections ?? 0) >= lives, `it came back with new certificates: ${stdout}`)
  })
}
