/**
 * `handfast/device` and `handfast/verify` in a project that is not ours: the packed file is unpacked, with those packages alone that
 * the examples name, and the examples of docs/device-sdk.md and docs/verify.md are run and compiled as they stand.
 */
// needs: npm, tar, openssl
import assert from 'node:assert/strict'
import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import type { BootstrapView } from '../../src/api-schema/views.ts'
import { OpensslAuthority } from '../device/est-authority.ts'
import { repository, startHubProcess } from '../support/hub-process.ts'
import { needs } from '../support/programs.ts'
import { type Finished, run } from '../support/run.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'
import { packed } from './npm.ts'
import { serversOfVerify } from './verify-examples.ts'

test('the examples of the pages work in a foreign project', async (t) => {
  const examples = examplesOf('docs/device-sdk.md')
  assert.deepEqual([...examples.keys()], ['enrol.mjs', 'connect.mjs', 'renew.mjs', 'import.mjs', 'typed.ts'])
  const ofVerify = examplesOf('docs/verify.md')
  assert.deepEqual([...ofVerify.keys()], ['shop.mjs', 'broker.mjs', 'service.mjs', 'typed-verify.ts'])
  const project = await foreignProject(t)
  for (const [name, text] of [...examples, ...ofVerify]) writeFileSync(join(project, name), text)
  const device = join(project, 'pump-7')
  const hub = await startHubProcess(t, { data: join(project, 'data') })
  const { bootstrap } = await hub.json<BootstrapView>(['device', 'add', 'pump-7'])
  const runExample = (name: string, env: Readonly<Record<string, string>> = {}): Promise<Finished> =>
    run(process.execPath, [name], { cwd: project, env: { DEVICE_DIR: device, ...env } })

  await t.test('enrol.mjs enrols, and says what is wrong with a string that is cut short', async () => {
    const cut = await runExample('enrol.mjs', { BOOTSTRAP: bootstrap.slice(0, -9) })
    assert.equal(cut.status, 1)
    assert.match(cut.stderr, /^enrolment-bootstrap-invalid: /)
    assert.match(said(await runExample('enrol.mjs', { BOOTSTRAP: bootstrap })), /^pump-7 is enrolled until 20/)
  })

  await t.test('connect.mjs sends a reading', async () => {
    assert.equal(said(await runExample('connect.mjs')), 'sent\n')
  })

  await t.test('renew.mjs hears of the certificate that it has renewed', needs('faketime'), async () => {
    await hub.json(['device', 'renew', '--now', 'pump-7'])
    // A certificate is not renewed in its first hour, whoever calls.
    const later = ['-f', '+2h', process.execPath, 'renew.mjs']
    assert.match(
      said(await run('faketime', later, { cwd: project, env: { DEVICE_DIR: device } })),
      /^renewed: true, until /,
    )
    assert.equal(said(await runExample('connect.mjs')), 'sent\n')
  })

  await t.test('import.mjs takes over what lies in a folder', async () => {
    const authority = new OpensslAuthority()
    t.after(() => authority.remove())
    const { key, certificate } = authority.selfSigned('meadow-1')
    const brought = join(project, 'brought')
    mkdirSync(brought)
    writeFileSync(join(brought, 'private_key.pem'), key)
    writeFileSync(join(brought, 'client_cert.pem'), certificate)
    const env = { BROUGHT: brought }
    assert.equal(said(await runExample('import.mjs', env)), 'imported: CN=meadow-1, 2 files are gone\n')
    assert.equal(said(await runExample('import.mjs', env)), '')
  })

  await t.test('shop.mjs, broker.mjs and service.mjs let in whom they should', (own) =>
    serversOfVerify(own, { hub, project }),
  )

  await t.test('the TypeScript compiles under the strictest settings', async () => {
    const tsc = join(repository, 'node_modules/.bin/tsc')
    const compiled = await run(process.execPath, [tsc, '--project', project], { cwd: project })
    assert.equal(said(compiled), '')
  })
})

function said({ status, stdout, stderr }: Finished): string {
  assert.equal(status, 0, `${stdout}\n${stderr}`)
  return stdout
}

/** The blocks of a page that carry the name of a file, in their order. */
function examplesOf(page: string): ReadonlyMap<string, string> {
  const text = readFileSync(join(repository, page), 'utf8')
  return new Map(
    [...text.matchAll(/^```(?:js|ts) (\S+)\n([\s\S]*?)^```$/gm)].map(([, name = '', code = '']) => [name, code]),
  )
}

/** A project with the package unpacked where npm would put it, and of other packages MQTT.js and the types of Node alone. */
async function foreignProject(t: TestContext): Promise<string> {
  const project = join(temporaryFolder(t), 'foreign')
  const home = join(project, 'node_modules', 'handfast')
  mkdirSync(home, { recursive: true })
  mkdirSync(join(project, 'node_modules', '@types'))
  const { path } = await packed(t, project)
  await run('tar', ['-xzf', path, '--strip-components=1', '-C', home])
  for (const name of ['mqtt', 'aedes', 'yaml', '@types/node']) {
    symlinkSync(join(repository, 'node_modules', name), join(project, 'node_modules', name))
  }
  writeFileSync(join(project, 'package.json'), '{"name":"foreign","version":"1.0.0","private":true,"type":"module"}\n')
  const compilerOptions = { module: 'nodenext', target: 'es2024', strict: true, noEmit: true, types: ['node'] }
  writeFileSync(
    join(project, 'tsconfig.json'),
    JSON.stringify({
      compilerOptions: { ...compilerOptions, exactOptionalPropertyTypes: true },
      files: ['typed.ts', 'typed-verify.ts'],
    }),
  )
  return project
}
