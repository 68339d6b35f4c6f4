/** Keys that are not in the folder of their device, with real tokens, real programs and a hub in a process of its own. */
// one database: what a device does asks no database
import assert from 'node:assert/strict'
import { X509Certificate } from 'node:crypto'
import { chmodSync, existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import type { BootstrapView, DeviceDetailView } from '../../src/api-schema/views.ts'
import type { AgentStatus } from '../../src/device/renewal/status.ts'
import { type HubProcess, hubOfFile } from '../support/hub-process.ts'
import { needs } from '../support/programs.ts'
import { run } from '../support/run.ts'
import { needsToken, type SoftToken, softToken } from '../support/soft-token.ts'
import { needsTpm, softTpm } from '../support/soft-tpm.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'

const hubHere = hubOfFile()

type Environment = Readonly<Record<string, string>>

async function bootstrapOf(hub: HubProcess, id: string): Promise<string> {
  return (await hub.json<BootstrapView>(['device', 'add', id])).bootstrap
}

async function enrolled(hub: HubProcess, id: string, folder: string, args: readonly string[], env: Environment = {}) {
  const input = await bootstrapOf(hub, id)
  const { status, stdout, stderr } = await hub.cli(['enrol', '-', '--dir', folder, ...args], { input, env })
  assert.equal(status, 0, `${stdout}\n${stderr}`)
  return stdout
}

function certificateIn(folder: string): X509Certificate {
  return new X509Certificate(readFileSync(join(folder, 'client_cert.pem')))
}

function publicKeyIn(folder: string): string {
  return certificateIn(folder).publicKey.export({ type: 'spki', format: 'pem' }).toString()
}

async function stateOf(hub: HubProcess, id: string): Promise<readonly string[]> {
  const { credentials } = await hub.json<DeviceDetailView>(['device', 'show', id])
  return credentials.map(({ state }) => state)
}

/** All that is in a folder, as text. */
function allText(folder: string): string {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => readFileSync(join(entry.parentPath, entry.name), 'latin1'))
    .join('\n')
}

function tokenArguments(token: SoftToken): readonly string[] {
  return ['--key-uri', token.uri, '--pkcs11-module', token.modulePath]
}

/** Enrols, renews and looks, all with a key that stays where it is. */
async function assertLives(hub: HubProcess, id: string, folder: string, args: readonly string[], env: Environment) {
  await enrolled(hub, id, folder, args, env)
  const [first, key] = [certificateIn(folder), publicKeyIn(folder)]
  assert.equal(existsSync(join(folder, 'private_key.pem')), false)
  assert.ok(!/PRIVATE KEY/.test(allText(folder)), 'no key came into the folder')
  assert.deepEqual(await stateOf(hub, id), ['pending'])

  const { status, stdout, stderr } = await hub.cli(['agent', 'renew', '--dir', folder], { env })
  assert.equal(status, 0, `${stdout}\n${stderr}`)
  assert.notEqual(certificateIn(folder).serialNumber, first.serialNumber)
  assert.equal(publicKeyIn(folder), key)
  assert.ok((await stateOf(hub, id)).includes('active'), 'it was tried before it took the place of the old one')
}

test('a key in a token enrols and renews, and never leaves it', needsToken(), async (t) => {
  const folder = temporaryFolder(t)
  const hub = await hubHere()
  for (const [id, keyType] of [
    ['pump-ec', 'EC:prime256v1'],
    ['pump-rsa', 'rsa:2048'],
  ] as const) {
    await t.test(keyType, async () => {
      const token = softToken(join(folder, `token-${id}`), keyType)
      const device = join(folder, id)
      await assertLives(hub, id, device, tokenArguments(token), token.env)
      assert.ok(!allText(device).includes(token.pin))
      const told = await hub.json<AgentStatus>(['agent', 'status', '--dir', device])
      assert.equal(told.keyPlace, token.uri)
      const roots = await hub.cli(['roots', '--dir', device], { env: token.env })
      assert.equal(roots.status, 0, roots.stderr)
    })
  }

  await t.test('a token that is not there fails by name, and the certificate stays', async () => {
    const device = join(folder, 'pump-ec')
    const before = certificateIn(device).serialNumber
    const env = { SOFTHSM2_CONF: join(folder, 'none.conf') }
    const { status, stderr } = await hub.cli(['agent', 'renew', '--dir', device], { env })
    assert.equal(status, 4)
    assert.match(stderr, /key of this device cannot be used|openssl/)
    assert.equal(certificateIn(device).serialNumber, before)
  })

  await t.test('a PIN in the URI is refused before anything is run', async () => {
    const uri = 'pkcs11:token=device;object=device-key?pin-value=471108'
    const input = await bootstrapOf(hub, 'pump-pin')
    const args = ['enrol', '-', '--dir', join(folder, 'pump-pin'), '--key-uri', uri]
    const { status, stderr } = await hub.cli(args, { input })
    assert.notEqual(status, 0)
    assert.match(stderr, /HF-7562/)
    assert.ok(!stderr.includes('471108'))
  })
})

test('a key in a TPM enrols and renews', needsTpm(), async (t) => {
  const folder = temporaryFolder(t)
  const hub = await hubHere()
  const tpm = await softTpm(t, join(folder, 'tpm'))
  await assertLives(
    hub,
    'pump-7',
    join(folder, 'pump-7'),
    ['--key-uri', tpm.uri, '--openssl-provider', 'tpm2'],
    tpm.env,
  )
})

