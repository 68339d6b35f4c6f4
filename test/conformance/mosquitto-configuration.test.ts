/**
 * What the doctor says of a configuration is what Mosquitto does with it: with the fault the stranger is in or the device is out,
 * and with it mended the other way round.
 */
import assert from 'node:assert/strict'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { before, test } from 'node:test'
import type { FailureName } from '../../src/core/failure/catalogue.ts'
import { examineConfiguration } from '../../src/doctor/mosquitto/examine-configuration.ts'
import { localMachine } from '../../src/doctor/mosquitto/local-machine.ts'
import type { DeviceFiles } from '../support/hub-process.ts'
import { Maker, openssl } from '../support/maker.ts'
import { startConfiguredMosquitto } from '../support/mosquitto-broker.ts'
import { needs, programPath } from '../support/programs.ts'
import { run } from '../support/run.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'

const needed = needs('mosquitto', 'mosquitto_pub', 'mosquitto_passwd', 'openssl')

interface Fleet {
  readonly folder: string
  readonly acme: Maker
  readonly server: DeviceFiles
  readonly pump: DeviceFiles
  readonly lost: DeviceFiles
  /** A CRL in which `lost` stands. */
  readonly crl: string
}

let fleet: Fleet

before(async (context) => {
  if (needed.skip !== false) return
  const folder = temporaryFolder(context as { after(step: () => void): unknown })
  const acme = await Maker.start(folder, 'acme')
  const ca = acme.path('ca.pem')
  const names = 'subjectAltName=DNS:localhost\nextendedKeyUsage=serverAuth'
  const server = await acme.issue('server', 'localhost', ca, names)
  const pump = await acme.issue('pump', 'pump', ca, 'extendedKeyUsage=clientAuth')
  const lost = await acme.issue('lost', 'lost', ca, 'extendedKeyUsage=clientAuth')
  await acme.revoke(lost.cert)
  fleet = { folder, acme, server, pump, lost, crl: await acme.crl() }
})

/** A listener that is as it should be; lines by what they are about, null leaves one out. */
function lines(port: number, changes: Readonly<Record<string, string | null>> = {}): string {
  const { server, crl } = fleet
  const all: Readonly<Record<string, string | null>> = {
    listener: `listener ${port}`,
    certfile: `certfile ${server.cert}`,
    keyfile: `keyfile ${server.key}`,
    cafile: `cafile ${server.ca}`,
    crlfile: `crlfile ${crl}`,
    require: 'require_certificate true',
    identity: 'use_identity_as_username true',
    acl: `acl_file ${written('acl', 'pattern readwrite devices/%u/#\n')}`,
    ...changes,
  }
  return `${Object.values(all)
    .filter((line) => line !== null)
    .join('\n')}\n`
}

function written(name: string, text: string): string {
  const path = join(fleet.folder, name)
  writeFileSync(path, text)
  return path
}

interface Caller {
  /** Whose certificate it shows; null for a stranger without TLS. */
  readonly as: 'pump' | 'lost' | null
  readonly more?: readonly string[]
  readonly topic?: string
}

/** Whether a message of that client is taken: by MQTT 5, which says so. */
async function isTaken(port: number, { as, more = [], topic = 'devices/pump/t' }: Caller): Promise<boolean> {
  const files = as === null ? null : fleet[as]
  const tls = files === null ? [] : ['--cafile', files.ca, '--cert', files.cert, '--key', files.key]
  const args = ['-h', 'localhost', '-p', `${port}`, '-V', '5', '-q', '1', '-t', topic, '-m', 'x', ...tls, ...more]
  const { status, stderr, stdout } = await run('mosquitto_pub', args, { timeoutMs: 15_000 })
  return status === 0 && !/Not authorized/i.test(stderr + stdout)
}

function codesIn(path: string): readonly FailureName[] {
  const { findings } = examineConfiguration(path, localMachine(Math.floor(Date.now() / 1000)))
  return findings.filter(({ severity }) => severity !== 'note').map(({ code }) => code)
}

interface Pair {
  readonly says: string
  readonly code: FailureName
  readonly caller: Caller
  /** Whether the fault lets the caller in, or keeps it out. */
  readonly letsIn: boolean
  faulty(port: number): string
  mended?(port: number): string
}

