/** Devices that know RSA alone: OpenSSL, curl and Mosquitto's clients, offering nothing else and trusting a root of RSA. */
import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import type { AuthorityDetailView, AuthorityListView } from '../../src/api-schema/authority-views.ts'
import type { BootstrapView } from '../../src/api-schema/views.ts'
import { startHubProcess } from '../support/hub-process.ts'
import { needs } from '../support/programs.ts'
import { run } from '../support/run.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'

const rsaCipher = 'ECDHE-RSA-AES128-GCM-SHA256'

const opensslOfRsaAlone = `openssl_conf = settings
[settings]
ssl_conf = tls
[tls]
system_default = rsa_alone
[rsa_alone]
MaxProtocol = TLSv1.2
CipherString = ${rsaCipher}
SignatureAlgorithms = RSA+SHA256
`

const meter = {
  name: 'meter',
  kinds: ['device'],
  extendedKeyUsage: ['clientAuth'],
  keyTypes: ['RSA-2048'],
  compatibility: 'mbedtls',
  chain: 'rsa',
}

test('a device that knows RSA alone', needs('openssl', 'curl', 'mosquitto_pub'), async (t) => {
  const folder = temporaryFolder(t)
  const hub = await startHubProcess(t, { data: join(folder, 'data') })
  const profile = join(folder, 'meter.json')
  writeFileSync(profile, JSON.stringify(meter))

  await t.test('has no profile before there is a chain for it', async () => {
    const { status, stderr } = await hub.cli(['profile', 'add', profile])
    assert.notEqual(status, 0)
    assert.match(stderr, /there is no chain "rsa"[\s\S]*profile-invalid/)
  })

  const { items } = await hub.json<AuthorityListView>(['ca', 'create', '--chain', 'rsa', '--key-type', 'RSA-2048'])
  const shown = await hub.json<AuthorityDetailView>(['ca', 'show', items[0]?.id ?? ''])
  const root = join(folder, 'rsa-root.pem')
  writeFileSync(root, shown.certificate)
  await hub.json(['profile', 'add', profile])

  const handshake = async (port: number, ...more: readonly string[]) => {
    const server = ['-connect', `localhost:${port}`, '-servername', 'localhost', '-verify_hostname', 'localhost']
    const { stdout, stderr } = await run('openssl', ['s_client', ...server, '-verify_return_error', ...more], {
      input: '',
    })
    return stdout + stderr
  }

  for (const { name, port } of [
    { name: 'MQTT', port: hub.mqtt.port },
    { name: 'HTTPS', port: hub.https.port },
  ]) {
    await t.test(
      `is shown a chain of RSA on ${name}, from the moment that there is one; others go on as before`,
      async () => {
        const rsaAlone = ['-tls1_2', '-cipher', rsaCipher, '-sigalgs', 'RSA+SHA256']
        const seen = await handshake(port, ...rsaAlone, '-x509_strict', '-CAfile', root)
        assert.match(seen, /Peer signature type: RSA/)
        assert.match(seen, /Verif(y return code: 0|ication: OK)/)
        assert.match(await handshake(port, '-CAfile', hub.ca), /Peer signature type: ECDSA/)
      },
    )
  }

  await t.test('enrols with curl and connects with mosquitto_pub, trusting that root alone', async () => {
    const device = await hub.json<BootstrapView>(['device', 'add', 'meter-1', '--profile', 'meter'])
    const [key, csr, cert] = ['meter.key', 'meter.csr', 'meter.pem'].map((name) => join(folder, name))
    assert.ok(key && csr && cert)
    await run('openssl', [
      ...[
        'req',
        '-new',
        '-newkey',
        'rsa:2048',
        '-noenc',
        '-keyout',
        key,
        '-outform',
        'DER',
        '-out',
        csr,
        '-subj',
        '/CN=meter-1',
      ],
    ])
    const est = `https://localhost:${hub.https.port}/.well-known/est/simpleenroll`
    const answer = join(folder, 'answer.p7')
    const enrolled = await run('curl', [
      ...['--silent', '--show-error', '--fail-with-body', '--cacert', root, '--tls-max', '1.2', '--ciphers', rsaCipher],
      ...['--user', `meter-1:${device.enrolment.token}`, '-H', 'Content-Type: application/pkcs10'],
      ...['--data-binary', `@${csr}`, '-o', answer, est],
    ])
    assert.equal(enrolled.status, 0, enrolled.stdout + enrolled.stderr)
    const der = join(folder, 'answer.der')
    await run('openssl', ['base64', '-d', '-in', answer, '-out', der])
    await run('openssl', ['pkcs7', '-inform', 'DER', '-in', der, '-print_certs', '-out', cert])
    const { stdout } = await run('openssl', ['x509', '-in', cert, '-noout', '-text'])
    assert.match(stdout, /Signature Algorithm: sha256WithRSAEncryption/)
    const client = ['-h', 'localhost', '-p', `${hub.mqtt.port}`, '--cafile', root, '--cert', cert, '--key', key]
    const message = ['-t', 'devices/meter-1/messages/events/', '-m', '7', '-q', '1']
    // Mosquitto's clients know a least version of TLS and no greatest: OpenSSL's own settings make them a client of RSA alone.
    const settings = join(folder, 'openssl.cnf')
    writeFileSync(settings, opensslOfRsaAlone)
    const published = await run('mosquitto_pub', [...client, ...message], { env: { OPENSSL_CONF: settings } })
    assert.equal(published.status, 0, published.stderr)
  })
})
