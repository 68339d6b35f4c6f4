/** Key files and PFX as programs read them that are not ours. */
import assert from 'node:assert/strict'
import { createPrivateKey, randomBytes } from 'node:crypto'
import { existsSync, globSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, type TestContext, test } from 'node:test'
import { type KeyForm, keyFile } from '../../src/core/key-file/key-file.ts'
import { type KeyPassphrase, parseKeyPassphrase } from '../../src/core/key-file/passphrase.ts'
import { type PfxProtection, pfx, pfxProtections } from '../../src/core/key-file/pfx.ts'
import { Secret } from '../../src/core/secret.ts'
import { certificateFingerprint } from '../../src/core/x509/certificate.ts'
import { ecKey, makeDevice, makeIssuing, makeRoot, rsaKey, type TestKey } from '../core/x509/support.ts'
import { needs } from '../support/programs.ts'
import { run } from '../support/run.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'

const words = 'k3fx-9amp-7wqh-2bnc-y5rt'
const passphrase = parseKeyPassphrase(new Secret(words))
const random = (count: number): Uint8Array => randomBytes(count)
const nowSec = Math.floor(Date.now() / 1000)
const validity = { notBeforeSec: nowSec - 300, notAfterSec: nowSec + 86_400 }
const root = makeRoot(validity)
const issuing = makeIssuing(root, validity)
const keys: Readonly<Record<'EC' | 'RSA', TestKey>> = { EC: ecKey(), RSA: rsaKey() }
const cases = Object.values(keys).flatMap((key) => pfxProtections.map((protection) => ({ key, protection })))

function pfxOf(key: TestKey, protection: PfxProtection): { readonly bytes: Uint8Array; readonly own: Uint8Array } {
  const own = makeDevice(issuing, validity, key)
  const certificates = [own, issuing.der, root.der] as const
  const content = { key: key.privateKey, certificates, friendlyName: 'anna at plant.example' }
  return { bytes: pfx(content, passphrase, protection, random), own }
}

function written(context: TestContext, name: string, content: string | Uint8Array): string {
  const path = join(temporaryFolder(context), name)
  writeFileSync(path, content)
  return path
}

/** Standard output and error of a program that must end well. */
async function output(program: string, args: readonly string[], input = ''): Promise<string> {
  const { status, stdout, stderr } = await run(program, args, { input })
  assert.equal(status, 0, `${program} ${args.join(' ')}\n${stdout}\n${stderr}`)
  return stdout + stderr
}

describe('OpenSSL', needs('openssl'), () => {
  test('reads a PFX of either protection without its legacy provider, with the chain and the name', async (context) => {
    for (const { key, protection } of cases) {
      const path = written(context, 'user.pfx', pfxOf(key, protection).bytes)
      const text = await output('openssl', ['pkcs12', '-in', path, '-info', '-nodes', '-passin', `pass:${words}`])
      const encryption = protection === 'modern' ? 'PBES2, PBKDF2, AES-256-CBC' : 'pbeWithSHA1And3-KeyTripleDES-CBC'
      assert.equal(text.split(encryption).length - 1, 2, text)
      assert.match(text, protection === 'modern' ? /MAC: sha256/ : /MAC: sha1/)
      assert.match(text, /friendlyName: anna at plant\.example/)
      assert.equal(text.match(/BEGIN CERTIFICATE/g)?.length, 3)
      const [pem] = /-----BEGIN PRIVATE KEY-----[\s\S]*?-----END PRIVATE KEY-----/.exec(text) ?? []
      assert.ok(createPrivateKey(pem ?? '').equals(key.privateKey))
    }
  })

  test('refuses a PFX under another passphrase, and one in which a byte was changed', async (context) => {
    const { bytes } = pfxOf(keys.EC, 'modern')
    const path = written(context, 'user.pfx', bytes)
    const other = await run('openssl', ['pkcs12', '-in', path, '-noout', '-passin', 'pass:another one'])
    assert.notEqual(other.status, 0)
    const bent = Uint8Array.from(bytes)
    bent[200] = (bent[200] ?? 0) ^ 1
    const bentPath = written(context, 'bent.pfx', bent)
    assert.notEqual((await run('openssl', ['pkcs12', '-in', bentPath, '-noout', '-passin', `pass:${words}`])).status, 0)
  })

  test('reads key files of every form', async (context) => {
    for (const form of ['pkcs8', 'traditional'] as const) {
      for (const key of Object.values(keys)) {
        const path = written(context, 'key.pem', keyFile(key.privateKey, form, passphrase, random).reveal())
        const pem = await output('openssl', ['pkey', '-in', path, '-passin', `pass:${words}`])
        assert.ok(createPrivateKey(pem).equals(key.privateKey))
      }
    }
  })
})

