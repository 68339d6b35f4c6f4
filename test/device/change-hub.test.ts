// needs: openssl
import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { publicKeyOf } from '../../src/device/certificate-request.ts'
import { changeHub } from '../../src/device/change-hub.ts'
import { checkPlace } from '../../src/device/key-elsewhere/reference.ts'
import { openCredentialStore } from '../../src/device/store/open.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'
import { EstServer, honest, OpensslAuthority } from './est-authority.ts'
import { startGate } from './renewal/tiny-gate.ts'
import { credential } from './store/credentials.ts'

const authority = new OpensslAuthority()
after(() => authority.remove())

test('a device whose key is elsewhere follows its hub, too, and goes on with the same key and certificate', async (t) => {
  const tls = authority.endEntity('hub', 'DNS:localhost')
  const [hub, gate] = [await EstServer.start(tls, honest(authority)), await startGate(tls)]
  t.after(() => {
    hub.stop()
    gate.stop()
  })
  const store = openCredentialStore(temporaryFolder(t))
  const { keyPem, ...certificate } = credential(authority)
  const keyReference = {
    publicKey: publicKeyOf(keyPem),
    place: checkPlace({
      openssl: { uri: 'pkcs11:object=pump', through: 'engine', name: 'pkcs11', module: null },
      signer: null,
    }),
  }
  store.install({ ...certificate, keyReference })
  const before = store.deviceIdentity()
  gate.stop()
  const to = { host: 'localhost', httpsPort: hub.port, mqttPort: gate.port }
  await assert.rejects(changeHub(store, to), { code: 'hub-unreachable' })
  assert.equal(store.current()?.hub?.host, 'hub.example')
  const other = await startGate(tls)
  t.after(() => other.stop())
  await changeHub(store, { ...to, mqttPort: other.port })
  assert.deepEqual(store.deviceIdentity(), before)
  const { host, httpsPort, mqttPort, id } = store.current()?.hub ?? assert.fail('no hub')
  assert.deepEqual([host, httpsPort, mqttPort, id], ['localhost', hub.port, other.port, 'pump-7'])
})
