import assert from 'node:assert/strict'
import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { setTimeout as elapse } from 'node:timers/promises'
import { startAgentProxy } from '../support/agent-proxy.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'

test('`agent proxy` tells systemd that it is open, and that it ends', async (t) => {
  const folder = temporaryFolder(t)
  const [programs, heard] = [join(folder, 'bin'), join(folder, 'heard')]
  mkdirSync(programs)
  writeFileSync(join(programs, 'systemd-notify'), `#!/bin/sh\nfor word in "$@"; do echo "$word" >> ${heard}; done\n`)
  chmodSync(join(programs, 'systemd-notify'), 0o755)
  mkdirSync(join(folder, 'store'), { mode: 0o700 })
  const env = { PATH: `${programs}:${process.env.PATH}`, NOTIFY_SOCKET: join(folder, 'nobody') }
  const proxy = await startAgentProxy(t, join(folder, 'store'), [], env)
  await until(() => lines().length >= 2, t.signal)
  assert.deepEqual(lines(), ['READY=1', `STATUS=open at ${proxy.addresses.join(', ')}`])
  assert.equal(await proxy.stop(), 0)
  await until(() => lines().includes('STOPPING=1'), t.signal)

  function lines(): readonly string[] {
    return existsSync(heard) ? readFileSync(heard, 'utf8').trim().split('\n') : []
  }
})

async function until(isSo: () => boolean, signal: AbortSignal): Promise<void> {
  while (!isSo()) await elapse(20, undefined, { signal })
}
