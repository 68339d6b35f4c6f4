/** Certificates for somebody else's broker and its clients, from the command line to mutual TLS between other programs. */
// one database: what it keeps of certificates are rows like others, which the contract suite holds on both
import assert from 'node:assert/strict'
import { createPrivateKey, X509Certificate } from 'node:crypto'
import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import type { CertificateView, IssuedCertificateView } from '../../src/api-schema/certificates.ts'
import type { IdentityDetailView } from '../../src/api-schema/identities.ts'
import type { CredentialView, DeviceChangeView, PageView } from '../../src/api-schema/views.ts'
import { type HubProcess, hubOfFile, startHubProcess } from '../support/hub-process.ts'
import { startMosquittoBroker } from '../support/mosquitto-broker.ts'
import { needs } from '../support/programs.ts'
import { run } from '../support/run.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'

interface OrderedFiles extends IssuedCertificateView {
  readonly files: Readonly<Record<string, string>>
  readonly passphrase?: string
}

/** A command that must fail, and the code that it names. */
async function refusal(hub: HubProcess, args: readonly string[], input = ''): Promise<string> {
  const { status, stdout, stderr } = await hub.cli(args, { input })
  assert.notEqual(status, 0, `${args.join(' ')}\n${stdout}`)
  return /^ {2}code: HF-\d+ (\S+)$/m.exec(stderr)?.[1] ?? stderr
}

const hubHere = hubOfFile()

