import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { run } from '../../support/run.ts'
import { temporaryFolder } from '../../support/temporary-folder.ts'

test('what a command leaves running in the background keeps no agent from ending', async (t) => {
  const pidFile = join(temporaryFolder(t), 'pid')
  const script = `
    import { runRenewedHooks } from './src/device/renewal/hooks.ts'
    const onRenewed = 'sleep 600 & echo $! > "$HANDFAST_DIR"'
    const hooks = { onRenewed, onFailed: null, signal: null, reloadUnit: null }
    await runRenewedHooks(hooks, { HANDFAST_DIR: process.argv[1] })`
  const args = ['--input-type=module', '-e', script, pidFile]
  const { status, stderr } = await run(process.execPath, args, { cwd: join(import.meta.dirname, '../../..') })
  const left = Number(readFileSync(pidFile, 'utf8'))
  // It throws where that process is gone.
  process.kill(left, 'SIGTERM')
  assert.equal(status, 0, stderr)
})
