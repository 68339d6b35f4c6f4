/**
 * A hub that real programs fail to get into: its own devices, and those of the authority `plant`, whose certificates OpenSSL makes with
 * every fault there is. What a program prints is kept; what the hub makes of the same try is its newest attempt.
 */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { setTimeout as elapse } from 'node:timers/promises'
import type { AttemptView, PageView } from '../../../src/api-schema/views.ts'
import { openHub } from '../../../src/cli/api-client.ts'
import { type FailureName, isFailureName, toldToClient } from '../../../src/core/failure/catalogue.ts'
import { examineLogText } from '../../../src/doctor/log/examine-log.ts'
import { clients, type Dial, runClient } from '../../doctor/log/gather/clients.ts'
import { makePki } from '../../doctor/log/gather/pki.ts'
import type { Place } from '../../doctor/log/gather/servers.ts'
import { freePort } from '../../support/free-port.ts'
import { type DeviceFiles, type HubProcess, startHubProcess } from '../../support/hub-process.ts'
import { temporaryFolder } from '../../support/temporary-folder.ts'

const policy = `
identify:
  - name: plant-devices
    anchors: [plant]
    from: cn
    match: '(?<id>device[a-z0-9-]{0,40})'
    identity: '\${id}'
    onUnknown: create
bindings:
  - roles: [own-topics]
    to: everyone
  - roles: [fixed]
    to: { group: fixed }
roles:
  fixed:
    limits:
      clientId: '\${identity.id}'
`

/** Programs by the names that their lines are kept under. */
export type ClientName =
  | 'openssl'
  | 'mosquitto'
  | 'curl'
  | 'gnutls'
  | 'python'
  | 'paho-python'
  | 'node'
  | 'mbedtls'
  | 'wolfssl'
  | 'paho-c'

const places: Readonly<Record<ClientName, RegExp>> = {
  openssl: /^openssl/,
  mosquitto: /^mosquitto/,
  curl: /^curl/,
  gnutls: /^gnutls/,
  python: /^Python/,
  'paho-python': /^Paho for Python/,
  node: /^MQTT\.js/,
  mbedtls: /^mbedTLS/,
  wolfssl: /^wolfSSL/,
  'paho-c': /^Paho for C/,
}

const sources: Readonly<
  Partial<Record<ClientName, readonly [source: string, out: string, header: string, ...libraries: string[]]>>
> = {
  mbedtls: ['mbedtls-client.c', 'mbed', '/usr/include/mbedtls/ssl.h', '-lmbedtls', '-lmbedx509', '-lmbedcrypto'],
  wolfssl: ['wolfssl-client.c', 'wolf', '/usr/include/wolfssl/ssl.h', '-lwolfssl'],
  'paho-c': ['paho-client.c', 'paho', '/usr/include/MQTTAsync.h', '-lpaho-mqtt3cs', '-lssl', '-lcrypto'],
}

export interface Bed {
  readonly context: TestContext

  readonly hub: HubProcess
  readonly place: Place
  /** A device of the hub's own. */
  readonly own: DeviceFiles
  /** Port of another listener. */
  listener(name: 'alpn' | 'proxied'): number
  /** A file of the authority `plant`, such as `device-expired.pem`. */
  at(file: string): string
  /** Runs a program against the hub, or whatever the change says. @returns what it printed */
  dial(client: ClientName, change?: Partial<Dial>): Promise<string>
  /** Why a row cannot be made on this machine, or false. */
  lacks(what: ClientName | 'root'): string | false
  /** Asserts that the doctor names the failure among the causes of what a program said. */
  says(text: string, code: FailureName): void
  /** The newest attempt that is newer than every one seen before. */
  attempt(): Promise<AttemptView>
}

export async function startBed(t: TestContext): Promise<Bed> {
  const folder = temporaryFolder(t)
  const place: Place = {
    pki: join(folder, 'pki'),
    built: join(folder, 'built'),
    programs: join(import.meta.dirname, '../../doctor/log/gather/programs'),
  }
  makePki(place.pki)
  build(place)
  const settings = join(folder, 'handfast.yaml')
  const ports = { alpn: await freePort(), proxied: await freePort() }
  writeFileSync(settings, listeners(ports))
  const hub = await startHubProcess(t, { data: join(folder, 'data'), args: ['--config', settings] })
  const at = (file: string): string => join(place.pki, file)
  await hub.json(['anchor', 'add', 'plant', at('root.pem'), '--unproven', '--revocation', 'prefer'])
  const file = join(folder, 'policy.yaml')
  writeFileSync(file, policy)
  await hub.json(['policy', 'add', file, '--activate'])
  const own = await hub.enrolled('pump-1', join(folder, 'pump-1'))
  const api = openHub({ data: hub.data, env: {}, directory: folder })
  let seen = 0
  return {
    context: t,
    hub,
    place,
    own,
    at,
    listener: (name) => ports[name],
    dial(client, change = {}) {
      const known = clients.find(({ by }) => places[client].test(by))
      assert.ok(known !== undefined, client)
      const dial: Dial = {
        host: 'localhost',
        port: hub.mqtt.port,
        ca: hub.ca,
        cert: own.cert,
        key: own.key,
        version: '',
        name: 'localhost',
        alpn: '',
        isSpoilt: false,
        day: null,
        ...change,
      }
      const command = known.command(dial, place)
      assert.ok(command !== null, client)
      return runClient(command, dial.day)
    },
    says,
    lacks(what) {
      if (what === 'root') return process.getuid?.() === 0 ? false : 'only root can take another user'
      const source = sources[what]
      return source === undefined || existsSync(source[2]) ? false : `${source[2]} is not installed`
    },
    async attempt() {
      for (let waited = 0; waited < 1_000; waited += 50) {
        const { items } = await api.get<PageView<AttemptView>>('/attempts', { limit: 1 })
        const [newest] = items
        if (newest !== undefined && newest.number > seen) {
          seen = newest.number
          return newest
        }
        await elapse(50)
      }
      throw new Error('the hub has recorded no attempt')
    },
  }
}

function listeners({ alpn, proxied }: { readonly alpn: number; readonly proxied: number }): string {
  return `listeners:
  - name: mqtt
    anchors: [plant]
  - name: alpn
    port: ${alpn}
    alpn: [mqtt]
  - name: proxied
    port: ${proxied}
    proxy-protocol: [127.0.0.0/8]
`
}

/** C programs of the libraries that are here. */
function build({ built, programs }: Place): void {
  mkdirSync(built)
  for (const [source, out, header, ...libraries] of Object.values(sources)) {
    if (existsSync(header)) {
      execFileSync('cc', ['-o', join(built, out), join(programs, source), ...libraries])
    }
  }
}

/** What the client was told, by the rule of the gate. */
export function toldFor({ code, sentence }: AttemptView): string {
  assert.ok(code !== null && isFailureName(code), sentence)
  return toldToClient(code, sentence)
}

function says(text: string, code: FailureName): void {
  const found = examineLogText(text).flatMap(({ findings }) => findings)
  const named = found.map(({ code: each, certainty }) => `${each} (${certainty})`).join(', ')
  assert.ok(
    found.some((each) => each.code === code),
    `${code} is not among ${named}, for\n${text}`,
  )
  const others = found.filter(({ code: each, certainty }) => certainty === 'certain' && each !== code)
  assert.deepEqual(others, [], `the doctor is certain of something else than ${code}, for\n${text}`)
}
