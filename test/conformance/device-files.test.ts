/**
 * `handfast device files`: every example that a toolchain here can run connects to a real hub with the files beside it, unchanged.
 * ESP-IDF and the core for ESP32 are headers of ours with Debian's mbedTLS below; that for ESP8266 is a compiler's judgement.
 */
// needs: openssl
import assert from 'node:assert/strict'
import { X509Certificate } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import mqtt from 'mqtt'
import type { AttemptView, BootstrapView, PageView } from '../../src/api-schema/views.ts'
import { type HubProcess, repository, startHubProcess } from '../support/hub-process.ts'
import { startConfiguredMosquitto } from '../support/mosquitto-broker.ts'
import { needs } from '../support/programs.ts'
import { type Finished, type RunOptions, run } from '../support/run.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'

const shims = join(import.meta.dirname, 'device-files')
const words = 'correct horse'
const mbedtls = ['-lmbedtls', '-lmbedx509', '-lmbedcrypto']

function withHeader(header: string, ...programs: readonly string[]): { skip: string | false } {
  return existsSync(join('/usr/include', header)) ? needs(...programs) : { skip: `${header} is not installed` }
}

async function worked(program: string, args: readonly string[], options: RunOptions = {}): Promise<Finished> {
  const finished = await run(program, args, { timeoutMs: 20_000, ...options })
  assert.equal(finished.status, 0, `${program} ${args.join(' ')}\n${finished.stdout}\n${finished.stderr}`)
  return finished
}

/** Runs the example of a folder as its README says. */
const runners = {
  node: async (folder) => {
    // What `npm install` would bring.
    if (!existsSync(join(folder, 'node_modules')))
      symlinkSync(join(repository, 'node_modules'), join(folder, 'node_modules'))
    return await run(process.execPath, ['client.mjs'], { cwd: folder })
  },
  'paho-python': (folder) => run('/usr/bin/python3', [join(folder, 'publish.py')]),
  'paho-c': async (folder) => {
    await worked('cc', ['-Wall', '-Wextra', '-Werror', '-o', 'publish', 'publish.c', '-lpaho-mqtt3cs'], { cwd: folder })
    return await run('./publish', [], { cwd: folder })
  },
  mosquitto: (folder) => run('sh', [join(folder, 'publish.sh')]),
  'esp-idf': async (folder) => {
    const main = join(folder, 'main')
    const isLocked = existsSync(join(main, 'private_key_pass.txt'))
    const board = join(shims, 'esp-idf')
    const sources = ['app_main.c', join(board, 'board.c'), join(board, 'embed.S')]
    const define = isLocked ? ['-DDEVICE_KEY_HAS_PASSPHRASE'] : []
    await worked(
      'cc',
      ['-std=gnu17', '-Wall', '-Wextra', '-Werror', `-I${board}`, ...define, '-o', 'board', ...sources, ...mbedtls],
      {
        cwd: main,
      },
    )
    return await run('./board', [], { cwd: main })
  },
  arduino: async (folder) => {
    const sketch = join(folder, 'handfast_device/handfast_device.ino')
    const board = join(folder, 'board')
    const flags = ['-std=c++17', '-Wall', '-Werror', `-I${join(shims, 'arduino')}`, `-DSKETCH="${sketch}"`]
    await worked('c++', [...flags, '-o', board, join(shims, 'arduino/board.cpp'), ...mbedtls])
    return await run(board, [])
  },
} as const satisfies Record<string, (folder: string) => Promise<Finished>>
type Runnable = keyof typeof runners

const requirements: Readonly<Record<Runnable, { skip: string | false }>> = {
  node: { skip: false },
  'paho-python': existsSync('/usr/lib/python3/dist-packages/paho')
    ? { skip: false }
    : { skip: 'Paho is not installed' },
  'paho-c': withHeader('MQTTClient.h', 'cc'),
  mosquitto: needs('mosquitto_pub', 'mosquitto_sub'),
  'esp-idf': withHeader('mbedtls/ssl.h', 'cc'),
  arduino: withHeader('mbedtls/ssl.h', 'c++'),
}

