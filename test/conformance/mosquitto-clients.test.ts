/** Debian's `mosquitto_pub` and `mosquitto_sub` against a real hub, in both versions of MQTT. */
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import type { AttemptView, PageView } from '../../src/api-schema/views.ts'
import { type HubProcess, startHubProcess } from '../support/hub-process.ts'
import { needs } from '../support/programs.ts'
import { run } from '../support/run.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'
import { clientArguments, publish, subscribe, subscriber } from './mosquitto.ts'

const reasons = {
  mqttv311: { denied: '128', refused: 'Connection Refused: not authorised', connack: '5' },
  mqttv5: { denied: '135', refused: 'Not authorized', connack: '135' },
} as const

for (const version of ['mqttv311', 'mqttv5'] as const) {
  test(`Mosquitto clients with -V ${version}`, needs('mosquitto_pub', 'mosquitto_sub', 'stdbuf'), async (t) => {
    const folder = temporaryFolder(t)
    const hub = await startHubProcess(t, { data: join(folder, 'data') })
    const pump = await hub.enrolled('pump-7', join(folder, 'pump-7'))

    await t.test('a message of each QoS arrives with that QoS', async () => {
      const topics = ['-q', '2', '-t', 'devices/pump-7/#', '-C', '3', '-F', 'got %t %q %p']
      const reader = await subscriber(hub, pump, version, topics)
      for (const qos of ['0', '1', '2']) {
        const message = ['-i', 'writer', '-t', 'devices/pump-7/messages/events/', '-q', qos, '-m', `m${qos}`]
        assertWorked(await publish(hub, pump, version, message))
      }
      const { status, stdout } = await reader.finished
      assert.equal(status, 0)
      assert.deepEqual(
        stdout.split('\n').filter((line) => line.startsWith('got ')),
        ['0', '1', '2'].map((qos) => `got devices/pump-7/messages/events/ ${qos} m${qos}`),
      )
    })

    await t.test('a retained message waits for whoever subscribes later, and an empty one takes it away', async () => {
      const topic = ['-t', 'devices/pump-7/state']
      assertWorked(await publish(hub, pump, version, [...topic, '-q', '1', '-r', '-m', 'on']))
      const first = await subscribe(hub, pump, version, [...topic, '-C', '1', '-W', '10', '-F', '%r %p'])
      assert.equal(first.stdout, '1 on\n')
      assertWorked(await publish(hub, pump, version, [...topic, '-q', '1', '-r', '-n']))
      const second = ['-t', 'devices/pump-7/state', '-t', 'devices/pump-7/other', '-C', '1', '-W', '10', '-F', '%t']
      assertWorked(await publish(hub, pump, version, ['-t', 'devices/pump-7/other', '-q', '1', '-r', '-m', 'x']))
      assert.equal((await subscribe(hub, pump, version, second)).stdout, 'devices/pump-7/other\n')
    })

    await t.test('what came while a session was away is delivered when it comes back', async () => {
      const expiry = version === 'mqttv5' ? ['-x', '300'] : []
      const session = ['-i', 'away', '-c', ...expiry, '-q', '1', '-t', 'devices/pump-7/cmd']
      assertWorked(await subscribe(hub, pump, version, [...session, '-E']))
      assertWorked(await publish(hub, pump, version, ['-t', 'devices/pump-7/cmd', '-q', '1', '-m', 'later']))
      assert.equal((await subscribe(hub, pump, version, [...session, '-C', '1', '-W', '10'])).stdout, 'later\n')
    })

    await t.test('a will arrives when its client is killed', async () => {
      const reader = await subscriber(hub, pump, version, ['-q', '1', '-t', 'devices/pump-7/will', '-C', '1'])
      const will = ['--will-topic', 'devices/pump-7/will', '--will-payload', 'gone', '--will-qos', '1']
      const victim = await subscriber(hub, pump, version, ['-i', 'victim', '-t', 'devices/pump-7/x', ...will])
      victim.kill()
      assert.match((await reader.finished).stdout, /^gone$/m)
      await victim.finished
    })

    await t.test('a will outside its own topics is refused at the connection', async () => {
      const will = ['--will-topic', 'devices/other/will', '--will-payload', 'x']
      const denied = await subscribe(hub, pump, version, ['-t', 'devices/pump-7/x', '-W', '10', ...will])
      assert.match(denied.stderr, new RegExp(reasons[version].refused))
      assert.equal((await lastAttempt(hub)).code, 'will-denied')
    })

    for (const filter of ['devices/other/#', '#', 'devices/+/messages', '$SYS/#', '$SYS/broker/version']) {
      await t.test(`a subscription to ${filter} is denied in the SUBACK`, async () => {
        const { stdout, stderr } = await subscribe(hub, pump, version, ['-t', filter, '-q', '1', '-d', '-W', '10'])
        assert.match(stdout, new RegExp(`Subscribed \\(mid: 1\\): ${reasons[version].denied}\n`))
        assert.match(stderr, /All subscription requests were denied/)
        assert.equal((await lastAttempt(hub)).code, 'subscribe-denied')
      })
    }

    await t.test('beside a filter that is denied, one of its own is granted', async () => {
      const filters = ['-t', 'devices/other/x', '-t', 'devices/pump-7/x', '-q', '1']
      const reader = await subscriber(hub, pump, version, [...filters, '-C', '1'])
      assertWorked(await publish(hub, pump, version, ['-t', 'devices/pump-7/x', '-q', '1', '-m', 'mine']))
      const { stdout } = await reader.finished
      assert.match(stdout, new RegExp(`Subscribed \\(mid: 1\\): ${reasons[version].denied}, 1\n`))
      assert.match(stdout, /^mine$/m)
    })

    await t.test('a message to the topic of another is refused', async () => {
      const denied = await publish(hub, pump, version, ['-t', 'devices/other/x', '-q', '1', '-m', 'x'])
      if (version === 'mqttv5') {
        assert.match(denied.stderr, /Publish 1 failed: Not authorized/)
        assert.match(denied.stdout + denied.stderr, /HF-4101 .*devices\/other\/x/)
      } else {
        assert.match(denied.stderr, /The connection was lost/)
      }
      const attempt = await lastAttempt(hub)
      assert.equal(attempt.code, 'publish-denied')
      assert.match(attempt.sentence, /devices\/other\/x/)
    })

    await t.test('a client with the CA of somebody else does not accept the hub, and the attempt says so', async () => {
      const ca = await foreignAuthority(folder)
      const own = clientArguments(hub, pump, version)
      const { status, stderr } = await run('mosquitto_pub', [...own, '--cafile', ca, '-t', 'devices/pump-7/x', '-n'])
      assert.notEqual(status, 0)
      assert.match(stderr, /A TLS error occurred/)
      assert.equal((await lastAttempt(hub)).code, 'hub-untrusted')
    })

    await t.test('a client without a certificate is refused', async () => {
      const { status, stderr } = await publish(hub, null, version, ['-t', 'devices/pump-7/x', '-m', 'x'])
      assert.match(stderr, new RegExp(reasons[version].refused))
      assert.equal(status, Number(reasons[version].connack))
      assert.equal((await lastAttempt(hub)).code, 'certificate-missing')
    })

    await t.test('revoking a device ends its running client, and its next try is refused', async () => {
      const victim = await hub.enrolled('pump-8', join(folder, 'pump-8'))
      const running = await subscriber(hub, victim, version, ['-i', 'long', '-t', 'devices/pump-8/#'])
      await hub.json(['revoke', 'pump-8', '--reason', 'keyCompromise'])
      // MQTT 5 says goodbye with a reason and the client ends; a client of 3.1.1 tries again by itself and is refused.
      const { stdout, stderr } = await running.finished
      if (version === 'mqttv5') assert.match(stdout + stderr, /DISCONNECT \(135\)/)
      else assert.match(stderr, /Connection Refused: not authorised/)

      const next = await publish(hub, victim, version, ['-t', 'devices/pump-8/x', '-m', 'x', '-d'])
      assert.match(next.stderr, new RegExp(reasons[version].refused))
      assert.match(next.stdout, new RegExp(`received CONNACK \\(${reasons[version].connack}\\)`))
      const attempt = await lastAttempt(hub)
      assert.equal(attempt.code, 'certificate-revoked')
      assert.match(attempt.sentence, /pump-8 was revoked at .* \(keyCompromise\)/)
      assert.equal(attempt.mqttVersion, version === 'mqttv5' ? '5' : '3.1.1')
    })

    await t.test('a client without an id is given one, in which the identity does not show', async () => {
      const { stdout } = await publish(hub, pump, version, ['-t', 'devices/pump-7/x', '-q', '1', '-m', 'x', '-d'])
      assert.match(stdout, /^Client \(null\) sending CONNECT$/m)
      const [, id] = /^Client (\S+) sending PUBLISH/m.exec(stdout) ?? []
      assert.match(id ?? '', version === 'mqttv5' ? /^[A-Za-z0-9]{8,}$/ : /^\(null\)$/)
    })
  })
}

