/** Keys and certificates as OpenSSL writes them, in every form that people bring, are read; what is not read is named. */
// needs: openssl
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, test } from 'node:test'
import { HubError } from '../../src/core/errors.ts'
import type { FailureName } from '../../src/core/failure/catalogue.ts'
import { readCertificateFile } from '../../src/core/key-file/certificate-reader.ts'
import { readPfxFile, readPrivateKey } from '../../src/core/key-file/key-reader.ts'
import { Secret } from '../../src/core/secret.ts'

const folder = mkdtempSync(join(tmpdir(), 'handfast-brought-'))
after(() => rmSync(folder, { recursive: true, force: true }))
const words = 'Straße über 7 Brücken'
const passphrase = new Secret(words)

function openssl(...args: readonly string[]): void {
  execFileSync('openssl', args, { cwd: folder, stdio: ['ignore', 'pipe', 'pipe'] })
}

openssl('genpkey', '-algorithm', 'RSA', '-pkeyopt', 'rsa_keygen_bits:2048', '-out', 'rsa.pem')
openssl('ecparam', '-name', 'prime256v1', '-genkey', '-out', 'ec.pem')
openssl('genpkey', '-algorithm', 'ed25519', '-out', 'ed.pem')
for (const kind of ['rsa', 'ec']) {
  openssl('req', '-x509', '-key', `${kind}.pem`, '-subj', `/CN=${kind}`, '-days', '10', '-out', `${kind}.crt`)
}
const keys = new Map(['rsa', 'ec', 'ed'].map((kind) => [kind, createPrivateKey(read(`${kind}.pem`))]))

function read(name: string): Buffer {
  return readFileSync(join(folder, name))
}

/** Makes a file with OpenSSL and reads it. */
function key(name: string, ...args: readonly string[]): { name: string; bytes: Buffer } {
  openssl(...args, '-out', name)
  return { name, bytes: read(name) }
}

function assertKey(found: KeyObject, kind: string): void {
  const expected = keys.get(kind)
  assert.ok(expected !== undefined && found.equals(expected), kind)
}

function assertRefused(work: () => unknown, code: FailureName): HubError {
  try {
    work()
  } catch (error) {
    assert.ok(error instanceof HubError, String(error))
    assert.equal(error.code, code, error.message)
    assert.ok(!error.message.includes(words) && !/MI[A-Za-z0-9+/]{20}/.test(error.message), 'it tells a secret')
    return error
  }
  return assert.fail('it was not refused')
}

const pass = ['-passout', `pass:${words}`]