test('files of a device', async (t) => {
  const folder = temporaryFolder(t)
  const hub = await startHubProcess(t, { data: join(folder, 'data') })
  const at = (name: string): string => join(folder, name)
  const pass = at('pass')
  writeFileSync(pass, `${words}\n`, { mode: 0o600 })
  const files = (...args: readonly string[]): Promise<Finished> => hub.cli(['device', 'files', ...args])
  const made = async (...args: readonly string[]): Promise<{ files: string[]; key: string; notAfter: string }> =>
    JSON.parse((await succeeded(files(...args, '--json'))).stdout)
  const refused = async (code: string, ...args: readonly string[]): Promise<string> => {
    const { status, stderr } = await files(...args, '--json')
    assert.notEqual(status, 0)
    const { error: problem } = JSON.parse(stderr) as { error: { code: string; message: string; hint: string } }
    assert.equal(problem.code, code, stderr)
    return `${problem.message}; ${problem.hint}`
  }
  const store = at('press-1')
  await hub.enrolled('press-1', store)

  await t.test('of a store run for every platform whose toolchain is here, and their readings arrive', async (t) => {
    const platforms = (Object.keys(runners) as Runnable[]).filter((each) => !requirements[each].skip)
    for (const platform of platforms) {
      const { key } = await made('press-1', '--for', platform, '--dir', store, '--out', at(`store-${platform}`))
      assert.equal(key, 'copied')
    }
    const listener = platforms.includes('mosquitto')
      ? run('sh', [join(at('store-mosquitto'), 'listen.sh'), '-C', `${platforms.length}`, '-W', '60'], {
          timeoutMs: 70_000,
        })
      : null
    if (listener !== null) await connected(hub, 'press-1', 1)
    for (const platform of platforms) {
      await t.test(platform, async () => {
        const { status, stdout, stderr } = await runners[platform](at(`store-${platform}`))
        assert.equal(status, 0, `${stdout}\n${stderr}`)
        if (platform !== 'mosquitto') assert.match(stdout, /^(I device: )?sent$/m)
      })
    }
    const heard = (await listener)?.stdout.trim().split('\n') ?? []
    const reading = 'devices/press-1/messages/events/ {"temperature":21}'
    if (listener !== null) assert.deepEqual(heard, Array(platforms.length).fill(reading))
  })

  for (const platform of ['node', 'paho-python', 'paho-c', 'esp-idf'] as const) {
    await t.test(`under a passphrase run on ${platform}`, requirements[platform], async () => {
      const out = at(`locked-${platform}`)
      await made('press-1', '--for', platform, '--dir', store, '--out', out, '--passphrase-file', pass)
      const name = platform === 'esp-idf' ? 'main/private_key.pem' : 'private_key.pem'
      assert.match(readFileSync(join(out, name), 'utf8'), /ENCRYPTED/)
      const { status, stdout, stderr } = await runners[platform](out)
      assert.equal(status, 0, `${stdout}\n${stderr}`)
    })
  }

  await t.test('are for their owner alone, and say what they are', () => {
    for (const name of readdirSync(folder).filter((each) => each.startsWith('store-'))) {
      assert.equal(statSync(at(name)).mode & 0o777, 0o700)
      const secret = readFileSync(join(at(name), '.gitignore'), 'utf8')
        .trim()
        .split('\n')
      assert.ok(secret.length > 0)
      for (const path of secret) assert.equal(statSync(join(at(name), path)).mode & 0o777, 0o600)
      const readme = readFileSync(join(at(name), 'README.md'), 'utf8')
      assert.doesNotMatch(readme, /@[A-Z_]+@/)
      assert.match(readme, /handfast agent run --dir .*--on-renewed 'handfast device files press-1 /)
    }
    assert.deepEqual(
      readdirSync(folder).filter((each) => each.endsWith('.unfinished')),
      [],
    )
  })

  await t.test(
    'for Meadow are made here with a token of the hub, and mbedTLS connects with them',
    withHeader('mbedtls/ssl.h', 'cc'),
    async () => {
      await hub.json(['device', 'add', 'meadow-1'])
      const out = at('meadow')
      const { key } = await made('meadow-1', '--for', 'meadow', '--out', out, '--passphrase-file', pass)
      assert.equal(key, 'made')
      assert.match(
        readFileSync(join(out, 'private_key.pem'), 'utf8'),
        /^-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC/,
      )
      assert.equal(readFileSync(join(out, 'private_key_pass.txt'), 'utf8'), words)
      const device = at('mbedtls-device')
      await worked('cc', ['-std=c99', '-O1', '-o', device, join(import.meta.dirname, 'mbedtls-device.c'), ...mbedtls])
      const paths = ['ca.pem', 'client_cert.pem', 'private_key.pem'].map((name) => join(out, name))
      await worked(device, ['localhost', `${hub.mqtt.port}`, ...paths, 'meadow-1', join(out, 'private_key_pass.txt')])
    },
  )

  await t.test('for MQTTnet are a PFX that OpenSSL opens and that connects', async () => {
    const { bootstrap } = await hub.json<BootstrapView>(['device', 'add', 'net-1'])
    writeFileSync(at('bootstrap'), bootstrap)
    const out = at('mqttnet')
    await made('net-1', '--for', 'mqttnet', '--out', out, '--bootstrap-file', at('bootstrap'))
    const words = readFileSync(join(out, 'device_pass.txt'), 'utf8')
    const { stdout } = await worked(
      'openssl',
      ['pkcs12', '-in', 'device.pfx', '-passin', 'file:device_pass.txt', '-nokeys'],
      { cwd: out },
    )
    assert.equal(stdout.match(/BEGIN CERTIFICATE/g)?.length, 2)
    const client = await mqtt.connectAsync(`mqtts://localhost:${hub.mqtt.port}`, {
      ...{ clientId: 'net-1', pfx: readFileSync(join(out, 'device.pfx')), passphrase: words },
      ca: readFileSync(join(out, 'ca.pem')),
    })
    await client.publishAsync('devices/net-1/messages/events/', '{}', { qos: 1 })
    await client.endAsync()
    await refused('files-exist', 'net-1', '--for', 'mqttnet', '--out', out, '--bootstrap-file', at('bootstrap'))
    const program = readFileSync(join(out, 'Program.cs'), 'utf8')
    assert.ok(program.includes(`.WithTcpServer("localhost", ${hub.mqtt.port})`))
  })

  await t.test('for Arduino are taken by a compiler for ESP8266, with either kind of key', needs('c++'), async (t) => {
    await hub.json(['device', 'add', 'sketch-1'])
    const kinds = [
      ['P-256', 0, 'EC PRIVATE KEY, EC'],
      ['RSA-2048', 1, 'RSA PRIVATE KEY, RSA'],
    ] as const
    for (const [type, macro, read] of kinds) {
      const out = at(`arduino-${type}`)
      await made('sketch-1', '--for', 'arduino', '--key-type', type, '--out', out)
      const credentials = join(out, 'handfast_device/credentials.h')
      assert.ok(readFileSync(credentials, 'utf8').includes(`#define DEVICE_KEY_IS_RSA ${macro}\n`))
      const esp8266 = ['-DESP8266', `-I${join(shims, 'arduino/esp8266')}`, '-fsyntax-only', '-x', 'c++']
      await worked('c++', [
        '-std=c++17',
        '-Wall',
        '-Werror',
        ...esp8266,
        join(out, 'handfast_device/handfast_device.ino'),
      ])
      await t.test(`and BearSSL reads ${type}`, withHeader('bearssl.h', 'c++'), async () => {
        const program = join(out, 'bearssl')
        const source = join(shims, 'arduino/bearssl.cpp')
        await worked('c++', [
          '-std=c++17',
          '-Wall',
          '-Werror',
          `-DCREDENTIALS="${credentials}"`,
          '-o',
          program,
          source,
          '-lbearssl',
        ])
        assert.equal((await worked(program, [])).stdout, `${read}\n`)
      })
    }
  })

  await t.test('in C# are taken by the parser of a compiler', needs('mcs'), async () => {
    const sources = [join(at('mqttnet'), 'Program.cs'), join(at('meadow'), 'MeadowApp.cs')].filter((each) =>
      existsSync(each),
    )
    assert.ok(sources.length > 0)
    for (const source of sources) await worked('mcs', ['-langversion:latest', '--parse', source])
  })

  await t.test(
    'make a Mosquitto broker the device',
    needs('mosquitto', 'mosquitto_pub', 'mosquitto_sub'),
    async (t) => {
      await hub.json(['device', 'add', 'edge-1'])
      const out = at('edge')
      await made('edge-1', '--for', 'mosquitto', '--out', out)
      const lines = readFileSync(join(out, 'bridge.conf'), 'utf8').replaceAll('/etc/mosquitto/handfast', out)
      const local = at('edge-broker')
      mkdirSync(local)
      const listener = run('sh', [join(out, 'listen.sh'), '-C', '1', '-W', '30'], { timeoutMs: 40_000 })
      await connected(hub, 'edge-1', 1)
      const broker = await startConfiguredMosquitto(
        t,
        local,
        (port) => `listener ${port} 127.0.0.1\nallow_anonymous true\n${lines}`,
      )
      await connected(hub, 'edge-1', 2)
      await worked('mosquitto_pub', [
        '-p',
        `${broker.port}`,
        '-q',
        '1',
        '-t',
        'handfast/messages/events/boiler',
        '-m',
        '61',
      ])
      assert.equal((await listener).stdout, 'devices/edge-1/messages/events/boiler 61\n', broker.output())
    },
  )

  await t.test('are renewed in their folder, and leave what a person has changed', async () => {
    const out = at('arduino-P-256')
    const sketch = join(out, 'handfast_device/handfast_device.ino')
    const header = join(out, 'handfast_device/credentials.h')
    const before = certificateIn(header)
    writeFileSync(sketch, '// mine\n')
    await made('sketch-1', '--for', 'arduino', '--out', out, '--force')
    assert.equal(readFileSync(sketch, 'utf8'), '// mine\n')
    const after = certificateIn(header)
    assert.notEqual(after.serialNumber, before.serialNumber)
    assert.equal(after.subject, before.subject)
  })

  await t.test('of files that were brought, by their content', async () => {
    const [cert, key, ca] = ['client_cert.pem', 'private_key.pem', 'ca.pem'].map((name) => join(store, name))
    assert.ok(cert && key && ca)
    const given = ['--cert', cert, '--key', key]
    const to = ['--to', `localhost:${hub.mqtt.port}`]
    assert.match(await refused('usage', 'press-1', '--for', 'node', '--out', at('b'), ...given, ...to), /--ca/)
    assert.match(await refused('usage', 'press-1', '--for', 'node', '--out', at('b'), ...given, '--ca', ca), /--to/)
    await made('press-1', '--for', 'node', '--out', at('b'), ...given, '--ca', ca, ...to)
    await succeeded(runners.node(at('b')))
    const other = join(at('meadow'), 'client_cert.pem')
    if (!existsSync(other)) return
    await refused(
      'key-certificate-mismatch',
      'press-1',
      '--for',
      'node',
      '--out',
      at('c'),
      '--cert',
      other,
      '--key',
      key,
    )
    assert.ok(!existsSync(at('c')))
  })

  await t.test('are refused by name, and nothing is made then', async () => {
    const none = at('none')
    const node = ['--for', 'node', '--out', none]
    assert.match(await refused('usage', 'press-1', '--for', 'esp', '--out', none), /meadow, esp-idf/)
    await refused('identity-id-invalid', 'a/b', ...node)
    assert.match(await refused('device-files-of-another', 'press-2', ...node, '--dir', store), /"press-1"/)
    writeFileSync(at('other-bootstrap'), (await hub.json<BootstrapView>(['device', 'token', 'net-1'])).bootstrap)
    await refused('device-files-of-another', 'press-1', ...node, '--bootstrap-file', at('other-bootstrap'))
    assert.match(await refused('usage', 'press-1', ...node, '--bootstrap-file', at('nowhere')), /the bootstrap file/)
    await refused('credential-missing', 'press-1', ...node, '--dir', at('nowhere'))
    await refused('identity-not-found', 'press-9', ...node)
    await refused('key-unfit-for-platform', 'press-1', '--for', 'esp-idf', '--out', none, '--key-type', 'Ed25519')
    await refused('usage', 'press-1', '--for', 'arduino', '--out', none, '--passphrase-file', pass)
    await refused('usage', 'press-1', ...node, '--dir', store, '--key-type', 'P-384')
    await refused('usage', 'press-1', ...node, '--dir', store, '--cert', 'x')
    await refused('usage', 'press-1', ...node, '--dir', store, '--to', 'hub')
    await refused('files-exist', 'press-1', '--for', 'node', '--out', at('edge'), '--dir', store)
    await refused('files-exist', 'press-1', '--for', 'node', '--out', at('edge'), '--dir', store, '--force')
    await refused('files-unwritable', 'press-1', '--for', 'node', '--out', pass, '--dir', store)
    assert.ok(!existsSync(none))
    assert.deepEqual(
      readdirSync(folder).filter((each) => each.endsWith('.unfinished')),
      [],
    )
  })

  await t.test('say why the hub refuses them, once the device is revoked', async () => {
    await succeeded(hub.cli(['revoke', 'press-1']))
    for (const platform of (Object.keys(runners) as Runnable[]).filter((each) => existsSync(at(`store-${each}`)))) {
      const { status, stdout, stderr } = await runners[platform](at(`store-${platform}`))
      assert.notEqual(status, 0, platform)
      assert.match(`${stdout}${stderr}`, /not.?authori[sz]ed|: 5|code 5|Banned|revoked/i, platform)
    }
  })
})

async function succeeded(finishing: Promise<Finished>): Promise<Finished> {
  const finished = await finishing
  assert.equal(finished.status, 0, `${finished.stdout}\n${finished.stderr}`)
  return finished
}

/** The certificate in a sketch's header. */
function certificateIn(header: string): X509Certificate {
  const pem = /client_cert_pem\[\] = R"pem\(\n([\s\S]*?)\)pem"/.exec(readFileSync(header, 'utf8'))?.[1]
  return new X509Certificate(pem ?? '')
}

/** Waits until so many connections of a device have been let in. */
async function connected(hub: HubProcess, id: string, count: number): Promise<void> {
  for (let tried = 0; tried < 200; tried += 1) {
    const { items } = await hub.json<PageView<AttemptView>>(['attempts', '--device', id])
    if (items.filter(({ outcome }) => outcome === 'admitted').length >= count) return
  }
  throw new Error(`${id} was not let in ${count} times`)
}
