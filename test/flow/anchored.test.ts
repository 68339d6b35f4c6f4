/** Devices with certificates of somebody else's authority, made by OpenSSL's own commands, at a real hub. */
// one database: what it keeps of trust anchors are rows like others, which the contract suite holds on both
import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import type { AnchorView } from '../../src/api-schema/anchors.ts'
import type { AttemptView, DeviceDetailView, PageView } from '../../src/api-schema/views.ts'
import { publish, subscriber } from '../conformance/mosquitto.ts'
import { type DeviceFiles, startHubProcess } from '../support/hub-process.ts'
import { Maker } from '../support/maker.ts'
import { needs } from '../support/programs.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'

const policy = `
identify:
  - name: acme-machines
    anchors: [acme]
    from: san.uri
    match: 'urn:acme:device:(?<id>[a-z0-9-]{1,40})'
    identity: '\${id}'
    onUnknown: create
    group: acme
  - name: acme-gateways
    anchors: [acme]
    from: cn
    match: 'gw-(?<id>[0-9]+)'
    identity: 'gateway-\${id}'
bindings:
  - roles: [own-topics]
    to: everyone
`

test(
  "devices with certificates of somebody else's authority",
  needs('openssl', 'mosquitto_pub', 'mosquitto_sub', 'stdbuf'),
  async (t) => {
    const folder = temporaryFolder(t)
    const settings = join(folder, 'handfast.yaml')
    writeFileSync(settings, 'listeners:\n  - name: mqtt\n    anchors: [acme]\n')
    const hub = await startHubProcess(t, { data: join(folder, 'data'), args: ['--config', settings] })
    const root = await Maker.start(folder, 'root')
    const acme = await Maker.start(folder, 'acme', { above: root })
    const chain = join(folder, 'chain.pem')
    writeFileSync(chain, acme.pem + root.pem)
    const mill = await acme.issue(
      'mill-1',
      'anything',
      hub.ca,
      'subjectAltName=URI:urn:acme:device:mill-1\nextendedKeyUsage=clientAuth',
    )
    const hello = (id: string) => ['-i', 'x', '-q', '1', '-t', `devices/${id}/messages/events/`, '-m', 'hello']
    const lastCode = async (): Promise<string | null> =>
      (await hub.json<PageView<AttemptView>>(['attempts', '--limit', '1'])).items[0]?.code ?? null
    const refusedWith = async (files: DeviceFiles, code: string): Promise<void> => {
      const { stderr, status } = await publish(hub, files, 'mqttv5', hello('mill-1'))
      assert.notEqual(status, 0, stderr)
      assert.equal(await lastCode(), code)
    }

    await t.test('are strangers before the authority is a trust anchor, and while it waits for its proof', async () => {
      await refusedWith(mill, 'certificate-foreign-authority')
      const { code } = await hub.json<AnchorView>(['anchor', 'add', 'acme', chain])
      await refusedWith(mill, 'anchor-unproved')
      const wrong = await acme.issue('wrong', 'no code', hub.ca, null)
      assert.match((await hub.cli(['anchor', 'prove', 'acme', wrong.cert])).stderr, /anchor-proof-wrong/)
      const proof = await acme.issue('proof', code ?? '', hub.ca, null)
      assert.equal((await hub.json<AnchorView>(['anchor', 'prove', 'acme', proof.cert])).isProven, true)
    })

    await t.test('stay out without a CRL that is required, and without a rule', async () => {
      await refusedWith(mill, 'foreign-revocation-unknown')
      const { crl } = await hub.json<AnchorView>(['anchor', 'crl', 'acme', await acme.crl()])
      assert.ok(crl !== null)
      await refusedWith(mill, 'identification-none')
    })

    await t.test('are registered by their first connection where the rule says so, with its group', async () => {
      const file = join(folder, 'policy.yaml')
      writeFileSync(file, policy)
      await hub.json(['policy', 'add', file, '--activate'])
      assert.equal((await publish(hub, mill, 'mqttv311', hello('mill-1'))).stderr, '')
      const { device } = await hub.json<DeviceDetailView>(['device', 'show', 'mill-1'])
      assert.deepEqual([device.state, device.group], ['active', 'acme'])
      assert.equal((await publish(hub, mill, 'mqttv5', hello('mill-1'))).stderr, '')
      assert.match((await publish(hub, mill, 'mqttv5', hello('mill-2'))).stderr, /Not authorized/)
    })

    await t.test('keep identity and rights over another certificate, key and serial number', async () => {
      const renewed = await acme.issue('again', 'another', hub.ca, 'subjectAltName=URI:urn:acme:device:mill-1')
      assert.equal((await publish(hub, renewed, 'mqttv5', hello('mill-1'))).stderr, '')
    })

    await t.test(
      'speak for nobody outside the group of their rule, and for nobody unknown where that is denied',
      async () => {
        await hub.enrolled('pump-7', join(folder, 'pump-7'))
        await refusedWith(
          await acme.issue('thief', 'x', hub.ca, 'subjectAltName=URI:urn:acme:device:pump-7'),
          'identification-outside',
        )
        await refusedWith(
          await acme.issue('hub', 'x', hub.ca, 'subjectAltName=URI:urn:acme:device:hub'),
          'identification-outside',
        )
        await refusedWith(await acme.issue('gw', 'gw-4', hub.ca, null), 'identification-unknown')
        const two = 'subjectAltName=URI:urn:acme:device:mill-1,URI:urn:acme:device:mill-2'
        await refusedWith(await acme.issue('two', 'x', hub.ca, two), 'identification-unfit')
      },
    )

    await t.test(
      'are refused with a certificate that is not for clients, or that somebody has signed in their name',
      async () => {
        const uri = 'subjectAltName=URI:urn:acme:device:mill-1'
        const server = await acme.issue('server', 'x', hub.ca, `${uri}\nextendedKeyUsage=serverAuth`)
        await refusedWith(server, 'certificate-wrong-usage')
        const elsewhere = temporaryFolder(t)
        const forged = await Maker.start(elsewhere, 'acme', { above: await Maker.start(elsewhere, 'root') })
        await refusedWith(await forged.issue('f', 'x', hub.ca, uri), 'foreign-issuer-rekeyed')
      },
    )

    await t.test('are let in beside devices of the hub, on the same listener', async () => {
      const own = await hub.enrolled('pump-8', join(folder, 'pump-8'))
      assert.equal((await publish(hub, own, 'mqttv5', hello('pump-8'))).stderr, '')
    })

    await t.test('close when a CRL names them, and stay out', async () => {
      const gone = await acme.issue('gone', 'x', hub.ca, 'subjectAltName=URI:urn:acme:device:mill-9')
      const live = await subscriber(hub, gone, 'mqttv5', ['-i', 'live', '-t', 'devices/mill-9/#'])
      await acme.revoke(gone.cert)
      await hub.json(['anchor', 'crl', 'acme', await acme.crl()])
      await live.finished
      await refusedWith(gone, 'foreign-revoked')
      assert.equal((await publish(hub, mill, 'mqttv5', hello('mill-1'))).stderr, '')
    })

    await t.test('close when the anchor is distrusted, and stay out', async () => {
      const live = await subscriber(hub, mill, 'mqttv311', ['-i', 'live', '-t', 'devices/mill-1/#'])
      await hub.json(['anchor', 'distrust', 'acme'])
      await live.finished
      await refusedWith(mill, 'anchor-distrusted')
    })
  },
)