describe('a private key of OpenSSL is read', () => {
  const plain: Readonly<Record<string, readonly string[]>> = {
    'rsa in PKCS#8': ['pkey', '-in', 'rsa.pem'],
    'rsa in PKCS#1': ['rsa', '-in', 'rsa.pem', '-traditional'],
    'rsa in DER of PKCS#8': ['pkcs8', '-topk8', '-nocrypt', '-in', 'rsa.pem', '-outform', 'DER'],
    'rsa in DER of PKCS#1': ['rsa', '-in', 'rsa.pem', '-traditional', '-outform', 'DER'],
    'ec in SEC1': ['ec', '-in', 'ec.pem'],
    'ec in SEC1 behind its parameters': ['ecparam', '-name', 'prime256v1', '-genkey'],
    'ec in PKCS#8': ['pkcs8', '-topk8', '-nocrypt', '-in', 'ec.pem'],
    'ec in DER of SEC1': ['ec', '-in', 'ec.pem', '-outform', 'DER'],
    'ed in PKCS#8': ['pkey', '-in', 'ed.pem'],
    'rsa with text around it': ['pkey', '-in', 'rsa.pem', '-text'],
  }
  for (const [name, args] of Object.entries(plain)) {
    test(name, () => {
      const found = readPrivateKey(key('plain', ...args), null)
      if (name.includes('parameters')) assert.equal(found.asymmetricKeyType, 'ec')
      else assertKey(found, name.split(' ')[0] ?? '')
    })
  }

  const encrypted: Readonly<Record<string, readonly string[]>> = {
    'rsa as the documentation of Meadow says': ['rsa', '-in', 'rsa.pem', '-des3', '-traditional'],
    'rsa traditional with AES-128': ['rsa', '-in', 'rsa.pem', '-aes128', '-traditional'],
    'rsa traditional with AES-256': ['rsa', '-in', 'rsa.pem', '-aes256', '-traditional'],
    'ec traditional with AES-256': ['ec', '-in', 'ec.pem', '-aes256'],
    'rsa PBES2 as by default': ['pkcs8', '-topk8', '-in', 'rsa.pem'],
    'ec PBES2 with AES-128 and SHA-1': [
      'pkcs8',
      '-topk8',
      '-in',
      'ec.pem',
      '-v2',
      'aes-128-cbc',
      '-v2prf',
      'hmacWithSHA1',
    ],
    'ec PBES2 with triple DES': ['pkcs8', '-topk8', '-in', 'ec.pem', '-v2', 'des3'],
    'ec PBES2 under scrypt': ['pkcs8', '-topk8', '-in', 'ec.pem', '-scrypt'],
    'ec PBES1 with triple DES': ['pkcs8', '-topk8', '-in', 'ec.pem', '-v1', 'PBE-SHA1-3DES'],
    'ec PBES2 in DER': ['pkcs8', '-topk8', '-in', 'ec.pem', '-outform', 'DER'],
    'ed PBES2': ['pkcs8', '-topk8', '-in', 'ed.pem'],
  }
  for (const [name, args] of Object.entries(encrypted)) {
    test(`${name}, with its passphrase alone`, () => {
      const file = key('encrypted', ...args, ...pass)
      assertKey(readPrivateKey(file, passphrase), name.split(' ')[0] ?? '')
      assertRefused(() => readPrivateKey(file, null), 'credential-passphrase-wrong')
      assertRefused(() => readPrivateKey(file, new Secret(`${words}!`)), 'credential-passphrase-wrong')
    })
  }

  test('whatever an editor, a shell or a mail program has done to it', () => {
    const text = read('rsa.pem').toString()
    const files = {
      'a byte order mark': Buffer.from(`\ufeff${text}`),
      CRLF: Buffer.from(text.replaceAll('\n', '\r\n')),
      'CR alone': Buffer.from(text.replaceAll('\n', '\r')),
      'UTF-16 of PowerShell': Buffer.from(`\ufeff${text}`, 'utf16le'),
      'UTF-16 without a mark': Buffer.from(text, 'utf16le'),
      'UTF-16 the other way round': Buffer.from(`\ufeff${text}`, 'utf16le').swap16(),
      'indentation and spaces at the ends': Buffer.from(text.replaceAll('\n', '  \n    ')),
      'empty lines around it': Buffer.from(`\n\n${text}\n\n`),
      'the certificate in front': Buffer.concat([read('rsa.crt'), Buffer.from(text)]),
    }
    for (const [name, bytes] of Object.entries(files)) assertKey(readPrivateKey({ name, bytes }, null), 'rsa')
  })

  test('under a passphrase that an old program took octet by octet', () => {
    const octets = join(folder, 'latin1.pass')
    writeFileSync(octets, Buffer.from(`${words}\n`, 'latin1'))
    const file = key('latin1', 'rsa', '-in', 'rsa.pem', '-aes128', '-traditional', '-passout', `file:${octets}`)
    assertKey(readPrivateKey(file, passphrase), 'rsa')
  })
})

