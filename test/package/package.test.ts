/** What npm ships works in a folder that is not ours: installed, started and stopped as a user would. */
import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { copyFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import type { BootstrapView } from '../../src/api-schema/views.ts'
import { assertEveryWayShows, everyWay } from '../device/attach/every-way.ts'
import { OpensslAuthority } from '../device/est-authority.ts'
import { deviceFiles, repository, upArguments } from '../support/hub-process.ts'
import { clientOptions, connected, nextMessage } from '../support/mqtt-client.ts'
import { needs } from '../support/programs.ts'
import { run } from '../support/run.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'
import { asUser, isRegistryReachable, packed, runAsUser, version } from './npm.ts'

test('the npm package works in a foreign folder', needs('npm', 'npx', 'env'), async (t) => {
  const folder = temporaryFolder(t)
  const home = join(folder, 'home')
  mkdirSync(home)
  const { path, files } = await packed(t, folder)

  await t.test('it holds compiled JavaScript with its types, and nothing that is ours alone', () => {
    for (const file of [
      'bin/handfast.js',
      'dist/cli/main.js',
      'LICENSE',
      'README.md',
      'docs/failures.md',
      'man/handfast.1',
      'deploy/systemd/handfast.service',
      'deploy/prometheus/handfast.rules.yml',
      'deploy/grafana/handfast.json',
      'docs/metrics.md',
      'npm-shrinkwrap.json',
    ]) {
      assert.ok(files.has(file), `${file} is missing`)
    }
    const folders = new Set([...files].filter((file) => file.includes('/')).map((file) => file.split('/')[0]))
    assert.deepEqual([...folders].toSorted(), ['bin', 'deploy', 'dist', 'docs', 'examples', 'man'])
    const modules = [...files].filter((file) => file.startsWith('dist/') && file.endsWith('.js'))
    assert.ok(modules.length > 50, `${modules.length} modules`)
    const untyped = modules.filter((file) => !files.has(file.replace(/\.js$/, '.d.ts')))
    assert.deepEqual(untyped, [])
    const sources = [...files].filter((file) => file.endsWith('.ts') && !file.endsWith('.d.ts'))
    assert.deepEqual(sources, [])
  })

  if (!(await installed(t, home, path))) return

  await t.test('`npx handfast --version` says the version of the package', async () => {
    const { status, stdout, stderr } = await runAsUser('npx', ['handfast', '--version'], { cwd: home })
    assert.equal(status, 0, stderr)
    assert.equal(stdout.trim(), version)
  })

  await t.test('`handfast/device` is there to be imported, and nothing of the hub is', async () => {
    const script = `
      const device = await import('handfast/device')
      const store = device.openCredentialStore('device')
      const inner = await import('handfast/dist/compose.js').catch(({ code }) => code)
      console.log(typeof device.enrol, store.current(), inner)`
    const { status, stdout, stderr } = await run(process.execPath, ['--input-type=module', '-e', script], { cwd: home })
    assert.deepEqual([status, stdout], [0, 'function null ERR_PACKAGE_PATH_NOT_EXPORTED\n'], stderr)
  })

  const node = await systemNode()
  const isOld = node !== null && Number(node.version.split('.')[0]) < 24
  const skip = isOld ? false : `the Node of this machine is ${node?.version ?? 'missing'}`
  await t.test('an older Node starts the Node 24 that came along', { skip }, async () => {
    const launcher = join(home, 'node_modules', 'handfast', 'bin', 'handfast.js')
    const right = await runAsUser(node?.path ?? '', [launcher, '--version'], { cwd: folder })
    assert.deepEqual([right.status, right.stdout.trim()], [0, version], right.stderr)
    const wrong = await runAsUser(node?.path ?? '', [launcher, 'no-such-command'], { cwd: folder })
    assert.equal(wrong.status, 2, wrong.stderr)
    const attached = ['--import', 'handfast/device/attach', '--eval', '0']
    const alone = await runAsUser(node?.path ?? '', attached, { cwd: home })
    assert.equal(alone.status, 7, alone.stderr)
    assert.match(alone.stderr, /code: HF-9112 node-too-old/)
  })

  await t.test('an application beside it shows a certificate in every way out of Node', needs('openssl'), async (t) => {
    const authority = new OpensslAuthority()
    t.after(() => authority.remove())
    copyFileSync(everyWay, join(home, 'every-way.mjs'))
    const program = ['node_modules/.bin/node', '--import', 'handfast/device/attach', 'every-way.mjs']
    await assertEveryWayShows(t, authority, (env, args) =>
      runAsUser(program[0] ?? '', [...program.slice(1), ...args], { cwd: home, env }),
    )
  })

  await t.test('`npx handfast up` serves a device, and SIGTERM ends it', async () => {
    const hub = await startedHub(t, home)
    const { bootstrap } = await json<BootstrapView>(home, ['device', 'add', 'pump-7'])
    const enrolled = await runAsUser('npx', ['handfast', 'enrol', '-', '--dir', 'pump-7'], {
      cwd: home,
      input: bootstrap,
    })
    assert.equal(enrolled.status, 0, enrolled.stderr)

    const client = await connected(clientOptions(hub.mqttPort, deviceFiles('pump-7', join(home, 'pump-7')), 5))
    await client.subscribeAsync('devices/pump-7/#', { qos: 1 })
    const arrives = nextMessage(client)
    await client.publishAsync('devices/pump-7/messages/events/', 'hello', { qos: 1 })
    assert.equal((await arrives).payload, 'hello')

    const reading = nextMessage(client)
    assert.deepEqual(await attachedApplication(home, hub.mqttPort), { status: 0, stderr: '' })
    assert.equal((await reading).payload, '{"temperature":21}')
    await client.endAsync()

    await hub.stop()
    const status = await runAsUser('npx', ['handfast', 'status'], { cwd: home })
    assert.equal(status.status, 6, status.stdout)
  })
})

/** Runs the application of the page in the foreign project, as the page says, for the device that is enrolled there. */
async function attachedApplication(home: string, port: number): Promise<{ status: number | null; stderr: string }> {
  const page = readFileSync(join(repository, 'docs/device-attach.md'), 'utf8')
  const text = /^```js\n(.*?)^```$/ms.exec(page)?.[1]
  assert.ok(text?.includes('hub.plant.example:8883') === true)
  writeFileSync(join(home, 'app.mjs'), text.replace('hub.plant.example:8883', `localhost:${port}`))
  const args = ['HANDFAST_DEVICE_DIR=pump-7', 'node_modules/.bin/node', '--import', 'handfast/device/attach', 'app.mjs']
  const { status, stderr } = await runAsUser('env', args, { cwd: home })
  return { status, stderr }
}

/**
 * Installs the packed file. Without the registry npm's cache may hold all it takes; where it does not, the test is skipped.
 *
 * @returns false when it was skipped
 */
async function installed(t: TestContext, home: string, path: string): Promise<boolean> {
  writeFileSync(join(home, 'package.json'), '{"name":"foreign","version":"1.0.0","private":true}\n')
  const isReachable = await isRegistryReachable(home)
  const install = ['install', '--no-audit', '--no-fund', isReachable ? '--prefer-offline' : '--offline', path]
  const { status, stdout, stderr } = await runAsUser('npm', install, { cwd: home, timeoutMs: 120_000 })
  if (status !== 0 && !isReachable) {
    t.skip('the npm registry cannot be reached')
    return false
  }
  assert.equal(status, 0, `${stdout}\n${stderr}`)
  return true
}

/** The Node that a user's shell finds, or null. */
async function systemNode(): Promise<{ path: string; version: string } | null> {
  const found = await runAsUser('sh', ['-c', 'command -v node && node --version'])
  const [path, text] = found.stdout.trim().split('\n')
  return found.status === 0 && path !== undefined && text !== undefined
    ? { path, version: text.replace(/^v/, '') }
    : null
}

async function json<T>(home: string, args: readonly string[]): Promise<T> {
  const { status, stdout, stderr } = await runAsUser('npx', ['handfast', ...args, '--json'], { cwd: home })
  assert.equal(status, 0, stderr)
  return JSON.parse(stdout) as T
}

/** `npx handfast up` in its own process group, so that nothing of it outlives the test. */
async function startedHub(t: TestContext, home: string): Promise<{ mqttPort: number; stop(): Promise<void> }> {
  const readyFile = join(home, 'ready.json')
  const up = asUser('npx', ['handfast', ...upArguments(join(home, 'data'), readyFile)])
  const child = spawn('env', up, { cwd: home, detached: true, stdio: ['ignore', 'pipe', 'pipe'] })
  let output = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk: Buffer) => {
      output += chunk.toString('utf8')
    })
  }
  t.after(() => signalGroup(child, 'SIGKILL'))
  for (let waited = 0; !existsSync(readyFile); waited += 20) {
    if (child.exitCode !== null || waited > 30_000) throw new Error(`the hub did not start:\n${output}`)
    await delay(20)
  }
  const { mqtt } = JSON.parse(readFileSync(readyFile, 'utf8')) as { mqtt: { port: number } }
  return {
    mqttPort: mqtt.port,
    async stop() {
      // To all of them, as a service manager does it: npm tells its shell, and that one ends without telling the hub.
      const ended = once(child, 'close', { signal: AbortSignal.timeout(20_000) })
      signalGroup(child, 'SIGTERM')
      // The pipes close when the last of npx, shell and hub has ended.
      await ended
    },
  }
}

function signalGroup({ pid }: ChildProcess, signal: NodeJS.Signals): void {
  if (pid === undefined) return
  try {
    process.kill(-pid, signal)
  } catch {
    // The group has ended already.
  }
}