describe('GnuTLS', needs('certtool'), () => {
  test('reads a PFX of either protection', async (context) => {
    for (const { key, protection } of cases) {
      const path = written(context, 'user.pfx', pfxOf(key, protection).bytes)
      const text = await output('certtool', ['--p12-info', '--inder', '--infile', path, '--password', words])
      assert.equal(text.match(/BEGIN CERTIFICATE/g)?.length, 3, text)
      assert.match(text, protection === 'modern' ? /Cipher: AES-256-CBC/ : /Cipher: 3DES-CBC/)
      assert.match(text, protection === 'modern' ? /MAC: SHA256/ : /MAC: SHA1 /)
    }
  })
})

describe('NSS, which is what Firefox reads with', needs('pk12util', 'certutil'), () => {
  test('imports a PFX of either protection, key and certificate together', async (context) => {
    for (const { key, protection } of cases) {
      const { bytes } = pfxOf(key, protection)
      const folder = join(temporaryFolder(context), 'nss')
      mkdirSync(folder)
      await output('certutil', ['-N', '-d', `sql:${folder}`, '--empty-password'])
      const path = written(context, 'user.pfx', bytes)
      await output('pk12util', ['-i', path, '-d', `sql:${folder}`, '-W', words])
      assert.match(await output('certutil', ['-L', '-d', `sql:${folder}`]), /anna at plant\.example\s+u,u,u/)
      assert.match(await output('certutil', ['-K', '-d', `sql:${folder}`]), /anna at plant\.example/)
    }
  })
})

describe('Java', needs('keytool'), () => {
  test('lists the entry of a PFX of either protection', async (context) => {
    for (const { key, protection } of cases) {
      const { bytes, own } = pfxOf(key, protection)
      const path = written(context, 'user.pfx', bytes)
      const args = ['-list', '-v', '-keystore', path, '-storetype', 'PKCS12', '-storepass:env', 'PFX_WORDS']
      const { status, stdout, stderr } = await run('keytool', args, { env: { PFX_WORDS: words } })
      assert.equal(status, 0, stdout + stderr)
      assert.match(stdout, /PrivateKeyEntry/)
      assert.match(stdout, /Certificate chain length: 3/)
      const fingerprint = certificateFingerprint(own).toUpperCase().match(/../g)?.join(':') ?? ''
      assert.ok(stdout.includes(fingerprint), stdout)
    }
  })
})

/** mbedTLS comes without a program that reads keys, so Python calls the library. */
const mbedtls = globSync('/usr/lib/*/libmbedcrypto.so.*').find((path) => existsSync(path)) ?? null
const parseKey = `
import ctypes, sys
library = ctypes.CDLL(sys.argv[1])
context = ctypes.create_string_buffer(256)
library.mbedtls_pk_init(context)
key = open(sys.argv[2], 'rb').read() + b'\\0'
words = sys.argv[3].encode()
result = library.mbedtls_pk_parse_key(context, key, ctypes.c_size_t(len(key)), words or None, ctypes.c_size_t(len(words)))
print(result)
`

const mbedtlsNeeds = mbedtls === null ? { skip: 'libmbedcrypto is not installed' } : needs('python3')

describe('mbedTLS as Debian has it (2.28), by its library', mbedtlsNeeds, () => {
  async function parses(
    context: TestContext,
    key: TestKey,
    form: KeyForm,
    under: KeyPassphrase | null,
  ): Promise<boolean> {
    const path = written(context, 'key.pem', keyFile(key.privateKey, form, under, random).reveal())
    const text = await output('python3', ['-c', parseKey, mbedtls ?? '', path, under === null ? '' : words])
    return text.trim() === '0'
  }

  test('reads traditional key files, plain and encrypted', async (context) => {
    for (const key of Object.values(keys)) {
      assert.ok(await parses(context, key, 'traditional', null))
      assert.ok(await parses(context, key, 'traditional', passphrase))
      assert.ok(await parses(context, key, 'pkcs8', null))
    }
  })

  test('does not read PKCS#8 under AES, which is why devices are not given it', async (context) => {
    assert.equal(await parses(context, keys.EC, 'pkcs8', passphrase), false)
  })
})
