/** Applications without a line about certificates, started as their owners start them. */
// needs: openssl
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { type Finished, run } from '../../support/run.ts'
import { temporaryFolder } from '../../support/temporary-folder.ts'
import { OpensslAuthority } from '../est-authority.ts'
import { assertEveryWayShows, everyWay } from './every-way.ts'

const preload = join(import.meta.dirname, '../../../src/device/attach/preload.ts')
const authority = new OpensslAuthority()
after(() => authority.remove())

function start(env: Readonly<Record<string, string>>, ...args: readonly string[]): Promise<Finished> {
  return run(process.execPath, ['--import', preload, ...args], { env })
}

test('every way out of Node shows the certificate, in worker threads too', (t) =>
  assertEveryWayShows(t, authority, (env, args) => start(env, everyWay, ...args)))

test('without a folder the application does not start, and the way out is said', async () => {
  const { status, stdout, stderr } = await start({ HANDFAST_DEVICE_DIR: '' }, '-e', 'console.log("started")')
  assert.deepEqual([status, stdout], [2, ''])
  assert.match(stderr, /^error: HANDFAST_DEVICE_DIR is not set\n {2}code: HF-7601 attachment-misconfigured\n {2}hint: /)
})

test('hosts that cannot be read stop the application', async () => {
  const env = { HANDFAST_DEVICE_DIR: '/nowhere', HANDFAST_ATTACH_HOSTS: 'https://hub.example' }
  const { status, stderr } = await start(env, '-e', '0')
  assert.equal(status, 2)
  assert.match(stderr, /"https:\/\/hub\.example" is no host/)
})

test('a device that is not enrolled yet starts with a warning', async (t) => {
  const directory = join(temporaryFolder(t), 'device')
  const { status, stdout, stderr } = await start({ HANDFAST_DEVICE_DIR: directory }, '-e', 'console.log("started")')
  assert.deepEqual([status, stdout], [0, 'started\n'])
  assert.match(stderr, /\[HF-9207\] HandfastWarning: there is no folder \S+; no certificate is shown/)
})

test('what was said at the start is not said again by the first connection', async (t) => {
  const directory = join(temporaryFolder(t), 'device')
  // Nothing listens there: the look at the credential comes before the connection.
  const connects = 'require("node:tls").connect({ host: "127.0.0.1", port: 1 }).on("error", () => console.log("tried"))'
  const { stdout, stderr } = await start({ HANDFAST_DEVICE_DIR: directory }, '-e', connects)
  assert.equal(stdout, 'tried\n')
  assert.equal(stderr.match(/HandfastWarning/g)?.length, 1)
})

test('loaded twice it attaches once', async (t) => {
  const directory = join(temporaryFolder(t), 'device')
  const env = { HANDFAST_DEVICE_DIR: directory, NODE_OPTIONS: `--import ${preload}` }
  const { stderr } = await start(env, '-e', '0')
  assert.equal(stderr.match(/HandfastWarning/g)?.length, 1)
})