describe('a PFX of OpenSSL is read', () => {
  const legacy = ['-legacy']
  const ways: Readonly<Record<string, readonly string[]>> = {
    'as by default': [],
    'as OpenSSL 1 wrote it, with RC2 of 40 bits': legacy,
    'with triple DES': ['-keypbe', 'PBE-SHA1-3DES', '-certpbe', 'PBE-SHA1-3DES', '-macalg', 'sha1'],
    'with RC2 of 128 bits': [...legacy, '-certpbe', 'PBE-SHA1-RC2-128'],
    'with two keys of triple DES': ['-certpbe', 'PBE-SHA1-2DES'],
    'with AES-128 and a MAC of SHA-512': ['-keypbe', 'AES-128-CBC', '-certpbe', 'AES-128-CBC', '-macalg', 'sha512'],
    'with certificates in the clear': ['-certpbe', 'NONE'],
    'with the key in the clear': ['-keypbe', 'NONE'],
    'without a MAC': ['-nomac'],
  }
  for (const [name, args] of Object.entries(ways)) {
    test(name, () => {
      const file = key(
        'made.pfx',
        'pkcs12',
        '-export',
        '-inkey',
        'ec.pem',
        '-in',
        'ec.crt',
        ...args,
        '-passout',
        'pass:correct horse',
      )
      const pfx = readPfxFile(file, new Secret('correct horse'))
      assert.ok(pfx !== null)
      assertKey(pfx.key, 'ec')
      assert.deepEqual(
        pfx.certificates.map((each) => new X509Certificate(each).subject),
        ['CN=ec'],
      )
      if (name !== 'without a MAC')
        assertRefused(() => readPfxFile(file, new Secret('wrong horse')), 'credential-passphrase-wrong')
    })
  }

  test('with an empty passphrase, where there is no file of one', () => {
    const file = key('empty.pfx', 'pkcs12', '-export', '-inkey', 'ec.pem', '-in', 'ec.crt', '-passout', 'pass:')
    assertKey(readPfxFile(file, null)?.key ?? assert.fail('no PFX'), 'ec')
  })

  test('and what is no PFX is left to others', () => {
    for (const name of ['ec.pem', 'ec.crt']) assert.equal(readPfxFile({ name, bytes: read(name) }, null), null)
  })

  test('without a key, it says so', () => {
    const file = key('nokey.pfx', 'pkcs12', '-export', '-nokeys', '-in', 'ec.crt', '-passout', 'pass:correct horse')
    assert.match(
      assertRefused(() => readPfxFile(file, new Secret('correct horse')), 'credential-file-unreadable').message,
      /without a private key/,
    )
  })
})

describe('what the documentation of Meadow has made of a PFX is read', () => {
  test('the key of `pkcs12 -nocerts` and the certificate of `pkcs12 -clcerts -nokeys`', () => {
    openssl(
      'pkcs12',
      '-export',
      '-inkey',
      'rsa.pem',
      '-in',
      'rsa.crt',
      '-out',
      'yours.pfx',
      '-passout',
      'pass:correct horse',
    )
    const from = ['pkcs12', '-in', 'yours.pfx', '-passin', 'pass:correct horse']
    assertKey(readPrivateKey(key('nocerts', ...from, '-nocerts', ...pass), passphrase), 'rsa')
    assertKey(readPrivateKey(key('nodes', ...from, '-nocerts', '-nodes'), null), 'rsa')
    assert.equal(readCertificateFile(key('clcerts', ...from, '-clcerts', '-nokeys'))[0].subject, 'CN=rsa')
  })
})

describe('a certificate of OpenSSL is read', () => {
  test('in PEM, DER and PKCS#7, alone and in a row', () => {
    openssl('crl2pkcs7', '-nocrl', '-certfile', 'rsa.crt', '-certfile', 'ec.crt', '-out', 'both.p7b')
    openssl('crl2pkcs7', '-nocrl', '-certfile', 'rsa.crt', '-outform', 'DER', '-out', 'one.p7b')
    openssl('x509', '-in', 'rsa.crt', '-outform', 'DER', '-out', 'rsa.der')
    const subjects = (name: string, bytes = read(name)): readonly string[] =>
      readCertificateFile({ name, bytes }).map(({ subject }) => subject)
    assert.deepEqual(subjects('rsa.crt'), ['CN=rsa'])
    assert.deepEqual(subjects('rsa.der'), ['CN=rsa'])
    assert.deepEqual(subjects('both.p7b'), ['CN=rsa', 'CN=ec'])
    assert.deepEqual(subjects('one.p7b'), ['CN=rsa'])
    assert.deepEqual(subjects('chain', Buffer.concat([read('rsa.crt'), read('ec.crt'), read('rsa.pem')])), [
      'CN=rsa',
      'CN=ec',
    ])
    assert.deepEqual(subjects('utf-16', Buffer.from(`\ufeff${read('rsa.crt')}`, 'utf16le')), ['CN=rsa'])
    assert.deepEqual(subjects('bare base64', Buffer.from(read('rsa.der').toString('base64'))), ['CN=rsa'])
  })
})

