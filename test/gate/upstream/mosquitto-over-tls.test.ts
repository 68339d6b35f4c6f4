/** A Mosquitto of the operator's behind the gate, over TLS with a login and a client certificate. */
import assert from 'node:assert/strict'
import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { setTimeout as elapse } from 'node:timers/promises'
import { startUpstream } from '../../../src/compose/upstream.ts'
import type { BrokerSettings } from '../../../src/core/upstream/broker-settings.ts'
import { UpstreamClient } from '../../contract/upstream-client.ts'
import { freePort } from '../../support/free-port.ts'
import { needs, programPath } from '../../support/programs.ts'
import { pump, serverCertificate, stranger } from '../certificates.ts'

const password = 'the secret of the gate'

describe('a Mosquitto of the operator over TLS', { ...needs('mosquitto', 'mosquitto_passwd'), timeout: 60_000 }, () => {
  const folder = mkdtempSync(join(tmpdir(), 'hf-mosquitto-'))
  const file = (name: string) => join(folder, name)
  let broker: ChildProcess
  let port = 0

  before(async ({ signal }) => {
    port = await freePort()
    for (const [name, text] of [
      ['server.pem', serverCertificate.cert],
      ['server.key', serverCertificate.key],
      ['gate.pem', pump.cert],
      ['gate.key', pump.key],
      ['stranger.pem', stranger.cert],
      ['login', `gate\n${password}\n`],
      ['wrong-login', 'gate\nsomething else\n'],
      ['passwords', ''],
    ] as const) {
      writeFileSync(file(name), text, { mode: 0o600 })
    }
    execFileSync(programPath('mosquitto_passwd') ?? '', ['-b', file('passwords'), 'gate', password])
    const settings = [
      `listener ${port} 127.0.0.1`,
      ...['allow_anonymous false', `password_file ${file('passwords')}`],
      ...[`certfile ${file('server.pem')}`, `keyfile ${file('server.key')}`, `cafile ${file('gate.pem')}`],
      // Else, started by root, it would read its files as a user that may not.
      ...['require_certificate true', 'user root'],
    ]
    writeFileSync(file('mosquitto.conf'), settings.join('\n'))
    chmodSync(file('passwords'), 0o600)
    broker = spawn(programPath('mosquitto') ?? '', ['-c', file('mosquitto.conf')], { stdio: 'ignore' })
    while (!(await isOpen(port))) await elapse(20, undefined, { signal })
  })

  after(async () => {
    if (broker.exitCode === null && broker.signalCode === null) {
      broker.kill('SIGKILL')
      await once(broker, 'exit')
    }
    rmSync(folder, { recursive: true })
  })

  /** What the operator says of the broker, and what came of it. */
  async function reached(change: Partial<BrokerSettings>) {
    const said: string[] = []
    const note = (_what: string, fields?: object) => void said.push(JSON.stringify(fields ?? {}))
    const settings: BrokerSettings = {
      choice: [{ transport: 'tls', host: 'localhost', port }],
      ...{ loginFile: file('login'), caFile: file('server.pem'), clientIds: 'prefixed' },
      tls: { certificate: file('gate.pem'), key: file('gate.key') },
      ...change,
    }
    const { upstream } = await startUpstream(settings, folder, { debug: note, info: note, warn: note, error: note })
    after(() => upstream.stop())
    return { upstream, said: said.join('\n') }
  }

  test('serves clients of the gate, whose own words about who they are it does not hear', async () => {
    const { upstream, said } = await reached({})
    assert.equal(upstream.isAvailable(), true)
    assert.deepEqual([...upstream.abilities.protocolVersions], [4, 5])
    assert.doesNotMatch(said, /secret/)
    const reader = new UpstreamClient(upstream, 5)
    assert.equal((await reader.connect({ clientId: 'reader' })).reasonCode, 0)
    await reader.subscribe('over/tls', 1)
    const writer = new UpstreamClient(upstream, 4)
    // Its login is not one that this broker knows.
    const fields = { clientId: 'writer', username: 'pump-7', password: Buffer.from('of a device') }
    assert.equal((await writer.connect(fields)).returnCode, 0)
    await writer.publish('over/tls', 'x', { qos: 1 })
    assert.equal((await reader.receive()).payload.toString(), 'x')
  })

  for (const [what, change, why] of [
    ['refuses the gate with a wrong password', { loginFile: file('wrong-login') }, /refused the gate with code 0x/],
    ['refuses the gate without a login', { loginFile: null }, /refused the gate with code 0x/],
    [
      'refuses the gate without a client certificate',
      { tls: null },
      /the broker closed|CERTIFICATE_REQUIRED|ECONNRESET/,
    ],
    ['is refused by the gate with a certificate of an unknown authority', { caFile: file('stranger.pem') }, /CERT/],
    [
      'is refused by the gate under a name that its certificate does not have',
      { choice: '127.0.0.1' },
      /ERR_TLS_CERT_ALTNAME_INVALID/,
    ],
  ] as const) {
    test(what, async () => {
      const settings: Partial<BrokerSettings> =
        'choice' in change ? { choice: [{ transport: 'tls', host: change.choice, port }] } : change
      const { upstream, said } = await reached(settings)
      assert.equal(upstream.isAvailable(), false)
      assert.match(said, why)
      assert.doesNotMatch(said, /secret|something else/)
    })
  }
})

function isOpen(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host: '127.0.0.1', port })
    socket.once('connect', () => {
      socket.destroy()
      resolve(true)
    })
    socket.once('error', () => resolve(false))
  })
}
