/** `handfast convert`: what it says of files that OpenSSL has made and what it makes of them, judged by OpenSSL and mbedTLS. */
// needs: openssl
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { createPrivateKey, X509Certificate } from 'node:crypto'
import { existsSync, globSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, beforeEach, describe, test } from 'node:test'
import { needs } from '../support/programs.ts'
import { type Finished, run } from '../support/run.ts'

const launcher = join(import.meta.dirname, '../../bin/handfast.js')
const folder = mkdtempSync(join(tmpdir(), 'handfast-convert-'))
after(() => rmSync(folder, { recursive: true, force: true }))
const words = 'correct horse'

function openssl(...args: readonly string[]): void {
  execFileSync('openssl', args, { cwd: folder, stdio: ['ignore', 'pipe', 'pipe'] })
}

const given = ['-passout', `pass:${words}`]
writeFileSync(join(folder, 'pass'), `${words}\n`)
openssl(
  'req',
  '-x509',
  '-newkey',
  'rsa:2048',
  '-nodes',
  '-keyout',
  'rsa.pem',
  '-subj',
  '/CN=meadow-1',
  '-out',
  'rsa.crt',
)
openssl('ecparam', '-name', 'prime256v1', '-genkey', '-noout', '-out', 'ec.pem')
openssl('genpkey', '-algorithm', 'ed25519', '-out', 'ed.pem')
openssl('pkcs12', '-export', '-inkey', 'rsa.pem', '-in', 'rsa.crt', '-out', 'your.pfx', ...given)
// The two commands that Meadow's documentation shows.
openssl('pkcs12', '-in', 'your.pfx', '-nocerts', '-out', 'nocerts.pem', '-passin', `pass:${words}`, ...given)
openssl('rsa', '-in', 'rsa.pem', '-des3', '-traditional', '-out', 'des3.pem', ...given)
openssl('rsa', '-in', 'rsa.pem', '-aes256', '-traditional', '-out', 'aes.pem', ...given)
openssl('pkcs8', '-topk8', '-in', 'ec.pem', '-scrypt', '-out', 'scrypt.pem', ...given)

function convert(...args: readonly string[]): Promise<Finished> {
  return run(process.execPath, [launcher, 'convert', ...args], { cwd: folder })
}

async function converted(...args: readonly string[]): Promise<void> {
  const { status, stderr } = await convert(...args)
  assert.equal(status, 0, stderr)
}

interface Described {
  readonly file: string
  readonly encryption: string | null
  readonly readBy: readonly string[]
}

async function described(...files: readonly string[]): Promise<readonly Described[]> {
  const { status, stdout, stderr } = await convert(...files, '--json', '--pass', 'pass')
  assert.equal(status, 0, stderr)
  return JSON.parse(stdout)
}