test('a program of the operator signs with a key that it alone reaches', needs('openssl'), async (t) => {
  const folder = temporaryFolder(t)
  const hub = await hubHere()
  const key = join(folder, 'element.pem')
  await run('openssl', ['genpkey', '-algorithm', 'EC', '-pkeyopt', 'ec_paramgen_curve:P-256', '-out', key])
  const program = (name: string, sign: string): string => {
    const path = join(folder, name)
    writeFileSync(
      path,
      `#!/bin/sh\ncase "$1" in\npublic-key) openssl pkey -in ${key} -pubout ;;\nsign) ${sign} ;;\nesac\n`,
    )
    chmodSync(path, 0o755)
    return path
  }
  const signer = program('signer', `openssl dgst -"$2" -sign ${key}`)

  await t.test('it enrols', async () => {
    const device = join(folder, 'pump-1')
    const told = await enrolled(hub, 'pump-1', device, ['--signer', signer])
    assert.match(told, new RegExp(`reached with ${signer}`))
    assert.equal(existsSync(join(device, 'private_key.pem')), false)
  })

  await t.test('it does not make connections, and who wants one is told so', async () => {
    const device = join(folder, 'pump-1')
    const { status, stderr } = await hub.cli(['agent', 'renew', '--dir', device])
    assert.equal(status, 4)
    assert.match(stderr, /no connection can be made/)
    const proxy = await hub.cli(['roots', '--dir', device])
    assert.match(proxy.stderr, /HF-7560/)
  })

  for (const [name, sign, complaint] of [
    ['says why not', 'echo the element is locked >&2; exit 3', /ended with 3: the element is locked/],
    ['signs something else', `echo other | openssl dgst -sha256 -sign ${key}`, /no signature with the key/],
    ['prints without end', 'cat /dev/zero', /printed more than/],
  ] as const) {
    await t.test(`one that ${name} is named, and nothing is asked of the hub`, async () => {
      const bad = program(name.replaceAll(' ', '-'), sign)
      const input = await bootstrapOf(hub, `pump-${name.length}`)
      const device = join(folder, name)
      const { status, stderr } = await hub.cli(['enrol', '-', '--dir', device, '--signer', bad], { input })
      assert.notEqual(status, 0)
      assert.match(stderr, /HF-7561/)
      assert.match(stderr, complaint)
      assert.equal(existsSync(join(device, 'client_cert.pem')), false)
    })
  }
})

test('an owner brings a key or a request', needs('openssl'), async (t) => {
  const folder = temporaryFolder(t)
  const hub = await hubHere()
  const [key, pass, csr] = ['key.pem', 'pass.txt', 'device.csr'].map((name) => join(folder, name)) as [
    string,
    string,
    string,
  ]
  writeFileSync(pass, 'correct horse\n', { mode: 0o600 })
  const made = ['genpkey', '-algorithm', 'EC', '-pkeyopt', 'ec_paramgen_curve:P-256', '-aes256']
  await run('openssl', [...made, '-pass', `file:${pass}`, '-out', key])
  const publicKey = (await run('openssl', ['pkey', '-in', key, '-passin', `file:${pass}`, '-pubout'])).stdout

  await t.test('a key with its passphrase', async () => {
    const device = join(folder, 'press-1')
    await enrolled(hub, 'press-1', device, ['--key', key, '--key-pass', pass])
    assert.equal(publicKeyIn(device), publicKey)
    assert.ok(
      certificateIn(device).checkPrivateKey(
        (await import('node:crypto')).createPrivateKey(readFileSync(join(device, 'private_key.pem'))),
      ),
    )
    const { status, stderr } = await hub.cli(['agent', 'renew', '--dir', device])
    assert.equal(status, 0, stderr)
  })

  await t.test('a key whose passphrase is missing is refused by name', async () => {
    const input = await bootstrapOf(hub, 'press-2')
    const { status, stderr } = await hub.cli(['enrol', '-', '--dir', join(folder, 'press-2'), '--key', key], { input })
    assert.notEqual(status, 0)
    assert.match(stderr, /HF-7522/)
  })

  await t.test('a request: the certificate is kept, and no key', async () => {
    await run('openssl', ['req', '-new', '-key', key, '-passin', `file:${pass}`, '-subj', '/CN=press-3', '-out', csr])
    const device = join(folder, 'press-3')
    await enrolled(hub, 'press-3', device, ['--csr', csr])
    assert.equal(publicKeyIn(device), publicKey)
    assert.equal(existsSync(join(device, 'private_key.pem')), false)
    const { status, stderr } = await hub.cli(['agent', 'renew', '--dir', device])
    assert.equal(status, 4)
    assert.match(stderr, /key of this device is elsewhere/)
  })

  await t.test('a request for another device is not sent', async () => {
    const input = await bootstrapOf(hub, 'press-4')
    const { status, stderr } = await hub.cli(['enrol', '-', '--dir', join(folder, 'press-4'), '--csr', csr], { input })
    assert.notEqual(status, 0)
    assert.match(stderr, /HF-7562.*|is for "press-3"/)
  })

  await t.test('keys that contradict each other are a mistake of usage', async () => {
    const args = ['enrol', 'x', '--dir', join(folder, 'press-5'), '--csr', csr, '--key', key]
    assert.equal((await hub.cli(args)).status, 2)
  })
})
