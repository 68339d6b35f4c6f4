/** The page that leads from a list of certificates to a policy on identities, run as it stands against a real hub. */
// needs: mosquitto_pub openssl
import assert from 'node:assert/strict'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import type { DeviceDetailView } from '../../src/api-schema/views.ts'
import { readPolicy } from '../../src/core/policy/file/parse.ts'
import { repository, startHubProcess } from '../support/hub-process.ts'
import { needs } from '../support/programs.ts'
import { run } from '../support/run.ts'
import { shellBlocks } from '../support/shell-page.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'

const page = 'docs/from-certificates-to-identities.md'

test('the page about identities works as it stands', needs('mosquitto_pub', 'openssl'), async (t) => {
  const folder = temporaryFolder(t)
  const data = join(folder, 'data')
  const hub = await startHubProcess(t, { data })
  const blocks = shellBlocks(page)
  assert.deepEqual(
    [...blocks.keys()].map((heading) => heading.split(' ')[0]),
    ['1.', '2.', '3.', '4.', '5.', '6.', '7.'],
  )
  const programs = join(folder, 'programs')
  mkdirSync(programs)
  const launcher = `#!/bin/sh\nexec '${process.execPath}' '${join(repository, 'bin/handfast.js')}' "$@"\n`
  writeFileSync(join(programs, 'handfast'), launcher, { mode: 0o755 })
  const env = {
    ...{ PATH: `${programs}:${process.env.PATH}`, HANDFAST_DATA: data },
    ...{ HOST: 'localhost', PORT: `${hub.mqtt.port}`, CA: hub.ca },
  }
  const script = [...blocks.values()].join('\n')
  const { status, stdout, stderr } = await run('sh', ['-eu', '-c', script], { cwd: folder, env })
  assert.equal(status, 0, `${stdout}\n${stderr}`)
  assert.match(stdout, /home\.yaml is a policy/)
  assert.match(stdout, /all 6 expectations of home\.yaml hold/)
  assert.match(stdout, /^allowed +role person, statement 2/m)
  assert.match(stdout, /it is another certificate/)
  assert.match(stdout, /it is not let in/)
  assert.match(stdout, /certificate-revoked/)

  const { device, credentials } = await hub.json<DeviceDetailView>(['device', 'show', 'phone-danny'])
  assert.equal(device.state, 'disabled')
  assert.equal(credentials.length, 2, 'it had two certificates')
})

test('the rule that the page shows is one', () => {
  const text = readFileSync(join(repository, page), 'utf8')
  const examples = [...text.matchAll(/^```yaml\n([\s\S]*?)^```$/gm)].map(([, body = '']) => body)
  assert.equal(examples.length, 1)
  for (const example of examples) {
    const { policy, problems } = readPolicy(`${example}\nbindings: []\n`)
    assert.deepEqual(problems, [])
    assert.deepEqual(
      policy.identify.map(({ name, from }) => [name, from]),
      [['staff', 'san.email']],
    )
  }
})