const pairs: readonly Pair[] = [
  {
    ...{ says: 'anybody is let in', code: 'mosquitto-anonymous', caller: { as: null }, letsIn: true },
    faulty: (port) => `listener ${port}\nallow_anonymous true\n`,
    mended: (port) => `listener ${port}\nallow_anonymous false\npassword_file ${written('none', '')}\n`,
  },
  {
    ...{
      says: 'a certificate is demanded without TLS',
      code: 'mosquitto-tls-not-on',
      caller: { as: null },
      letsIn: true,
    },
    faulty: (port) => lines(port, { keyfile: null, certfile: null, identity: 'allow_anonymous true', acl: null }),
  },
  {
    says: 'a name is believed',
    code: 'mosquitto-name-unproven',
    caller: { as: 'pump', more: ['-u', 'admin'], topic: 'plant/stop' },
    letsIn: true,
    faulty: (port) => lines(port, { identity: 'allow_anonymous true', acl: adminAlone() }),
    mended: (port) => lines(port, { acl: adminAlone() }),
  },
  {
    says: 'names come from certificates that are not asked for',
    code: 'mosquitto-certificate-not-requested',
    caller: { as: 'pump' },
    letsIn: false,
    faulty: (port) => lines(port, { require: null }),
  },
  {
    ...{ says: 'nobody has a name', code: 'mosquitto-nobody-admitted', caller: { as: 'pump' }, letsIn: false },
    faulty: (port) => lines(port, { identity: null }),
  },
  {
    ...{ says: 'no authority is known', code: 'mosquitto-anchors-missing', caller: { as: 'pump' }, letsIn: false },
    faulty: (port) => lines(port, { cafile: null, crlfile: null }),
  },
  {
    ...{ says: 'a folder has no hashes', code: 'mosquitto-capath-unhashed', caller: { as: 'pump' }, letsIn: false },
    faulty: (port) => lines(port, { cafile: `capath ${fleet.folder}`, crlfile: null }),
  },
  {
    ...{ says: 'revocation is not looked at', code: 'mosquitto-revocation-unchecked', letsIn: true },
    caller: { as: 'lost', topic: 'devices/lost/t' },
    faulty: (port) => lines(port, { crlfile: null }),
  },
  {
    ...{
      says: 'the CRL of the authority is missing',
      code: 'broker-crl-missing',
      caller: { as: 'pump' },
      letsIn: false,
    },
    faulty: (port) => lines(port, { crlfile: `crlfile ${join(fleet.folder, 'foreign-crl.pem')}` }),
  },
  {
    ...{ says: 'the CRL has an end that has come', code: 'broker-crl-ended', caller: { as: 'pump' }, letsIn: false },
    faulty: (port) => lines(port, { crlfile: `crlfile ${join(fleet.folder, 'old-crl.pem')}` }),
  },
  {
    says: 'topics go by the client id',
    code: 'mosquitto-acl-client-id',
    caller: { as: 'pump', more: ['-i', 'valve'], topic: 'devices/valve/t' },
    letsIn: true,
    faulty: (port) => lines(port, { acl: `acl_file ${written('by-client', 'pattern readwrite devices/%c/#\n')}` }),
  },
  {
    says: 'an edge node may speak as another',
    code: 'mosquitto-acl-sparkplug',
    caller: { as: 'pump', topic: 'spBv1.0/plant/NDATA/valve' },
    letsIn: true,
    faulty: (port) => lines(port, { acl: `acl_file ${written('wide', 'user pump\ntopic readwrite spBv1.0/#\n')}` }),
    mended: (port) =>
      lines(port, { acl: `acl_file ${written('own', 'user pump\ntopic write spBv1.0/plant/NDATA/pump\n')}` }),
  },
  {
    says: 'everybody may write everywhere',
    code: 'mosquitto-acl-for-everyone',
    caller: { as: 'pump', topic: 'devices/valve/t' },
    letsIn: true,
    faulty: (port) => lines(port, { acl: `acl_file ${written('all', 'pattern readwrite #\n')}` }),
  },
  {
    says: 'a password is no hash',
    code: 'mosquitto-password-not-hashed',
    caller: { as: null, more: ['-u', 'pump', '-P', 'wet'] },
    letsIn: false,
    faulty: (port) => `listener ${port}\npassword_file ${written('plain', 'pump:wet\n')}\n`,
    mended: (port) => `listener ${port}\npassword_file ${join(fleet.folder, 'hashed')}\n`,
  },
]

function adminAlone(): string {
  return `acl_file ${written('admin', 'user admin\ntopic readwrite plant/#\n')}`
}

for (const { says, code, caller, letsIn, faulty, mended = (port: number) => lines(port) } of pairs) {
  test(
    `${says}: ${letsIn ? 'the stranger is in' : 'the device is out'}, and mended it is not so`,
    needed,
    async (t) => {
      await prepareFiles(code)
      for (const isMended of [false, true]) {
        const folder = temporaryFolder(t)
        const { port } = await startConfiguredMosquitto(t, folder, isMended ? mended : faulty)
        assert.equal(codesIn(join(folder, 'mosquitto.conf')).includes(code), !isMended)
        assert.equal(await isTaken(port, caller), letsIn !== isMended)
      }
    },
  )
}