test(
  'Mosquitto clients with -V mqttv31 are served as those of MQTT 3.1.1',
  needs('mosquitto_pub', 'stdbuf'),
  async (t) => {
    const folder = temporaryFolder(t)
    const hub = await startHubProcess(t, { data: join(folder, 'data') })
    const pump = await hub.enrolled('pump-7', join(folder, 'pump-7'))
    const old = clientArguments(hub, pump, 'mqttv31')
    const reader = await subscriber(hub, pump, 'mqttv31', [
      '-i',
      'reader',
      '-q',
      '2',
      '-t',
      'devices/pump-7/#',
      '-C',
      '1',
    ])
    assertWorked(await run('mosquitto_pub', [...old, '-t', 'devices/pump-7/x', '-q', '2', '-m', 'old', '-i', 'writer']))
    assert.match((await reader.finished).stdout, /^old$/m)
    assert.equal((await lastAttempt(hub)).mqttVersion, '3.1')
  },
)

function assertWorked({ status, stdout, stderr }: { status: number | null; stdout: string; stderr: string }): void {
  assert.equal(status, 0, `${stdout}\n${stderr}`)
  assert.equal(stderr, '')
}

async function lastAttempt(hub: HubProcess): Promise<AttemptView> {
  const { items } = await hub.json<PageView<AttemptView>>(['attempts', '--limit', '1'])
  const [attempt] = items
  assert.ok(attempt !== undefined, 'there is no attempt')
  return attempt
}

async function foreignAuthority(folder: string): Promise<string> {
  const [cert, key] = [join(folder, 'foreign.pem'), join(folder, 'foreign.key')]
  const make = ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-subj', '/CN=Other']
  assert.equal((await run('openssl', [...make, '-keyout', key, '-out', cert])).status, 0)
  return cert
}
