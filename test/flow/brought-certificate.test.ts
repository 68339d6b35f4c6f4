/** A hub whose operator brings a server certificate for other names than those that devices use. */
// one database: none holds a certificate that is brought
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { connect } from 'node:tls'
import { type HubProcess, startHubProcess } from '../support/hub-process.ts'
import { clientOptions, connected } from '../support/mqtt-client.ts'
import { needs } from '../support/programs.ts'
import { publicAuthority } from '../support/public-authority.ts'
import { run } from '../support/run.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'

/** The common name of the issuer that a listener shows; the chain is verified to that CA and for that name. */
function issuerShown(port: number, servername: string, ca: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: '127.0.0.1', port, servername, ca: readFileSync(ca, 'utf8') }, () => {
      const { issuer } = socket.getPeerCertificate()
      socket.destroy()
      resolve(String(issuer.CN))
    })
    socket.on('error', reject)
  })
}

function listeners({ mqtt, https, api }: HubProcess): readonly number[] {
  assert.ok(api !== null)
  return [mqtt.port, https.port, api.port]
}

test(
  'each client sees the certificate of the name that it asks for, and devices enrol as before',
  needs('openssl'),
  async (t) => {
    const folder = temporaryFolder(t)
    const authority = await publicAuthority(folder)
    const pair = await authority.issue('web', { san: 'DNS:api.plant.example,DNS:*.web.example' })
    const hub = await startHubProcess(t, {
      data: join(folder, 'data'),
      args: ['--tls-cert', pair.certificate, '--tls-key', pair.key, '--api-listen', '127.0.0.1:0'],
    })
    for (const port of listeners(hub)) {
      assert.equal(await issuerShown(port, 'api.plant.example', authority.root), 'Public Root')
      assert.equal(await issuerShown(port, 'shop.web.example', authority.root), 'Public Root')
      assert.match(await issuerShown(port, 'localhost', hub.ca), /issuing/i)
    }

    // The device pins the root of the hub: its chain must be what the public name shows.
    const pump = await hub.enrolled('pump-7', join(folder, 'pump-7'))
    const client = await connected(clientOptions(hub.mqtt.port, pump, 5))
    await client.endAsync()

    // A device that trusts the public authority comes in under the other name, with the certificate that this hub gave it.
    const other = await connected({
      ...clientOptions(hub.mqtt.port, pump, 5),
      ca: readFileSync(authority.root),
      servername: 'api.plant.example',
    })
    await other.endAsync()
    assert.equal(await hub.stop(), 0)
  },
)

test('a certificate that does not serve is refused at the start, with what to do', needs('openssl'), async (t) => {
  const folder = temporaryFolder(t)
  const authority = await publicAuthority(folder)
  const first = await authority.issue('first', { san: 'DNS:api.plant.example' })
  const second = await authority.issue('second', { san: 'DNS:api.plant.example' })
  const launcher = join(import.meta.dirname, '../../bin/handfast.js')
  const up = (...args: readonly string[]) =>
    run(process.execPath, [
      ...[launcher, 'up', '--data', join(folder, 'data'), '--host', '127.0.0.1', '--public-name', 'localhost'],
      ...['--mqtt-port', '0', '--https-port', '0', '--http-port', '0', ...args],
    ])
  const mixed = await up('--tls-cert', first.certificate, '--tls-key', second.key)
  assert.equal(mixed.status, 7)
  assert.match(mixed.stderr, /its key belongs to another certificate/)
  assert.match(mixed.stderr, /HF-3441/)
  const half = await up('--tls-cert', first.certificate)
  assert.equal(half.status, 2)
  assert.match(half.stderr, /--tls-cert: tls-key is missing beside it/)
})
