/** Word of revocations by other people's authorities, fetched over the network by a hub with two gate processes. */
// one database: what it keeps of CRLs and responders are rows like others, which the contract suite holds on both
import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import type { AnchorView } from '../../src/api-schema/anchors.ts'
import type { AttemptView, PageView } from '../../src/api-schema/views.ts'
import { publish, subscriber } from '../conformance/mosquitto.ts'
import { type DeviceFiles, startHubProcess } from '../support/hub-process.ts'
import { Maker, type Served, serveStatus } from '../support/maker.ts'
import { needs } from '../support/programs.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'

const policy = `
identify:
  - name: by-common-name
    anchors: [acme, plant]
    from: cn
    match: '(?<id>[a-z0-9-]{1,40})'
    identity: '\${id}'
    onUnknown: create
    group: acme
bindings:
  - roles: [own-topics]
    to: everyone
`

test(
  "word of revocations by somebody else's authority is fetched",
  needs('openssl', 'mosquitto_pub', 'mosquitto_sub', 'stdbuf'),
  async (t) => {
    const folder = temporaryFolder(t)
    const served = new Map<string, Served>()
    const web = await serveStatus(t, (path, body) => served.get(path)?.(path, body))
    const settings = join(folder, 'handfast.yaml')
    writeFileSync(settings, 'listeners:\n  - name: mqtt\n    anchors: [acme, plant]\n')
    const args = ['--config', settings, '--gates', '2']
    const hub = await startHubProcess(t, { data: join(folder, 'data'), args })
    const policyFile = join(folder, 'policy.yaml')
    writeFileSync(policyFile, policy)
    await hub.json(['policy', 'add', policyFile, '--activate'])

    const root = await Maker.start(folder, 'root')
    const devices = await Maker.start(folder, 'devices', { above: root })
    const line = await Maker.start(folder, 'line', { above: devices })
    const plant = await Maker.start(folder, 'plant', { isPss: true })
    const hello = (id: string) => ['-i', 'x', '-q', '1', '-t', `devices/${id}/messages/events/`, '-m', 'hello']
    const comesIn = async (files: DeviceFiles): Promise<void> => {
      const { stderr } = await publish(hub, files, 'mqttv5', hello(files.id))
      assert.equal(stderr, '')
    }
    const refusedWith = async (files: DeviceFiles, code: string): Promise<void> => {
      assert.notEqual((await publish(hub, files, 'mqttv5', hello(files.id))).status, 0)
      const { items } = await hub.json<PageView<AttemptView>>(['attempts', '--limit', '1'])
      assert.equal(items[0]?.code, code)
    }
    const crlOf = (maker: Maker) => served.set(`/${maker === devices ? 'devices' : 'line'}.crl`, () => maker.crlDer())

    await t.test('from an address of the operator, which counts as if it were handed in', async () => {
      const chain = join(folder, 'chain.pem')
      // In any order: what stands above, and what below.
      writeFileSync(chain, devices.pem + line.pem + root.pem)
      const sources = ['--crl-url', `${web}/devices.crl`, '--by-certificates', '--private-host', '127.0.0.1']
      const added = await hub.json<AnchorView>(['anchor', 'add', 'acme', chain, '--unproven', ...sources])
      assert.deepEqual([added.state, added.below.map(({ subject }) => subject)], ['trusted', ['CN=ACME line,O=ACME']])
      const mill = await devices.issue('mill-1', 'mill-1', hub.ca, null)
      assert.match((await hub.cli(['anchor', 'fetch', 'acme'])).stderr, /status-fetch-failed/)
      await refusedWith(mill, 'foreign-revocation-unknown')
      crlOf(devices)
      const { fetches } = await hub.json<AnchorView>(['anchor', 'fetch', 'acme'])
      assert.deepEqual([fetches.length, fetches[0]?.failure], [1, null])
      await comesIn(mill)
    })

    const point = `crlDistributionPoints=URI:${web}/line.crl`
    await t.test('from an address that a certificate is the first to name, while its device waits', async () => {
      crlOf(line)
      const pump = await line.issue('pump-1', 'pump-1', hub.ca, point)
      await comesIn(pump)
      const { fetches, crls } = await hub.json<AnchorView>(['anchor', 'show', 'acme'])
      assert.deepEqual(
        fetches.map(({ isLearned, failure }) => [isLearned, failure]),
        [
          [false, null],
          [true, null],
        ],
      )
      assert.equal(crls.length, 2)
    })

    await t.test('and closes sessions of those that it names', async () => {
      const gone = await line.issue('pump-2', 'pump-2', hub.ca, point)
      const live = await subscriber(hub, gone, 'mqttv5', ['-i', 'live', '-t', 'devices/pump-2/#'])
      await line.revoke(gone.cert)
      await hub.json(['anchor', 'fetch', 'acme'])
      await live.finished
      await refusedWith(gone, 'foreign-revoked')
    })

    await t.test('and those of an authority below, when it is the one that is revoked', async () => {
      const pump = await line.issue('pump-3', 'pump-3', hub.ca, point)
      const live = await subscriber(hub, pump, 'mqttv311', ['-i', 'live', '-t', 'devices/pump-3/#'])
      await devices.revoke(line.path('ca.pem'))
      await hub.json(['anchor', 'fetch', 'acme'])
      await live.finished
      await refusedWith(pump, 'foreign-signer-revoked')
    })

    await t.test('and those of an authority that is no longer named below', async () => {
      await hub.json(['anchor', 'edit', 'acme', '--below', 'none'])
      await refusedWith(await line.issue('pump-4', 'pump-4', hub.ca, point), 'certificate-foreign-authority')
    })

    await t.test('by asking a responder, for an authority that signs by RSA-PSS', async () => {
      const chain = plant.path('ca.pem')
      await hub.json(['anchor', 'add', 'plant', chain, '--unproven', '--ocsp-url', `${web}/ocsp`])
      served.set('/ocsp', (_path, body) => plant.ocsp(body))
      const lost = await plant.issue('drill-2', 'drill-2', hub.ca, null)
      await plant.revoke(lost.cert)
      await comesIn(await plant.issue('drill-1', 'drill-1', hub.ca, null))
      await refusedWith(lost, 'foreign-revoked')
      served.delete('/ocsp')
      await refusedWith(await plant.issue('drill-3', 'drill-3', hub.ca, null), 'foreign-revocation-unknown')
    })
  },
)