/** Files that take a while to make, for those who need them. */
async function prepareFiles(code: FailureName): Promise<void> {
  const at = (name: string) => join(fleet.folder, name)
  if (code === 'broker-crl-missing') {
    const other = await Maker.start(fleet.folder, 'other')
    writeFileSync(at('foreign-crl.pem'), await run('cat', [await other.crl()]).then(({ stdout }) => stdout))
  }
  if (code === 'broker-crl-ended') {
    const { acme } = fleet
    const by = ['-config', acme.path('ca.cnf'), '-cert', acme.path('ca.pem'), '-keyfile', acme.path('ca.key')]
    const dates = ['-crl_lastupdate', '20240101000000Z', '-crl_nextupdate', '20240108000000Z']
    await openssl('ca', ...by, '-gencrl', ...dates, '-out', at('old-crl.pem'))
  }
  if (code === 'mosquitto-password-not-hashed') {
    writeFileSync(at('hashed'), 'pump:wet\n')
    assert.equal((await run('mosquitto_passwd', ['-U', at('hashed')])).status, 0)
  }
}

test('a configuration that is said to keep Mosquitto from starting does', needed, async (t) => {
  const folder = temporaryFolder(t)
  const der = join(fleet.folder, 'crl.der')
  await openssl('crl', '-in', fleet.crl, '-outform', 'DER', '-out', der)
  const aclOf = (name: string, text: string) => ({ acl: `acl_file ${written(name, text)}` })
  const cases: readonly (readonly [FailureName, string])[] = [
    ['mosquitto-option-unknown', lines(0, { more: 'requre_certificate true' })],
    ['mosquitto-option-unknown', lines(0, { more: '\tallow_anonymous true' })],
    ['mosquitto-option-unknown', lines(0, { more: 'allow_anonymous=true' })],
    ['mosquitto-value-invalid', lines(0, { more: 'allow_anonymous yes' })],
    ['mosquitto-value-invalid', lines(0, { more: 'tls_version 1.2' })],
    ['mosquitto-option-repeated', lines(0, { more: `certfile ${fleet.server.cert}` })],
    ['mosquitto-per-listener-late', lines(0, { more: 'per_listener_settings true' })],
    ['mosquitto-file-missing', lines(0, { crlfile: 'crlfile /nowhere/crl.pem' })],
    ['broker-crl-unreadable', lines(0, { crlfile: `crlfile ${der}` })],
    ['key-certificate-mismatch', lines(0, { keyfile: `keyfile ${fleet.pump.key}` })],
    ['mosquitto-acl-unreadable', lines(0, aclOf('writ', 'topic writ a\n'))],
    ['mosquitto-acl-unreadable', lines(0, aclOf('tab', 'topic\tread a\n'))],
    ['mosquitto-acl-unreadable', lines(0, aclOf('comment', 'topic read a/# # all\n'))],
    ['mosquitto-acl-unreadable', lines(0, aclOf('nobody', 'user\n'))],
  ]
  for (const [number, [code, text]] of cases.entries()) {
    const path = join(folder, `${number}.conf`)
    // A unix socket takes no port of anybody.
    writeFileSync(path, `${text.replace('listener 0', `listener 0 ${join(folder, `${number}.sock`)}`)}\n${userRoot}`)
    assert.ok(codesIn(path).includes(code), `${code} in ${text}`)
    const { status, stderr } = await run(mosquitto(), ['-c', path], { timeoutMs: 10_000 })
    assert.notEqual(status, 0, `${code}: ${stderr}`)
  }
})

const userRoot = process.getuid?.() === 0 ? 'user root\n' : ''

function mosquitto(): string {
  return programPath('mosquitto') ?? 'mosquitto'
}

const asRoot = { skip: needed.skip === false && userRoot === '' ? 'only root becomes another user' : needed.skip }

test('a key that the user of the broker may not read keeps it from starting', asRoot, async (t) => {
  const folder = temporaryFolder(t)
  mkdirSync(join(folder, 'closed'), { mode: 0o700 })
  const path = join(folder, 'mosquitto.conf')
  writeFileSync(path, lines(0).replace('listener 0', `listener 0 ${join(folder, 'socket')}`))
  assert.ok(codesIn(path).includes('mosquitto-file-unreadable-by-broker'))
  const { status, stderr } = await run(mosquitto(), ['-c', path], { timeoutMs: 10_000 })
  assert.notEqual(status, 0)
  assert.match(stderr, /Permission denied|Unable to open/)
})
