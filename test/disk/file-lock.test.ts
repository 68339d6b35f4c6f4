import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readdirSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { Worker } from 'node:worker_threads'
import { withFileLock } from '../../src/disk/file-lock.ts'
import { run } from '../support/run.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'

const holder = join(import.meta.dirname, 'file-lock-holder.ts')

test('a lock is there while the work is done, and gone after it, also where the work fails', (t) => {
  const path = join(temporaryFolder(t), '.lock')
  assert.equal(
    withFileLock(path, () => existsSync(path)),
    true,
  )
  assert.throws(
    () =>
      withFileLock(path, () => {
        throw new Error('the work failed')
      }),
    /the work failed/,
  )
  assert.deepEqual(readdirSync(join(path, '..')), [])
})

test('where the disk takes nothing more, nothing is left of a try to take it', async (t) => {
  const folder = temporaryFolder(t)
  const script = "import { withFileLock } from './src/disk/file-lock.ts'; withFileLock(process.argv[1], () => {})"
  // The name is made and the first byte refused, as on a full disk; without the trap the process would be killed instead.
  const shell = `trap '' XFSZ; ulimit -f 0; exec "$0" --input-type=module -e "$1" "$2"`
  const args = ['-c', shell, process.execPath, script, join(folder, '.lock')]
  const { status, stderr } = await run('sh', args, { cwd: join(import.meta.dirname, '../..') })
  assert.equal(status, 1)
  assert.match(stderr, /EFBIG/)
  assert.deepEqual(readdirSync(folder), [])
})

test('who holds it lets nobody else in until he is done', async (t) => {
  const path = join(temporaryFolder(t), '.lock')
  const child = await holding(t, path)
  const script = `
    const { withFileLock } = await import(${JSON.stringify(import.meta.resolve('../../src/disk/file-lock.ts'))})
    const { parentPort, workerData } = await import('node:worker_threads')
    parentPort.postMessage('asks')
    withFileLock(workerData, () => parentPort.postMessage('works'))`
  const worker = new Worker(new URL(`data:text/javascript,${encodeURIComponent(script)}`), { workerData: path })
  const said: string[] = []
  worker.on('message', (word: string) => {
    said.push(word)
    // It asks in vain as long as the other lives.
    if (word === 'asks') child.kill('SIGKILL')
  })
  await once(worker, 'exit')
  assert.deepEqual(said, ['asks', 'works'])
})

test('a lock whose holder was killed is taken over', async (t) => {
  const path = join(temporaryFolder(t), '.lock')
  const child = await holding(t, path)
  const ended = once(child, 'exit')
  child.kill('SIGKILL')
  await ended
  assert.ok(existsSync(path), 'it was left behind')
  assert.equal(
    withFileLock(path, () => 'done'),
    'done',
  )
  assert.deepEqual(readdirSync(join(path, '..')), [])
})

test('a lock that nobody can have made is taken over when it is old, or from the future', (t) => {
  const path = join(temporaryFolder(t), '.lock')
  for (const year of [2001, 2101]) {
    writeFileSync(path, 'of something else\n')
    utimesSync(path, new Date(`${year}-01-01`), new Date(`${year}-01-01`))
    assert.equal(
      withFileLock(path, () => 'done'),
      'done',
    )
  }
})

async function holding(t: TestContext, path: string) {
  const child = spawn(process.execPath, [holder, path], { stdio: ['ignore', 'pipe', 'inherit'] })
  t.after(() => child.kill('SIGKILL'))
  await once(child.stdout, 'data', { signal: t.signal })
  return child
}