describe('the recipes of the documentation of Meadow', () => {
  test('are told apart: one is for nobody with an older mbedTLS, one for nobody without DES', async () => {
    const [nocerts, des3] = await described('nocerts.pem', 'des3.pem')
    assert.match(nocerts?.encryption ?? '', /PBES2 with AES-256-CBC/)
    assert.deepEqual(nocerts?.readBy, ['modern'])
    assert.match(des3?.encryption ?? '', /DES-EDE3-CBC in the traditional way/)
    assert.deepEqual(des3?.readBy, ['modern', 'mbedtls', 'meadow'])
  })

  test('are told of without their passphrase as well', async () => {
    const { status, stdout } = await convert('nocerts.pem', 'des3.pem', 'your.pfx')
    assert.equal(status, 0)
    assert.match(stdout, /nocerts\.pem\nkey +not opened, PKCS#8 in PEM\n/)
  })

  test('are turned into a folder for Meadow, with AES that every mbedTLS reads', async () => {
    for (const source of [['your.pfx'], ['nocerts.pem', 'rsa.crt'], ['des3.pem', 'rsa.crt']]) {
      await converted(
        ...source,
        '--pass',
        'pass',
        '--for',
        'meadow',
        '--out',
        'meadow',
        '--passphrase-file',
        'pass',
        '--force',
      )
      const path = join(folder, 'meadow')
      assert.deepEqual(readdirSync(path).sort(), ['client_cert.pem', 'private_key.pem', 'private_key_pass.txt'])
      const key = readFileSync(join(path, 'private_key.pem'), 'utf8')
      assert.match(key, /^-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,/)
      const passphrase = readFileSync(join(path, 'private_key_pass.txt'), 'utf8')
      const certificate = new X509Certificate(readFileSync(join(path, 'client_cert.pem')))
      assert.ok(certificate.checkPrivateKey(createPrivateKey({ key, passphrase })))
      assert.equal(statSync(join(path, 'private_key.pem')).mode & 0o777, 0o600)
    }
  })
})

describe('one file is written that OpenSSL reads', () => {
  const inspect: Readonly<Record<string, readonly string[]>> = {
    pkcs8: ['pkey', '-noout', '-in'],
    traditional: ['rsa', '-noout', '-in'],
    'key-der': ['pkey', '-noout', '-inform', 'DER', '-in'],
    cert: ['x509', '-noout', '-in'],
    'cert-der': ['x509', '-noout', '-inform', 'DER', '-in'],
  }
  beforeEach(() => rmSync(join(folder, 'out'), { force: true }))

  for (const [form, command] of Object.entries(inspect)) {
    test(form, async () => {
      await converted('your.pfx', '--pass', 'pass', '--to', form, '--out', 'out')
      openssl(...command, 'out')
      assert.equal(statSync(join(folder, 'out')).mode & 0o777, form.startsWith('cert') ? 0o644 : 0o600)
    })
  }

  for (const form of ['pkcs8', 'traditional']) {
    test(`${form}, encrypted`, async () => {
      await converted('rsa.pem', '--to', form, '--out', 'out', '--passphrase-file', 'pass')
      openssl('pkey', '-noout', '-in', 'out', '-passin', `pass:${words}`)
      assert.throws(() => openssl('pkey', '-noout', '-in', 'out', '-passin', 'pass:another'))
    })
  }

  test('pfx', async () => {
    await converted('rsa.pem', 'rsa.crt', '--to', 'pfx', '--out', 'out', '--passphrase-file', 'pass')
    openssl('pkcs12', '-noout', '-in', 'out', '-passin', `pass:${words}`)
  })
})

test('a key beside the certificate of another is told of, and one beside its own is not', async () => {
  const { status, stderr } = await convert('ec.pem', 'rsa.crt')
  assert.equal(status, 0)
  assert.match(stderr, /^warning: the key in "ec\.pem" is for none of the certificates in these files$/m)
  assert.doesNotMatch((await convert('rsa.pem', 'rsa.crt')).stderr, /warning/)
})

test('what cannot be written is refused, and nothing is left', async () => {
  const cases: readonly (readonly [readonly string[], RegExp])[] = [
    [['rsa.pem', '--to', 'pkcs8'], /the place for what is written is missing/],
    [['rsa.pem', '--to', 'pkcs8', '--for', 'meadow', '--out', 'no'], /at once/],
    [['rsa.pem', 'ec.pem', '--to', 'pkcs8', '--out', 'no'], /hold 2 keys/],
    [['rsa.pem', '--to', 'pfx', '--out', 'no'], /needs the certificate/],
    [['rsa.pem', 'rsa.crt', '--to', 'pfx', '--out', 'no'], /needs a passphrase/],
    [['ec.pem', 'rsa.crt', '--for', 'modern', '--out', 'no'], /none of the certificates is for the key/],
    [['rsa.pem', '--for', 'modern', '--out', 'no'], /both a key and its certificate/],
    [['ed.pem', '--to', 'traditional', '--out', 'no'], /no form but PKCS#8/],
    [['rsa.pem', '--to', 'key-der', '--out', 'no', '--passphrase-file', 'pass'], /without a passphrase/],
    [['rsa.crt', '--to', 'pkcs8', '--out', 'no'], /hold no key/],
    [['rsa.pem', '--to', 'pkcs8', '--out', 'no/'], /"no\/" is a folder, and --to pkcs8 writes one file/],
    [['rsa.pem', '--to', 'pkcs8', '--out', '.'], /"\." is a folder/],
    [['rsa.pem', '--to', 'pkcs8', '--out', 'no', '--protection', 'modern'], /--protection is that of a PFX/],
    [['nocerts.pem', '--to', 'pkcs8', '--out', 'no'], /there is no passphrase/],
  ]
  for (const [args, pattern] of cases) {
    const { status, stderr } = await convert(...args)
    assert.notEqual(status, 0)
    assert.match(stderr, pattern)
    assert.ok(!existsSync(join(folder, 'no')), args.join(' '))
  }
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
print(library.mbedtls_pk_parse_key(context, key, ctypes.c_size_t(len(key)), words or None, ctypes.c_size_t(len(words))))
`

test(
  'mbedTLS of Debian (2.28) reads what it is said to read, and all that is written for it',
  mbedtls === null ? { skip: 'libmbedcrypto is not installed' } : needs('python3'),
  async () => {
    const reads = async (name: string, under: string): Promise<boolean> => {
      const { stdout } = await run('python3', ['-c', parseKey, mbedtls ?? '', join(folder, name), under])
      return stdout.trim() === '0'
    }
    for (const { file, encryption, readBy } of await described(
      ...['nocerts.pem', 'des3.pem', 'aes.pem', 'scrypt.pem', 'rsa.pem', 'ec.pem', 'ed.pem'],
    )) {
      assert.equal(await reads(file, encryption === null ? '' : words), readBy.includes('mbedtls'), file)
    }
    for (const platform of ['mbedtls', 'esp-idf', 'meadow']) {
      for (const encrypted of [[], ['--passphrase-file', 'pass']]) {
        const out = `${platform}-${encrypted.length}`
        await converted('nocerts.pem', 'rsa.crt', '--pass', 'pass', '--for', platform, '--out', out, ...encrypted)
        assert.ok(await reads(join(out, 'private_key.pem'), encrypted.length === 0 ? '' : words), out)
      }
    }
  },
)
