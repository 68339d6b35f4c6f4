/**
 * A stranger's client: generated from the document of a running hub by a stock generator, compiled strictly, and used to
 * register, enrol, edit and revoke a device, with OpenSSL for keys and MQTT.js for the connection.
 */
// needs: openssl npm
import assert from 'node:assert/strict'
import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { deviceFiles, type HubProcess, startHubProcess } from '../support/hub-process.ts'
import { clientOptions, connected, nextEvent, nextMessage, refused } from '../support/mqtt-client.ts'
import { type Finished, run } from '../support/run.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'

/** TypeScript 7 has no compiler API yet, which generators need: this one stays in the folder of the test. */
const generator = ['@hey-api/openapi-ts@0.99.0', 'typescript@5.9.3', '@types/node@24.19.2'] as const

/** What npm says when there is no way to the registry. */
const unreachable = /ENOTFOUND|ECONNREFUSED|ETIMEDOUT|EAI_AGAIN|ECONNRESET|network|E40[137]|E50\d/

function npm(folder: string, args: readonly string[]): Promise<Finished> {
  return run('npm', [...args, '--no-audit', '--no-fund', '--loglevel=error'], { cwd: folder, timeoutMs: 150_000 })
}

async function succeeded(work: Promise<Finished>): Promise<string> {
  const { status, stdout, stderr } = await work
  assert.equal(status, 0, `${stdout}\n${stderr}`)
  return stdout
}

/** Generates the client and compiles the stranger's program against it. */
async function builtFrom(folder: string, document: string): Promise<string> {
  writeFileSync(join(folder, 'openapi.json'), document)
  const compilerOptions = {
    ...{ target: 'es2022', lib: ['es2024', 'dom', 'dom.iterable'], module: 'nodenext', moduleResolution: 'nodenext' },
    ...{ strict: true, noUncheckedIndexedAccess: true, types: ['node'], rootDir: '.', outDir: 'out' },
  }
  writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify({ compilerOptions, include: ['stranger.ts', 'client'] }))
  const bin = (name: string): string => join(folder, 'node_modules/.bin', name)
  const generate = ['--input', 'openapi.json', '--output', 'client', '--no-log-file']
  await succeeded(run(bin('openapi-ts'), generate, { cwd: folder }))
  copyFileSync(join(import.meta.dirname, 'openapi-client/stranger.ts'), join(folder, 'stranger.ts'))
  await succeeded(run(bin('tsc'), [], { cwd: folder }))
  return join(folder, 'out/stranger.js')
}

async function documentOf(hub: HubProcess): Promise<string> {
  assert.ok(hub.api !== null)
  const url = `https://localhost:${hub.api.port}/api/openapi.json`
  const script = `process.stdout.write(await (await fetch(${JSON.stringify(url)})).text())`
  const args = ['--input-type=module', '--eval', script]
  return succeeded(run(process.execPath, args, { env: { NODE_EXTRA_CA_CERTS: hub.ca } }))
}

test('whoever has the OpenAPI document alone registers, enrols, connects, edits and revokes a device', async (t) => {
  const folder = temporaryFolder(t)
  writeFileSync(join(folder, 'package.json'), JSON.stringify({ type: 'module', private: true }))
  const installed = await npm(folder, ['install', '--ignore-scripts', '--save-exact', ...generator])
  if (installed.status !== 0 && unreachable.test(installed.stderr)) {
    return t.skip(`the npm registry cannot be reached: ${installed.stderr.split('\n')[0]}`)
  }
  assert.equal(installed.status, 0, installed.stderr)

  const hub = await startHubProcess(t, { data: join(folder, 'data'), args: ['--api-listen', '127.0.0.1:0'] })
  const program = await builtFrom(folder, await documentOf(hub))
  const device = { ...deviceFiles('pump-7', join(folder, 'pump-7')), ca: join(folder, 'pump-7/ca.pem') }
  const files = { ...device, cert: join(device.folder, 'cert.pem'), key: join(device.folder, 'key.pem') }
  mkdirSync(device.folder)
  const env = { API_KEY: readFileSync(join(hub.data, 'admin.key'), 'utf8').trim(), NODE_EXTRA_CA_CERTS: hub.ca }
  const step = async (name: string): Promise<unknown> =>
    JSON.parse(await succeeded(run(process.execPath, [program, name, 'pump-7', device.folder], { env })))

  assert.deepEqual(await step('enrol'), { host: 'localhost', mqttPort: hub.mqtt.port })
  const client = await connected(clientOptions(hub.mqtt.port, files, 5))
  await client.subscribeAsync('devices/pump-7/#')
  const heard = nextMessage(client)
  await client.publishAsync('devices/pump-7/messages', 'hello', { qos: 1 })
  assert.deepEqual(await heard, { topic: 'devices/pump-7/messages', payload: 'hello' })

  const { edited, found, tag } = (await step('edit')) as { edited: object; found: string[]; tag: number }
  assert.deepEqual(edited, { ...edited, id: 'pump-7', group: null, attributes: { line: '4' }, version: 2 })
  assert.deepEqual([found, tag], [['pump-7'], 412])

  writeFileSync(join(device.folder, 'fleet.csv'), 'id,attr.line\npump-7,4\npump-8,4\n')
  assert.deepEqual(await step('import'), [
    { row: 1, id: 'pump-7', result: 'unchanged' },
    { row: 2, id: 'pump-8', result: 'created' },
    { summary: { rows: 2, created: 1, unchanged: 1, conflict: 0, invalid: 0, dryRun: true } },
  ])
  assert.deepEqual(await step('refuse'), {
    status: 400,
    code: 'request-invalid',
    faults: [{ in: 'body', pointer: '/attributes/no good', message: '"no good" is not an attribute name' }],
  })

  const closed = nextEvent(client, 'close')
  assert.deepEqual(await step('revoke'), { state: 'disabled', revoked: 1 })
  await closed
  await refused(clientOptions(hub.mqtt.port, files, 5))
  // The session that was cut off, and the connection that was refused after it.
  assert.deepEqual([...new Set((await step('attempts')) as string[])], ['certificate-revoked'])
})
