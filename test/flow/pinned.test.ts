/** A device with a certificate that it made itself, by the commands that vendors print, at a real hub. */
// one database: what it keeps of pins are rows like others, which the contract suite holds on both
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import type { PinView } from '../../src/api-schema/pins.ts'
import type { AttemptView, BootstrapView, PageView } from '../../src/api-schema/views.ts'
import { publish, subscriber } from '../conformance/mosquitto.ts'
import { type DeviceFiles, startHubProcess } from '../support/hub-process.ts'
import { needs } from '../support/programs.ts'
import { run } from '../support/run.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'

/** As Meadow's manual has it: no extensions, 30 days, signed with its own key. */
async function madeByOpenSsl(folder: string, name: string, ca: string): Promise<DeviceFiles> {
  const [key, csr, cert] = ['key', 'csr', 'cert'].map((kind) => join(folder, `${name}.${kind}.pem`)) as [
    string,
    string,
    string,
  ]
  const commands = [
    ['genpkey', '-algorithm', 'RSA', '-out', key],
    ['req', '-new', '-key', key, '-out', csr, '-subj', `/CN=${name}`],
    ['x509', '-req', '-in', csr, '-signkey', key, '-out', cert],
  ]
  for (const command of commands) assert.equal((await run('openssl', command)).status, 0, command.join(' '))
  return { folder, key, cert, ca } as DeviceFiles
}

test('a device with a certificate of its own making', needs('openssl', 'mosquitto_pub', 'stdbuf'), async (t) => {
  const folder = temporaryFolder(t)
  const hub = await startHubProcess(t, { data: join(folder, 'data') })
  const [first, second] = [
    await madeByOpenSsl(folder, 'meadow-1', hub.ca),
    await madeByOpenSsl(folder, 'second', hub.ca),
  ]
  await hub.json<BootstrapView>(['device', 'add', 'meadow-1'])
  const message = ['-i', 'm', '-q', '1', '-t', 'devices/meadow-1/messages/events/', '-m', 'hello']

  await t.test('is a stranger until it is pinned', async () => {
    assert.match((await publish(hub, first, 'mqttv5', message)).stderr, /Not authorized/)
    const [attempt] = (await hub.json<PageView<AttemptView>>(['attempts', '--limit', '1'])).items
    assert.equal(attempt?.code, 'certificate-self-signed')
  })

  await t.test('is let in by its thumbprint, and has what its identity has', async () => {
    const pin = await hub.json<PinView>(['pin', 'add', 'meadow-1', first.cert])
    const { stdout } = await run('openssl', ['x509', '-in', first.cert, '-noout', '-fingerprint', '-sha256'])
    assert.equal(stdout.trim().split('=')[1]?.replaceAll(':', '').toLowerCase(), pin.fingerprint)
    assert.equal((await publish(hub, first, 'mqttv311', message)).stderr, '')
    assert.match(
      (await publish(hub, first, 'mqttv5', ['-q', '1', '-t', 'devices/other/x', '-m', 'x'])).stderr,
      /Not authorized/,
    )
  })

  await t.test('changes to another one without a gap, and the first closes at once', async () => {
    await hub.json(['pin', 'add', 'meadow-1', second.cert, '--slot', 'secondary', '--ignore-dates'])
    const live = await subscriber(hub, first, 'mqttv5', ['-i', 'live', '-t', 'devices/meadow-1/#'])
    assert.equal((await publish(hub, second, 'mqttv5', message)).stderr, '')
    await hub.json(['pin', 'remove', 'meadow-1', 'primary'])
    await live.finished
    assert.match((await publish(hub, first, 'mqttv5', message)).stderr, /Not authorized/)
    assert.equal((await publish(hub, second, 'mqttv5', message)).stderr, '')
  })

  await t.test('is told what is wrong with a file that is none', async () => {
    const { status, stderr } = await hub.cli(['pin', 'add', 'meadow-1', first.key])
    assert.notEqual(status, 0)
    assert.match(stderr, /holds a key and no certificate/)
  })
})
