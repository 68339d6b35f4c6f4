/**
 * Gathers lines that real programs print when a device does not get in, with the true cause of each:
 *
 *     node test/doctor/log/gather/gather.ts [words of a scenario]
 *
 * It needs what it drives (Debian: mosquitto, mosquitto-clients, gnutls-bin, curl, python3-paho-mqtt, libmbedtls-dev, libwolfssl-dev,
 * libpaho-mqtt-dev, default-jdk, faketime; Go; PyPI: paho-mqtt and awscrt in a Python that HANDFAST_GATHER_PYTHON names) and takes some minutes. What it writes is kept in `test/doctor/log/lines`, so that tests need none of it.
 */
import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { clients, runClient } from './clients.ts'
import { Harvest } from './harvest.ts'
import { connackScenes, wrongProtocolScenes } from './other-scenes.ts'
import { makePki } from './pki.ts'
import { type Scenario, scenarios } from './scenarios.ts'
import { type Place, serverNames, startServer } from './servers.ts'

const wanted = process.argv.slice(2).join(' ')
const folder = mkdtempSync(join(tmpdir(), 'hf-lines-'))
const place: Place = {
  pki: join(folder, 'pki'),
  built: join(folder, 'built'),
  programs: join(import.meta.dirname, 'programs'),
}
const harvest = new Harvest(join(import.meta.dirname, '../lines'))
try {
  mkdirSync(place.built)
  build()
  makePki(place.pki)
  makePfx()
  for (const scenario of scenarios.filter(({ name }) => name.includes(wanted))) await enact(scenario)
  if (wanted === '' || wanted === 'other') {
    await wrongProtocolScenes(place, harvest)
    await connackScenes(place, harvest)
  }
  harvest.write()
} finally {
  rmSync(folder, { recursive: true, force: true })
}

function build(): void {
  const c = (name: string, out: string, ...libraries: string[]) =>
    execFileSync('cc', ['-o', join(place.built, out), join(place.programs, name), ...libraries])
  c('mbedtls-client.c', 'mbed', '-lmbedtls', '-lmbedx509', '-lmbedcrypto')
  c('wolfssl-client.c', 'wolf', '-lwolfssl')
  c('paho-client.c', 'paho', '-lpaho-mqtt3cs', '-lssl', '-lcrypto')
  for (const [source, out] of [
    ['client.go', 'gocli'],
    ['server.go', 'gosrv'],
  ] as const) {
    execFileSync('go', ['build', '-o', join(place.built, out), join(place.programs, source)])
  }
  execFileSync('javac', ['-d', place.built, join(place.programs, 'TlsClient.java')])
}

function makePfx(): void {
  for (const file of readdirSync(place.pki).filter((name) => name.startsWith('device') && name.endsWith('.pem'))) {
    const name = file.slice(0, -4)
    const inputs = ['-in', file, '-inkey', `${name}.key`]
    execFileSync('openssl', ['pkcs12', '-export', ...inputs, '-passout', 'pass:changeit', '-out', `${name}.p12`], {
      cwd: place.pki,
    })
  }
}

/** Everything that one scenario makes, with every server, client and version that can. */
async function enact(scenario: Scenario): Promise<void> {
  process.stderr.write(`${scenario.name}\n`)
  for (const [version, held] of scenario.versions ??
    ([
      ['1.2', ''],
      ['1.3', ''],
    ] as const)) {
    for (const name of serverNames) {
      const server = await startServer(name, scenario, version, place)
      if (server === null) continue
      // Every client meets Mosquitto; the other servers, whose clients hear the same, meet three.
      const some =
        name === 'mosquitto' || (scenario.alpn !== undefined && name === 'openssl') ? clients : clients.slice(0, 3)
      const able = some.filter(
        ({ isModern, offersAlpn }) =>
          (version === '1.2' || isModern !== false) && (scenario.alpn === undefined || offersAlpn === true),
      )
      // s_server serves one at a time.
      const atOnce = name === 'openssl' ? 1 : 3
      for (let start = 0; start < able.length; start += atOnce) {
        await Promise.all(
          able.slice(start, start + atOnce).map(async (client) => {
            const command = client.command(dial(scenario, server.port, held), place)
            if (command !== null)
              harvest.take(client.by, 'client', scenario, await runClient(command, scenario.day ?? null))
          }),
        )
      }
      harvest.take(server.by, 'server', scenario, await server.stop())
    }
  }
}

function dial(scenario: Scenario, port: number, version: '' | '1.2') {
  const at = (file: string) => join(place.pki, file)
  const device = scenario.device === undefined ? 'device' : scenario.device
  return {
    host: 'localhost',
    port,
    ca: at(`${scenario.trusts ?? 'root'}.pem`),
    cert: device === null ? '' : at(`${scenario.certificate ?? device}.pem`),
    key: device === null ? '' : at(`${scenario.key ?? device}.key`),
    version,
    name: 'localhost',
    alpn: scenario.clientAlpn ?? '',
    isSpoilt: scenario.certificate !== undefined || scenario.key !== undefined,
    day: scenario.day ?? null,
  }
}
