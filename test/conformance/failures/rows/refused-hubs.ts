/** The client does not accept the server, or cannot read its own files: rows 16, 19, 20, 27 to 40. */
import assert from 'node:assert/strict'
import type { FailureName } from '../../../../src/core/failure/catalogue.ts'
import type { Dial } from '../../../doctor/log/gather/clients.ts'
import { scenarios } from '../../../doctor/log/gather/scenarios.ts'
import { type ServerName, startServer } from '../../../doctor/log/gather/servers.ts'
import type { Bed, ClientName } from '../bed.ts'
import type { Row } from '../row.ts'
import { openWire } from '../wire.ts'

interface Rejected {
  readonly number: number
  readonly title: string
  readonly client: ClientName
  readonly change: (bed: Bed) => Partial<Dial>
  /** What the client's own words say. */
  readonly says: FailureName
  /** What the hub says of it; null where nothing reaches it, or it cannot know. */
  readonly hub: FailureName | null
}

/** What the hub hears: an alert that says it, one that says little, or the end of the connection. */
const heard = { named: null, vague: 'tls-client-rejected-hub', nothing: 'tls-closed-early' } as const

const rejections: readonly Rejected[] = [
  ...(
    [
      ['openssl', 'named'],
      ['mosquitto', 'named'],
      ['mbedtls', 'named'],
      ['wolfssl', 'named'],
      ['python', 'named'],
      ['curl', 'named'],
      ['gnutls', 'vague'],
      ['node', 'nothing'],
    ] as const
  ).map(([client, word]) => ({
    number: 27,
    title: `the root of the hub is not on the device (${client})`,
    client,
    change: (bed: Bed) => ({ ca: bed.at('other.pem') }),
    says: 'hub-untrusted' as const,
    hub: heard[word] ?? ('hub-untrusted' as const),
  })),
  ...(
    [
      ['openssl', 'named'],
      ['mbedtls', 'named'],
      ['node', 'nothing'],
    ] as const
  ).map(([client, word]) => ({
    number: 28,
    title: `the certificate of the hub has expired by the clock of the device (${client})`,
    client,
    change: () => ({ day: '2099-01-01 00:00:00' }),
    says: 'hub-certificate-expired' as const,
    hub: heard[word] ?? ('hub-certificate-expired' as const),
  })),
  ...(
    [
      ['openssl', 'vague'],
      ['mbedtls', 'vague'],
      ['node', 'nothing'],
    ] as const
  ).map(([client, word]) => ({
    number: 29,
    title: `the clock of the device is behind (${client})`,
    client,
    change: () => ({ day: '1999-01-01 00:00:00' }),
    says: 'hub-certificate-not-yet-valid' as const,
    hub: heard[word] ?? null,
  })),
  ...(
    [
      ['openssl', 'vague'],
      // It names the host that it wants, so that the hub can tell.
      ['mbedtls', 'named'],
      ['node', 'nothing'],
    ] as const
  ).map(([client, word]) => ({
    number: 30,
    title: `the certificate of the hub has other names (${client})`,
    client,
    change: () => ({ name: 'broker.plant.example' }),
    says: 'hub-name-mismatch' as const,
    hub: heard[word] ?? ('hub-name-mismatch' as const),
  })),
  {
    number: 19,
    title: 'key and certificate on the device do not match',
    client: 'openssl',
    change: (bed) => ({ key: bed.at('stranger.key'), isSpoilt: true }),
    says: 'key-certificate-mismatch',
    hub: null,
  },
  {
    number: 36,
    title: 'a file on the device is cut off (mbedTLS)',
    client: 'mbedtls',
    change: (bed) => ({ key: bed.at('cut.key'), isSpoilt: true }),
    says: 'pem-cut-short',
    hub: null,
  },
  {
    number: 37,
    title: 'a file on the device is no PEM (MQTT.js)',
    client: 'node',
    change: (bed) => ({ key: bed.at('garbage.key'), isSpoilt: true }),
    says: 'file-unrecognised',
    hub: null,
  },
  {
    number: 39,
    title: 'the passphrase of the key is wrong (mbedTLS)',
    client: 'mbedtls',
    change: (bed) => ({ key: bed.at('traditional.key'), isSpoilt: true }),
    says: 'device-key-passphrase-wrong',
    hub: null,
  },
  {
    number: 39,
    title: 'the passphrase of the key is wrong (Python)',
    client: 'python',
    change: (bed) => ({ key: bed.at('encrypted.key'), isSpoilt: true }),
    says: 'device-key-passphrase-wrong',
    hub: null,
  },
  {
    number: 52,
    title: 'the name of the hub is not known',
    client: 'curl',
    change: () => ({ host: 'broker.nowhere.invalid' }),
    says: 'name-not-found',
    hub: null,
  },
  {
    number: 53,
    title: 'nothing listens there',
    client: 'curl',
    change: () => ({ port: 1 }),
    says: 'port-refused',
    hub: null,
  },
]

/** A server that is no hub, with a certificate that a hub would never have. */
async function elsewhere(bed: Bed, by: ServerName, name: string, client: ClientName, code: FailureName): Promise<void> {
  const scenario = scenarios.find((each) => each.name === name)
  assert.ok(scenario !== undefined, name)
  const server = await startServer(by, scenario, '1.2', bed.place)
  assert.ok(server !== null)
  const files = { ca: bed.at('root.pem'), cert: bed.at('device.pem'), key: bed.at('device.key') }
  const said = await bed.dial(client, { port: server.port, ...files })
  await server.stop()
  bed.says(said, code)
}

export const rows: readonly Row[] = [
  ...rejections.map(({ number, title, client, change, says, hub }) => ({
    number,
    title,
    needs: client,
    async run(bed: Bed) {
      const said = await bed.dial(client, change(bed))
      bed.says(said, says)
      if (hub !== null) assert.equal((await bed.attempt()).code, hub)
    },
  })),
  {
    number: 31,
    title: 'the device dials an address that the certificate of the hub does not name',
    async run(bed) {
      const wire = await openWire(bed, { host: '127.0.0.9' })
      const said = await bed.dial('curl', { host: '127.0.0.9', port: wire })
      bed.says(said, 'hub-name-mismatch')
      assert.equal((await bed.attempt()).code, 'closed-before-connect')
    },
  },
  {
    number: 32,
    title: 'the certificate of the server is not one for servers',
    run: (bed) => elsewhere(bed, 'openssl', 'server certificate for clients', 'openssl', 'hub-certificate-wrong-usage'),
  },
  {
    number: 34,
    title: 'the server does not send the certificate between',
    run: (bed) => elsewhere(bed, 'openssl', 'server sends no intermediate', 'node', 'hub-intermediate-missing'),
  },
]