describe('what cannot be read is named for what it is', () => {
  function said(bytes: Buffer | string, reader: 'key' | 'certificate'): string {
    const file = { name: 'brought', bytes: Buffer.from(bytes) }
    const work = reader === 'key' ? () => readPrivateKey(file, passphrase) : () => readCertificateFile(file)
    const { message, hint } = assertRefused(work, 'credential-file-unreadable')
    assert.ok(hint.length > 10)
    return message
  }

  test('in the place of a key', () => {
    openssl('genpkey', '-algorithm', 'X25519', '-out', 'x25519.pem')
    openssl('genpkey', '-algorithm', 'RSA', '-pkeyopt', 'rsa_keygen_bits:1024', '-out', 'short.pem')
    openssl('genpkey', '-algorithm', 'RSA-PSS', '-pkeyopt', 'rsa_keygen_bits:2048', '-out', 'pss.pem')
    openssl('ecparam', '-name', 'secp256k1', '-genkey', '-out', 'koblitz.pem')
    openssl('req', '-new', '-key', 'rsa.pem', '-subj', '/CN=x', '-out', 'request.pem')
    openssl('pkey', '-in', 'rsa.pem', '-pubout', '-out', 'public.pem')
    openssl('x509', '-in', 'rsa.crt', '-outform', 'DER', '-out', 'cert.der')
    openssl(
      'rsa',
      '-in',
      'rsa.pem',
      '-des',
      '-traditional',
      '-provider',
      'legacy',
      '-provider',
      'default',
      ...pass,
      '-out',
      'des.pem',
    )
    const named: readonly (readonly [string | Buffer, RegExp])[] = [
      ['', /is empty/],
      [' \r\n', /is empty/],
      [read('x25519.pem'), /x25519, which does not sign/],
      [read('short.pem'), /1024 bits, which is too short/],
      [read('pss.pem'), /bound to PSS/],
      [read('koblitz.pem'), /secp256k1/],
      [read('request.pem'), /a certificate request/],
      [read('public.pem'), /a public key/],
      [read('rsa.crt'), /a certificate and no private key/],
      [read('cert.der'), /a certificate or a request and no key/],
      [read('des.pem'), /DES-CBC in the traditional way, which is not read/],
      [Buffer.concat([read('rsa.pem'), read('ed.pem')]), /2 private keys/],
      ['-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNzaA==\n-----END OPENSSH PRIVATE KEY-----', /form of OpenSSH/],
      ['-----BEGIN TSS2 PRIVATE KEY-----\nMIIB\n-----END TSS2 PRIVATE KEY-----', /wrapped by a TPM/],
      ['-----BEGIN PRIVATE KEY-----\nMIIB', /cut short/],
      ['-----BEGIN PRIVATE KEY-----\n%%%%\n-----END PRIVATE KEY-----', /damaged/],
      ['PuTTY-User-Key-File-3: ecdsa', /PuTTY/],
      ['{"kty":"EC"}', /JSON Web Key/],
      ['<!DOCTYPE html><p>404', /web page/],
      [Buffer.from('feedfeed00000002', 'hex'), /Java keystore/],
      [Buffer.from('00010203040506', 'hex'), /neither PEM nor DER/],
    ]
    for (const [bytes, pattern] of named) assert.match(said(bytes, 'key'), pattern)
  })

  test('in the place of a certificate', () => {
    openssl('x509', '-in', 'rsa.crt', '-trustout', '-out', 'trusted.pem')
    const named: readonly (readonly [string | Buffer, RegExp])[] = [
      [read('rsa.pem'), /a private key and no certificate/],
      [read('trusted.pem'), /trust settings/],
      ['-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----', /damaged/],
      ['-----BEGIN CERTIFICATE-----\n????\n-----END CERTIFICATE-----', /not base64/],
      [Buffer.from('3003020101', 'hex'), /neither PEM nor a certificate in DER/],
      ['', /is empty/],
    ]
    for (const [bytes, pattern] of named) assert.match(said(bytes, 'certificate'), pattern)
  })
})
