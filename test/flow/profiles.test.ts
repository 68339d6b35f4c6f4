/** A profile of an operator's own, from a file of JSON to a device that is client and server with it. */
// one database: what it keeps of profiles are rows like others, which the contract suite holds on both
import assert from 'node:assert/strict'
import { X509Certificate } from 'node:crypto'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { test } from 'node:test'
import type { ProfileDefinitionView, ProfileView } from '../../src/api-schema/profiles.ts'
import type { BootstrapView, DeviceView } from '../../src/api-schema/views.ts'
import { deviceFiles, type HubProcess, startHubProcess } from '../support/hub-process.ts'
import { needs } from '../support/programs.ts'
import { run } from '../support/run.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'

const plc = {
  name: 'plc',
  description: 'controllers: TLS client and server',
  kinds: ['device'],
  names: { dns: { patterns: ['{id}.{attr.site}.plant.example'] } },
  keyUsage: ['digitalSignature', 'keyEncipherment'],
  extendedKeyUsage: ['clientAuth', 'serverAuth'],
  lifetimeSec: 864_000,
  keyTypes: ['RSA-2048'],
}

/** The code of a command that must fail. */
async function refusal(hub: HubProcess, args: readonly string[], input = ''): Promise<string> {
  const { status, stdout, stderr } = await hub.cli(args, { input })
  assert.notEqual(status, 0, `${args.join(' ')}\n${stdout}`)
  return /^ {2}code: HF-\d+ (\S+)$/m.exec(stderr)?.[1] ?? stderr
}

test('a device gets what its profile says, and nothing else', needs('openssl', 'mosquitto_pub'), async (t) => {
  const folder = temporaryFolder(t)
  const hub = await startHubProcess(t, { data: join(folder, 'data') })
  const device = deviceFiles('press-4', join(folder, 'press-4'))
  const file = join(folder, 'plc.json')
  writeFileSync(file, JSON.stringify(plc))

  await t.test('the profile is added from a file, and shown as one', async () => {
    assert.equal((await hub.json<ProfileView>(['profile', 'add', file])).version, 1)
    const shown = await hub.json<ProfileDefinitionView>(['profile', 'show', 'plc'])
    const copy = JSON.stringify({ ...shown, name: 'plc-2' })
    assert.deepEqual(
      (await hub.json<ProfileView>(['profile', 'add', '-'], { input: copy })).definition,
      JSON.parse(copy),
    )
    assert.equal(await refusal(hub, ['profile', 'add', file]), 'profile-exists')
  })

  const enrol = (bootstrap: string, ...options: string[]) => ['enrol', bootstrap, '--dir', device.folder, ...options]
  let bootstrap = ''

  await t.test('a device is granted it, and enrols with a key that it takes, once its names can be made', async () => {
    const granted = await hub.json<BootstrapView>(['device', 'add', 'press-4', '--profile', 'plc'])
    bootstrap = granted.bootstrap
    assert.deepEqual(granted.device.profiles, ['plc'])
    assert.equal(await refusal(hub, enrol(bootstrap, '--key-type', 'RSA-2048')), 'attribute-missing')
    await hub.json<DeviceView>(['device', 'set', 'press-4', '--attr', 'site=hall-2'])
    assert.equal(await refusal(hub, enrol(bootstrap, '--key-type', 'P-256')), 'csr-key-unacceptable')
    await hub.json(enrol(bootstrap, '--key-type', 'RSA-2048'))
    const certificate = new X509Certificate(readFileSync(device.cert))
    assert.equal(certificate.publicKey.asymmetricKeyDetails?.modulusLength, 2048)
    assert.equal(certificate.checkHost('press-4.hall-2.plant.example'), 'press-4.hall-2.plant.example')
  })

  await t.test('OpenSSL takes the certificate for both purposes, and the gate lets the device in', async () => {
    for (const purpose of ['sslclient', 'sslserver']) {
      const chain = ['-CAfile', device.ca, '-untrusted', device.cert, device.cert]
      assert.equal((await run('openssl', ['verify', '-x509_strict', '-purpose', purpose, ...chain])).status, 0, purpose)
    }
    const tls = ['--cafile', device.ca, '--cert', device.cert, '--key', device.key, '-h', 'localhost']
    const message = ['-i', 'press-4', '-q', '1', '-t', 'devices/press-4/messages/events/', '-m', 'hello']
    const { status, stderr } = await run('mosquitto_pub', [...tls, '-p', `${hub.mqtt.port}`, ...message])
    assert.equal(status, 0, stderr)
  })

  await t.test('what it has not been granted it does not reach, and what is in use stays', async () => {
    assert.equal(await refusal(hub, ['device', 'token', 'press-4', '--profile', 'device']), 'profile-not-granted')
    assert.equal(await refusal(hub, ['device', 'set', 'press-4', '--profile', 'root']), 'profile-not-granted')
    assert.equal(await refusal(hub, ['profile', 'remove', 'plc']), 'profile-in-use')
    await hub.json(['device', 'set', 'press-4', '--remove-profile', 'plc', '--profile', 'device'])
    assert.equal(await refusal(hub, ['profile', 'remove', 'plc']), 'profile-in-use')
    await hub.json(['revoke', 'press-4'])
    await hub.json(['profile', 'remove', 'plc'])
    assert.equal(await refusal(hub, ['profile', 'show', 'plc']), 'profile-not-found')
  })

  await t.test('the whole registry is consistent after all that', async () => {
    const { status, stdout, stderr } = await hub.cli(['check'])
    assert.equal(status, 0, stdout + stderr)
  })

  await t.test('and is not any more once somebody has changed a row behind its back', async () => {
    const registry = new DatabaseSync(join(hub.data, 'handfast.db'))
    registry.exec("update credentials set public_key_hash = '00'")
    registry.close()
    assert.equal(await refusal(hub, ['check']), 'registry-inconsistent')
  })
})
