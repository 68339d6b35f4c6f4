/** A policy from its file to sessions that live: checked, tested, written down, tried, made active, taken back. */
// one database: versions of policies are rows like others; `gates` and `renew-under-load` activate them on both
import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import type { DecisionView, PolicyView } from '../../src/api-schema/policies.ts'
import type { AttemptView, PageView } from '../../src/api-schema/views.ts'
import { publish, subscriber } from '../conformance/mosquitto.ts'
import { type HubProcess, startHubProcess } from '../support/hub-process.ts'
import { needs } from '../support/programs.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'

const policy = (topics: string, expect: string) => `
roles:
  line:
    statements:
      - allow: [connect]
      - allow: [publish, subscribe, receive]
        topics: [${topics}]
bindings:
  - roles: [own-topics]
    to: everyone
  - roles: [line]
    to: { group: [l3, l4] }
subjects:
  imagined: { group: l3 }
expect:
  - ${expect}
`
const wide = policy("'lines/${identity.group}/#'", 'imagined publish lines/l3/x => allow')
const narrow = policy("'lines/${identity.group}/open/#'", 'imagined publish lines/l3/x => deny')

async function refusal(hub: HubProcess, args: readonly string[]): Promise<{ code: string; stdout: string }> {
  const { status, stdout, stderr } = await hub.cli(args)
  assert.notEqual(status, 0, `${args.join(' ')}\n${stdout}`)
  return { code: /^ {2}code: HF-\d+ (\S+)$/m.exec(stderr)?.[1] ?? stderr, stdout }
}

async function attemptsOf(hub: HubProcess, code: string): Promise<readonly AttemptView[]> {
  return (await hub.json<PageView<AttemptView>>(['attempts', '--cause', code])).items
}

test('a policy from its file to sessions that live', needs('mosquitto_pub', 'mosquitto_sub', 'stdbuf'), async (t) => {
  const folder = temporaryFolder(t)
  const hub = await startHubProcess(t, { data: join(folder, 'data') })
  const file = (name: string, text: string): string => {
    const path = join(folder, name)
    writeFileSync(path, text)
    return path
  }
  const [wideFile, narrowFile] = [file('wide.yaml', wide), file('narrow.yaml', narrow)]
  const pump = await hub.enrolled('pump-7', join(folder, 'pump-7'))
  const other = await hub.enrolled('pump-8', join(folder, 'pump-8'))

  await t.test('is checked and tested without a hub', async () => {
    const bad = file('bad.yaml', wide.replace('allow: [connect]', 'alow: [connect]'))
    const { code, stdout } = await refusal(hub, ['policy', 'check', bad])
    assert.equal(code, 'policy-invalid')
    assert.match(stdout, /bad\.yaml:5:9 "alow" is not known in a statement; did you mean "allow"\?/)
    await hub.json(['policy', 'check', wideFile])
    const failing = file('failing.yaml', wide.replace('=> allow', '=> deny'))
    assert.match((await refusal(hub, ['policy', 'test', failing])).stdout, /should be denied and is allowed: role line/)
    assert.equal((await refusal(hub, ['policy', 'add', failing])).code, 'policy-test-failed')
    await hub.json(['policy', 'test', wideFile])
  })

  await t.test('is warned of what it grants, with a count where the hub is asked', async () => {
    const all = file(
      'all.yaml',
      wide.replace("'lines/${identity.group}/#'", "'#'").replace('{ group: [l3, l4] }', 'everyone'),
    )
    const warnings = async (...args: readonly string[]) =>
      (await hub.json<{ warnings: { rule: string; message: string }[] }>(['policy', 'check', all, ...args])).warnings
    assert.match((await warnings()).find(({ rule }) => rule === 'wide-grant')?.message ?? '', /on "#" to everyone$/)
    const counted = (await warnings('--registry')).find(({ rule }) => rule === 'wide-grant')
    assert.match(counted?.message ?? '', /on "#" to everyone \((\d+) identities\)$/)
  })

  await t.test('is made active, and an identity has what its group has', async () => {
    const { number } = await hub.json<PolicyView>(['policy', 'add', wideFile, '--note', 'lines'])
    assert.match(
      (await publish(hub, pump, 'mqttv5', ['-q', '1', '-t', 'lines/l3/x', '-m', 'x'])).stderr,
      /Not authorized/,
    )
    await hub.json(['policy', 'activate', String(number)])
    assert.match(
      (await publish(hub, pump, 'mqttv5', ['-q', '1', '-t', 'lines/l3/x', '-m', 'x'])).stderr,
      /Not authorized/,
    )
    for (const id of ['pump-7', 'pump-8']) await hub.json(['device', 'set', id, '--group', 'l3'])
    assert.equal((await publish(hub, pump, 'mqttv5', ['-q', '1', '-t', 'lines/l3/x', '-m', 'x'])).stderr, '')
    const asked = await hub.json<DecisionView>(['policy', 'explain', 'pump-7', 'publish', 'lines/l4/x'])
    assert.equal(asked.allowed, false)
  })

  await t.test('that takes a right away takes it from sessions that live, and disturbs no others', async () => {
    const loser = await subscriber(hub, pump, 'mqttv5', [
      '-i',
      'loser',
      '-q',
      '1',
      '-t',
      'lines/l3/#',
      '-t',
      'devices/pump-7/#',
      '-C',
      '1',
    ])
    const reader = await subscriber(hub, other, 'mqttv5', [
      '-i',
      'reader',
      '-q',
      '1',
      '-t',
      'lines/l3/open/#',
      '-C',
      '1',
    ])
    const { number } = await hub.json<PolicyView>(['policy', 'add', narrowFile])
    await hub.json(['policy', 'activate', String(number)])
    while ((await attemptsOf(hub, 'subscribe-denied')).length === 0)
      await new Promise((resolve) => setTimeout(resolve, 50))
    const [denied] = await attemptsOf(hub, 'subscribe-denied')
    assert.match(denied?.sentence ?? '', /"lines\/l3\/#" has ended/)
    assert.equal(denied?.deviceId, 'pump-7')

    assert.equal((await publish(hub, other, 'mqttv5', ['-q', '1', '-t', 'lines/l3/open/x', '-m', 'open'])).stderr, '')
    assert.match((await reader.finished).stdout, /^open$/m)
    await publish(hub, pump, 'mqttv5', ['-i', 'w', '-q', '1', '-t', 'devices/pump-7/own', '-m', 'own'])
    const { stdout } = await loser.finished
    assert.match(stdout, /^own$/m)
    assert.doesNotMatch(stdout, /^open$/m)
  })

  await t.test('is taken back', async () => {
    await hub.json(['policy', 'rollback'])
    assert.equal((await publish(hub, pump, 'mqttv5', ['-q', '1', '-t', 'lines/l3/x', '-m', 'x'])).stderr, '')
    assert.deepEqual(
      (await hub.json<PolicyView[]>(['policy', 'list'])).map(({ number, state }) => [number, state]),
      [
        [2, 'withdrawn'],
        [1, 'active'],
      ],
    )
    const { stdout } = await hub.cli(['policy', 'show'])
    assert.equal(stdout, wide)
    assert.match((await hub.cli(['policy', 'diff', narrowFile])).stdout, /^\+ .*open\/#'\]$/m)
  })
})