test(
  'a Mosquitto broker and its clients get their certificates from the hub and talk over mutual TLS',
  needs('mosquitto', 'mosquitto_pub', 'mosquitto_sub', 'openssl'),
  async (t) => {
    const folder = temporaryFolder(t)
    const hub = await startHubProcess(t, { data: join(folder, 'data') })
    const broker = join(folder, 'broker')
    const issue = ['cert', 'issue', '--profile', 'server', '--name', 'broker.plant', '--ip', '127.0.0.1']

    await t.test('the triple for Mosquitto is written, the key for its owner alone', async () => {
      const ordered = await hub.json<OrderedFiles>([...issue, '--out', broker])
      assert.deepEqual(Object.keys(ordered.files).toSorted(), ['CA', 'certificate', 'key'])
      assert.equal(statSync(join(broker, 'server.key')).mode & 0o777, 0o600)
      assert.equal(statSync(broker).mode & 0o777, 0o700)
      const leaf = new X509Certificate(readFileSync(join(broker, 'server.pem')))
      assert.ok(leaf.checkPrivateKey(createPrivateKey(readFileSync(join(broker, 'server.key')))))
      assert.equal(ordered.credential.state, 'active')
      assert.equal(ordered.passphrase, undefined)
      const { identity } = await hub.json<IdentityDetailView>(['service', 'show', 'broker.plant'])
      assert.deepEqual([identity.dnsNames, identity.ipAddresses], [['broker.plant'], ['127.0.0.1']])
    })

    const pump = await hub.enrolled('pump-7', join(folder, 'pump-7'))
    const mosquitto = await startMosquittoBroker(t, folder, [
      `cafile ${broker}/ca.pem`,
      `certfile ${broker}/server.pem`,
      `keyfile ${broker}/server.key`,
      'require_certificate true',
      'use_identity_as_username true',
    ])
    const client = ['-h', '127.0.0.1', '-p', `${mosquitto.port}`, '--cafile', pump.ca]
    const own = [...client, '--cert', pump.cert, '--key', pump.key]

    await t.test('a message goes from mosquitto_pub to mosquitto_sub, each with a certificate', async () => {
      const topic = ['-t', 'plant/line-1', '-q', '1']
      assert.equal((await run('mosquitto_pub', [...own, ...topic, '-r', '-m', 'hello'])).status, 0)
      const { status, stdout } = await run('mosquitto_sub', [...own, ...topic, '-C', '1', '-W', '10'])
      assert.deepEqual({ status, stdout }, { status: 0, stdout: 'hello\n' })
      assert.match(mosquitto.output(), /u'pump-7'/)
    })

    await t.test('the broker refuses who has no certificate, and a server certificate as a client', async () => {
      const message = ['-t', 'plant/line-1', '-m', 'x']
      assert.notEqual((await run('mosquitto_pub', [...client, ...message])).status, 0)
      const asClient = ['--cert', `${broker}/server.pem`, '--key', `${broker}/server.key`]
      assert.notEqual((await run('mosquitto_pub', [...client, ...asClient, ...message])).status, 0)
    })

    await t.test('nothing is written over, unless somebody says so', async () => {
      const before = readFileSync(join(broker, 'server.key'), 'utf8')
      assert.equal(await refusal(hub, [...issue, '--out', broker]), 'files-exist')
      assert.equal(readFileSync(join(broker, 'server.key'), 'utf8'), before)
      const { items } = await hub.json<PageView<CredentialView>>(['cert', 'list', '--id', 'broker.plant'])
      assert.equal(items.length, 1)
      await hub.json([...issue, '--out', broker, '--force', '--key-type', 'RSA-2048'])
      assert.notEqual(readFileSync(join(broker, 'server.key'), 'utf8'), before)
    })

    await t.test('other names are refused until the registry has them', async () => {
      const other = ['cert', 'issue', '--id', 'broker.plant', '--name', 'other.plant', '--out', join(folder, 'other')]
      assert.equal(await refusal(hub, other), 'names-differ')
      assert.ok(!existsSync(join(folder, 'other')))
      await hub.json(['service', 'set', 'broker.plant', '--name', 'broker.plant', '--name', 'other.plant'])
      const { certificate } = await hub.json<OrderedFiles>(other)
      assert.match(new X509Certificate(certificate).subjectAltName ?? '', /DNS:other\.plant/)
    })

    await t.test('a request made by OpenSSL is signed, for as long as was asked, and shown by its file', async () => {
      const [key, csr, out] = ['their.key', 'their.csr', 'their.pem'].map((name) => join(folder, name))
      assert.ok(key !== undefined && csr !== undefined && out !== undefined)
      const request = ['req', '-newkey', 'rsa:2048', '-nodes', '-keyout', key, '-out', csr, '-subj', '/CN=broker.plant']
      assert.equal((await run('openssl', request)).status, 0)
      const sign = ['cert', 'sign', '--csr', csr, '--profile', 'server', '--days', '90', '--name', 'third.plant']
      const issued = await hub.json<IssuedCertificateView>([...sign, '--out', out])
      const view = await hub.json<CertificateView>(['cert', 'show', out])
      assert.equal(view.credential.serialNumber, issued.credential.serialNumber)
      assert.deepEqual(view.dnsNames, ['broker.plant', 'other.plant', 'third.plant'])
      const verify = ['verify', '-x509_strict', '-CAfile', hub.ca, '-untrusted', out, '-purpose', 'sslserver', out]
      assert.equal((await run('openssl', verify)).status, 0)
      assert.equal(await refusal(hub, [...sign, '--out', out]), 'files-exist')
      assert.equal(await refusal(hub, [...sign, '--eku', 'clientAuth']), 'order-asks-too-much')
      assert.equal(await refusal(hub, [...sign.slice(0, 6), '--days', '399']), 'order-asks-too-much')
    })

    await t.test('a certificate is found by serial number and by fingerprint, and revoked', async () => {
      const { items } = await hub.json<PageView<CredentialView>>(['cert', 'list', '--expires-within', '31d'])
      const found = items.find(({ deviceId }) => deviceId === 'broker.plant')
      assert.ok(found !== undefined)
      const byPrint = await hub.json<CertificateView>(['cert', 'show', found.fingerprint])
      assert.equal(byPrint.credential.serialNumber, found.serialNumber)
      const change = await hub.json<DeviceChangeView>(['cert', 'revoke', found.serialNumber, '--reason', 'superseded'])
      assert.deepEqual(change.revoked, [found.serialNumber])
      const { credential } = await hub.json<CertificateView>(['cert', 'show', found.serialNumber])
      assert.equal(credential.revocationReason, 'superseded')
    })
  },
)

