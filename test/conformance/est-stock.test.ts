/** Stock clients beyond a first enrolment: one key that renews again and again, and requests bound to their connection. */
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import type { BootstrapView, DeviceDetailView } from '../../src/api-schema/views.ts'
import { parseBootstrap } from '../../src/core/identity/bootstrap.ts'
import { Secret } from '../../src/core/secret.ts'
import { type HubProcess, startHubProcess } from '../support/hub-process.ts'
import { needs, programPath } from '../support/programs.ts'
import { run } from '../support/run.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'

async function output(program: string, args: readonly string[], cwd: string): Promise<string> {
  const { status, stdout, stderr } = await run(programPath(program) ?? program, args, { cwd })
  assert.equal(status, 0, `${program} ${args.join(' ')}\n${stdout}\n${stderr}`)
  return stdout
}

async function tokenOf(hub: HubProcess, id: string): Promise<string> {
  const { bootstrap } = await hub.json<BootstrapView>(['device', 'add', id])
  return parseBootstrap(new Secret(bootstrap)).token.reveal()
}

/** A key and a request of it for ever, as a device makes them whose key is in its silicon. */
async function fixedKey(folder: string, id: string): Promise<void> {
  const openssl = (...args: readonly string[]): Promise<string> => output('openssl', args, folder)
  await openssl('genpkey', '-algorithm', 'EC', '-pkeyopt', 'ec_paramgen_curve:P-256', '-out', 'key.pem')
  await openssl('req', '-new', '-sha256', '-key', 'key.pem', '-subj', `/CN=${id}`, '-outform', 'DER', '-out', 'req.der')
  await openssl('base64', '-in', 'req.der', '-out', 'req.b64')
}

test(
  'curl and OpenSSL renew five times with one key and one request, and each certificate ends later than the one before',
  needs('curl', 'openssl'),
  async (t) => {
    const folder = temporaryFolder(t)
    const hub = await startHubProcess(t, { data: join(folder, 'data') })
    await fixedKey(folder, 'pump-7')
    const origin = `https://localhost:${hub.https.port}`
    const curl = (...args: readonly string[]): Promise<string> =>
      output('curl', ['--silent', '--show-error', '--fail-with-body', '--cacert', hub.ca, ...args], folder)
    const sends = [
      '--header',
      'Content-Type: application/pkcs10',
      '--data-binary',
      '@req.b64',
      '--output',
      'answer.b64',
    ]
    const shows = ['--cert', 'cert.pem', '--key', 'key.pem']
    const taken = async (): Promise<number> => {
      await output('openssl', ['base64', '-d', '-in', 'answer.b64', '-out', 'answer.p7'], folder)
      await output(
        'openssl',
        ['pkcs7', '-inform', 'DER', '-in', 'answer.p7', '-print_certs', '-out', 'cert.pem'],
        folder,
      )
      const end = await output('openssl', ['x509', '-in', 'cert.pem', '-noout', '-enddate'], folder)
      return Date.parse(end.replace('notAfter=', ''))
    }

    const token = await tokenOf(hub, 'pump-7')
    await curl('--user', `pump-7:${token}`, ...sends, `${origin}/.well-known/est/simpleenroll`)
    const ends = [await taken()]
    await curl(...shows, '--request', 'POST', `${origin}/device/confirm`)
    for (let renewals = 0; renewals < 5; renewals += 1) {
      // Certificates end at whole seconds.
      await delay(1_100)
      await curl(...shows, ...sends, `${origin}/.well-known/est/simplereenroll`)
      ends.push(await taken())
      assert.match(await curl(...shows, '--request', 'POST', `${origin}/device/confirm`), /"state":"active"/)
    }
    for (const [index, end] of ends.entries()) if (index > 0) assert.ok(end > (ends[index - 1] ?? 0), ends.join(' '))
    const { credentials } = await hub.json<DeviceDetailView>(['device', 'show', 'pump-7'])
    assert.deepEqual(
      credentials.map(({ state }) => state),
      ['active', ...Array<string>(5).fill('superseded')],
    )
  },
)

test(
  'Python binds a request to its TLS 1.2 connection with tls-unique, and another binding is refused',
  needs('python3', 'openssl'),
  async (t) => {
    const folder = temporaryFolder(t)
    const hub = await startHubProcess(t, { data: join(folder, 'data') })
    await fixedKey(folder, 'pump-7')
    const token = await tokenOf(hub, 'pump-7')
    const client = join(import.meta.dirname, 'est-bound.py')
    const bound = async (...binding: readonly string[]): Promise<string> => {
      const place = ['localhost', `${hub.https.port}`, hub.ca]
      return output('python3', [client, ...place, 'pump-7', token, 'key.pem', ...binding], folder)
    }
    const stolen = Buffer.from('the Finished of another connection').toString('base64')
    assert.match(await bound(stolen), /^403\n.*"code":"channel-binding-mismatch"/)
    assert.match(await bound('hunter2'), /^403\n.*"code":"channel-binding-mismatch"/)
    assert.match(await bound(), /^200\nMII/)
  },
)
