/** A device in C with Debian's mbedTLS connects with every key that is written for it, and with those of Meadow's recipes once converted. */
// needs: cc faketime openssl
import assert from 'node:assert/strict'
import { existsSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import type { AttemptView, PageView } from '../../src/api-schema/views.ts'
import { startHubProcess } from '../support/hub-process.ts'
import { needs } from '../support/programs.ts'
import { run } from '../support/run.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'

const words = 'correct horse'
const source = join(import.meta.dirname, 'mbedtls-device.c')
const isThere = existsSync('/usr/include/mbedtls/ssl.h')
const wanted = isThere ? needs('cc', 'faketime', 'openssl') : { skip: 'libmbedtls-dev is not installed' }

test('a device in C connects with every key form that is written for mbedTLS', wanted, async (t) => {
  const folder = temporaryFolder(t)
  const device = join(folder, 'mbedtls-device')
  const libraries = ['-lmbedtls', '-lmbedx509', '-lmbedcrypto']
  const compiled = await run('cc', ['-std=c99', '-Wall', '-Werror', '-O1', '-o', device, source, ...libraries])
  assert.equal(compiled.status, 0, compiled.stderr)
  const hub = await startHubProcess(t, { data: join(folder, 'data') })
  const pass = join(folder, 'pass')
  writeFileSync(pass, `${words}\n`, { mode: 0o600 })
  const given = `pass:${words}`

  const openssl = async (...args: string[]): Promise<void> => {
    const { status, stderr } = await run('openssl', args, { cwd: folder })
    assert.equal(status, 0, stderr)
  }
  const connects = async (ca: string, certificate: string, key: string, id: string, file: string | null) => {
    const args = ['localhost', String(hub.mqtt.port), ca, certificate, key, id]
    return await run(device, file === null ? args : [...args, file])
  }

  let tried = 0
  for (const keyType of ['P-256', 'P-384', 'RSA-2048']) {
    const id = `press-${keyType.toLowerCase()}`
    const { bootstrap } = await hub.json<{ bootstrap: string }>(['device', 'add', id])
    const store = join(folder, id)
    await hub.json(['enrol', bootstrap, '--dir', store, '--key-type', keyType])
    const [key, certificate, ca] = ['private_key.pem', 'client_cert.pem', 'ca.pem'].map((name) => join(store, name))
    assert.ok(key !== undefined && certificate !== undefined && ca !== undefined)
    for (const platform of ['mbedtls', 'esp-idf', 'meadow']) {
      for (const file of [null, pass]) {
        const out = join(folder, `${id}-${platform}-${file === null ? 'plain' : 'encrypted'}`)
        const encrypted = file === null ? [] : ['--passphrase-file', file]
        const made = await hub.cli(['convert', key, certificate, '--for', platform, '--out', out, ...encrypted])
        assert.equal(made.status, 0, made.stderr)
        const files = readdirSync(out)
        assert.ok(files.includes('private_key.pem') && files.includes('client_cert.pem'), files.join())
        const { status, stderr } = await connects(
          ca,
          join(out, 'client_cert.pem'),
          join(out, 'private_key.pem'),
          id,
          file,
        )
        assert.equal(status, 0, `${out}: ${stderr}`)
        tried++
      }
    }
    if (keyType !== 'RSA-2048') continue

    // What OpenSSL 3 makes of a PFX is not for mbedTLS; the recipe that Meadow shows is.
    await openssl('pkcs12', '-export', '-inkey', key, '-in', certificate, '-out', 'your.pfx', '-passout', given)
    await openssl('pkcs12', '-in', 'your.pfx', '-nocerts', '-out', 'nocerts.pem', '-passin', given, '-passout', given)
    const nocerts = join(folder, 'nocerts.pem')
    const refused = await connects(ca, certificate, nocerts, id, pass)
    assert.match(refused.stderr, /^key: -0x/)
    await openssl('rsa', '-in', key, '-out', 'des3.pem', '-des3', '-traditional', '-passout', given)
    assert.equal((await connects(ca, certificate, join(folder, 'des3.pem'), id, pass)).status, 0)
    const out = join(folder, 'converted')
    const made = await hub.cli(['convert', nocerts, certificate, '--pass', pass, '--for', 'meadow', '--out', out])
    assert.equal(made.status, 0, made.stderr)
    assert.equal((await connects(ca, certificate, join(out, 'private_key.pem'), id, null)).status, 0)
  }
  assert.equal(tried, 18)

  assert.equal((await hub.cli(['revoke', 'press-p-256'])).status, 0)
  const store = join(folder, 'press-p-256')
  const [ca, certificate, key] = ['ca.pem', 'client_cert.pem', 'private_key.pem'].map((name) => join(store, name))
  const revoked = await connects(ca ?? '', certificate ?? '', key ?? '', 'press-p-256', null)
  assert.match(revoked.stderr, /the CONNACK has the code 5/)

  // The alerts alone would not tell: mbedTLS 2.28 puts its clock into its first message.
  const args = ['localhost', String(hub.mqtt.port), ca ?? '', certificate ?? '', key ?? '', 'press-p-256']
  for (const [clock, code, words] of [
    ['@1970-01-02 00:00:00', 'hub-certificate-not-yet-valid', /its clock stands at 1970-01-02T/],
    ['+400d', 'hub-certificate-expired', /its clock seems to stand at/],
  ] as const) {
    const refused = await run('faketime', ['-f', clock, device, ...args])
    assert.match(refused.stderr, /^handshake: -0x2700/)
    const { items } = await hub.json<PageView<AttemptView>>(['attempts', '--limit', '1'])
    assert.equal(items[0]?.code, code)
    assert.match(items[0]?.sentence ?? '', words)
  }
})