test(
  'a person gets a PFX and a passphrase, and loses both certificate and name when they leave',
  needs('openssl'),
  async (t) => {
    const folder = temporaryFolder(t)
    const hub = await hubHere()
    const out = join(folder, 'anna')
    const add = ['user', 'add', 'anna', '--email', 'anna@plant.example', '--out', out]
    const { passphrase = '', files, credential } = await hub.json<OrderedFiles>(add)
    const pfx = files.PFX ?? ''
    assert.equal(pfx, join(out, 'anna.pfx'))
    assert.equal(statSync(pfx).mode & 0o777, 0o600)

    const opened = await run('openssl', ['pkcs12', '-in', pfx, '-nodes', '-passin', `pass:${passphrase}`])
    assert.equal(opened.status, 0, opened.stderr)
    assert.equal(opened.stdout.match(/BEGIN CERTIFICATE/g)?.length, 3)
    const leaf = new X509Certificate(opened.stdout)
    assert.equal(leaf.subjectAltName, 'URI:spiffe://localhost/user/anna, email:anna@plant.example')
    assert.ok(leaf.checkPrivateKey(createPrivateKey(opened.stdout)))
    assert.ok(!hub.output().includes(passphrase))

    assert.equal(await refusal(hub, [...add.slice(0, 5), '--out', `${out}-2`]), 'identity-exists')
    const words = join(folder, 'words')
    writeFileSync(words, 'correct horse battery\n')
    const again = ['cert', 'issue', '--profile', 'user', '--id', 'anna', '--out', join(folder, 'laptop')]
    const second = await hub.json<OrderedFiles>([...again, '--passphrase-file', words, '--protection', 'modern'])
    assert.equal(second.passphrase, undefined)
    const laptop = ['pkcs12', '-in', second.files.PFX ?? '', '-noout', '-passin', 'pass:correct horse battery']
    assert.equal((await run('openssl', laptop)).status, 0)

    const { revoked } = await hub.json<{ revoked: string[] }>([
      'user',
      'revoke',
      'anna',
      '--reason',
      'privilegeWithdrawn',
    ])
    assert.deepEqual(revoked.toSorted(), [credential.serialNumber, second.credential.serialNumber].toSorted())
    await hub.json(['user', 'retire', 'anna'])
    assert.equal(await refusal(hub, ['user', 'enable', 'anna']), 'transition-illegal')
    assert.equal(await refusal(hub, again), 'files-exist')
    assert.equal(await refusal(hub, [...again.slice(0, -1), join(folder, 'third')]), 'identity-retired')
  },
)

test('key files for Meadow have its names, and its encryption', needs('openssl'), async (t) => {
  const folder = temporaryFolder(t)
  const hub = await hubHere()
  await hub.json(['device', 'add', 'board-1'])
  const issue = ['cert', 'issue', '--profile', 'device', '--id', 'board-1', '--bundle', 'meadow']
  await hub.json([...issue, '--out', join(folder, 'plain')])
  assert.match(readFileSync(join(folder, 'plain', 'private_key.pem'), 'utf8'), /^-----BEGIN RSA PRIVATE KEY-----\n/)
  assert.ok(!existsSync(join(folder, 'plain', 'private_key_pass.txt')))

  const input = 'correct horse battery\n'
  const { status, stderr } = await hub.cli([...issue, '--out', join(folder, 'locked'), '--passphrase-file', '-'], {
    input,
  })
  assert.equal(status, 0, stderr)
  const key = readFileSync(join(folder, 'locked', 'private_key.pem'), 'utf8')
  assert.match(key, /^DEK-Info: AES-128-CBC,/m)
  assert.equal(readFileSync(join(folder, 'locked', 'private_key_pass.txt'), 'utf8'), input.trim())
  const certificate = new X509Certificate(readFileSync(join(folder, 'locked', 'client_cert.pem')))
  assert.ok(certificate.checkPrivateKey(createPrivateKey({ key, passphrase: input.trim() })))
  const { items } = await hub.json<PageView<CredentialView>>(['cert', 'list', '--id', 'board-1'])
  assert.deepEqual(
    items.map(({ state }) => state),
    ['pending', 'pending'],
  )
})
