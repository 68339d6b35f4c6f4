/** What other brokers and servers do, and files that a device cannot read: rows 16, 18, 21, 22, 33, 38, 40, 45, 48, 51 and 59. */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'
import { setTimeout as elapse } from 'node:timers/promises'
import type { FailureName } from '../../../../src/core/failure/catalogue.ts'
import { examineConfiguration } from '../../../../src/doctor/mosquitto/examine-configuration.ts'
import { localMachine } from '../../../../src/doctor/mosquitto/local-machine.ts'
import { runClient } from '../../../doctor/log/gather/clients.ts'
import { freePort } from '../../../support/free-port.ts'
import { startMosquittoBroker } from '../../../support/mosquitto-broker.ts'
import { programPath } from '../../../support/programs.ts'
import { run } from '../../../support/run.ts'
import type { Bed } from '../bed.ts'
import type { Row } from '../row.ts'

let brokers = 0

async function mosquitto(
  bed: Bed,
  lines: readonly string[],
): Promise<{ port: number; output(): string; configuration: string }> {
  brokers += 1
  const folder = join(bed.place.pki, `broker-${brokers}`)
  mkdirSync(folder)
  const broker = await startMosquittoBroker(bed.context, folder, lines)
  return { ...broker, configuration: join(folder, 'mosquitto.conf') }
}

function tlsOf(bed: Bed): readonly string[] {
  return [`cafile ${bed.at('root.pem')}`, `certfile ${bed.at('server.pem')}`, `keyfile ${bed.at('server.key')}`]
}

/** The doctor names the failure in a configuration of Mosquitto. */
function assertFound(configuration: string, code: FailureName): void {
  const { findings } = examineConfiguration(configuration, localMachine(Math.floor(Date.now() / 1_000)))
  const codes = findings.map((each) => each.code)
  assert.ok(codes.includes(code), `${code} is not among ${codes.join(', ')}`)
}

function plant(bed: Bed, device: string) {
  return { ca: bed.at('root.pem'), cert: bed.at(`${device}.pem`), key: bed.at(`${device}.key`) }
}

export const rows: readonly Row[] = [
  {
    number: 16,
    title: 'the library of the device refuses its own certificate, which is signed with SHA-1',
    run: async (bed) => bed.says(await bed.dial('openssl', plant(bed, 'device-sha1')), 'certificate-hash-weak'),
  },
  {
    number: 18,
    title: 'the library of the device refuses its own key, which is too short',
    run: async (bed) => bed.says(await bed.dial('openssl', plant(bed, 'device-rsa1024')), 'certificate-key-weak'),
  },
  {
    number: 21,
    title: 'a broker takes the user from the common name, and the certificate has none',
    async run(bed) {
      const broker = await mosquitto(bed, [...tlsOf(bed), 'require_certificate true', 'use_identity_as_username true'])
      const said = await bed.dial('mosquitto', { port: broker.port, ...plant(bed, 'device-without-name') })
      bed.says(said, 'certificate-name-missing')
      bed.says(broker.output(), 'certificate-name-missing')
    },
  },
  {
    number: 22,
    title: 'a broker takes the user from certificates and does not ask for one',
    async run(bed) {
      const broker = await mosquitto(bed, [...tlsOf(bed), 'use_identity_as_username true'])
      const { ca } = plant(bed, 'device')
      const said = await bed.dial('mosquitto', { port: broker.port, ca, cert: '', key: '' })
      bed.says(said, 'certificate-missing')
      bed.says(broker.output(), 'certificate-missing')
      assertFound(broker.configuration, 'mosquitto-certificate-not-requested')
    },
  },
  {
    number: 59,
    title: 'the broker may not read its key once it has become another user',
    needs: 'root',
    async run(bed) {
      const folder = join(bed.place.pki, 'unreadable')
      mkdirSync(folder)
      const configuration = join(folder, 'mosquitto.conf')
      const port = await freePort()
      writeFileSync(configuration, [`listener ${port} 127.0.0.1`, ...tlsOf(bed), ''].join('\n'))
      const { status, stderr } = await run(programPath('mosquitto') ?? 'mosquitto', ['-c', configuration])
      assert.notEqual(status, 0)
      bed.says(stderr, 'client-file-unopened')
      assertFound(configuration, 'mosquitto-file-unreadable-by-broker')
    },
  },
  {
    number: 38,
    title: 'the key is encrypted, and the device has no passphrase (mbedTLS)',
    needs: 'mbedtls',
    async run(bed) {
      const { ca } = bed.hub
      const args = [
        'localhost',
        String(bed.hub.mqtt.port),
        ca,
        bed.at('device.pem'),
        bed.at('encrypted.key'),
        '',
        'localhost',
      ]
      bed.says(await runClient([join(bed.place.built, 'mbed'), ...args], null), 'device-key-passphrase-missing')
    },
  },
  {
    number: 40,
    title: 'the list of revocations on the device has ended',
    async run(bed) {
      const { port } = await server(bed, [])
      const own = ['-CAfile', bed.at('root.pem'), '-CRL', bed.at('crl-old.pem'), '-crl_check', '-verify_return_error']
      bed.says(
        await runClient(['openssl', 's_client', '-connect', `localhost:${port}`, ...own], null),
        'device-crl-unfit',
      )
    },
  },
  {
    number: 45,
    title: 'the server has no certificate for the name that the device asks for',
    async run(bed) {
      const { port } = await server(bed, [
        '-servername',
        'broker.plant.example',
        '-servername_fatal',
        '-cert2',
        bed.at('server.pem'),
        '-key2',
        bed.at('server.key'),
      ])
      const own = ['-connect', `localhost:${port}`, '-CAfile', bed.at('root.pem'), '-servername', 'plant.example']
      bed.says(await runClient(['openssl', 's_client', ...own], null), 'tls-name-unrecognised')
    },
  },
  {
    number: 48,
    title: 'the device speaks TLS on a port without',
    async run(bed) {
      const broker = await mosquitto(bed, ['allow_anonymous true'])
      const before = broker.output().length
      const said = await bed.dial('openssl', { port: broker.port })
      bed.says(said, 'port-speaks-plain-mqtt')
      bed.says(broker.output().slice(before), 'port-speaks-plain-mqtt')
    },
  },
]

/** openssl s_server, for as long as the test lasts. */
async function server(bed: Bed, more: readonly string[]): Promise<{ port: number }> {
  const port = await freePort()
  const own = ['-accept', `${port}`, '-cert', bed.at('server.pem'), '-key', bed.at('server.key'), '-quiet']
  const child = spawn('openssl', ['s_server', ...own, ...more], { stdio: ['pipe', 'ignore', 'ignore'] })
  const ended = once(child, 'exit')
  bed.context.after(async () => {
    child.kill('SIGKILL')
    await ended
  })
  while (!(await accepts(port))) await elapse(20, undefined, { signal: bed.context.signal })
  return { port }
}

function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ port, host: '127.0.0.1' }, () => {
      socket.destroy()
      resolve(true)
    })
    socket.once('error', () => resolve(false))
  })
}
