/** What this code makes, judged by OpenSSL and GnuTLS; what OpenSSL makes, read by this code. */
import assert from 'node:assert/strict'
import { createPrivateKey } from 'node:crypto'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { HubError } from '../../src/core/errors.ts'
import { revocationReasons } from '../../src/core/identity/credential.ts'
import { deviceProfile } from '../../src/core/profile/built-in.ts'
import { assertRequestFits } from '../../src/core/profile/request-check.ts'
import { Secret } from '../../src/core/secret.ts'
import { readCertificate } from '../../src/core/x509/certificate.ts'
import {
  type CertificateRequest,
  parseCertificateRequest,
  verifyCertificateRequest,
} from '../../src/core/x509/certificate-request.ts'
import { crlToBeSigned, type RevokedEntry, signedCrl } from '../../src/core/x509/crl.ts'
import { nameText } from '../../src/core/x509/name.ts'
import { decodePem, encodePem } from '../../src/core/x509/pem.ts'
import { certsOnly, readCertsOnly } from '../../src/core/x509/pkcs7.ts'
import { assertAcceptableKey, publicKeyText, readPublicKey } from '../../src/core/x509/public-key.ts'
import { encryptedPem } from '../../src/keys/encrypted-key.ts'
import { contentOf } from '../core/profile/facts.ts'
import {
  crlUrl,
  ecKey,
  ed25519Key,
  makeDevice,
  makeIssuing,
  makeRoot,
  makeServer,
  rsaKey,
  signBytes,
  type TestAuthority,
  type TestKey,
} from '../core/x509/support.ts'
import { needs, programPath } from '../support/programs.ts'
import { run } from '../support/run.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'

const nowSec = Math.floor(Date.now() / 1000)
const daySec = 86_400
const validity = { notBeforeSec: nowSec - 300, notAfterSec: nowSec + 10 * daySec }
const root = makeRoot({ notBeforeSec: nowSec - 300, notAfterSec: nowSec + 20 * 365 * daySec })
const issuing = makeIssuing(root, { notBeforeSec: nowSec - 300, notAfterSec: nowSec + 10 * 365 * daySec })

function makeCrl(authority: TestAuthority, revoked: readonly RevokedEntry[]): Uint8Array {
  const dates = { thisUpdateSec: nowSec - 60, nextUpdateSec: nowSec + 3 * daySec }
  const tbs = crlToBeSigned({
    issuer: authority.fields,
    distributionPoint: null,
    number: BigInt(nowSec) * 1000n,
    ...dates,
    revoked,
  })
  return signedCrl(tbs, signBytes(authority.key, tbs))
}

function writePem(folder: string, name: string, label: string, ...ders: readonly Uint8Array[]): string {
  const path = join(folder, name)
  writeFileSync(path, ders.map((der) => encodePem(label, der)).join(''))
  return path
}

/** Standard output and error of a run of a program that must end well. */
async function output(program: string, args: readonly string[]): Promise<string> {
  const { status, stdout, stderr } = await run(programPath(program) ?? program, args)
  assert.equal(status, 0, `${program} ${args.join(' ')}\n${stdout}\n${stderr}`)
  return stdout + stderr
}

async function opensslVerify(folder: string, leaf: Uint8Array, crl: Uint8Array, purpose: string) {
  const crls = writePem(folder, 'crls.pem', 'X509 CRL', crl, makeCrl(root, []))
  return run('openssl', [
    ...['verify', '-x509_strict', '-crl_check_all', '-purpose', purpose],
    ...['-CAfile', writePem(folder, 'root.pem', 'CERTIFICATE', root.der)],
    ...['-untrusted', writePem(folder, 'issuing.pem', 'CERTIFICATE', issuing.der)],
    ...['-CRLfile', crls],
    writePem(folder, 'leaf.pem', 'CERTIFICATE', leaf),
  ])
}

describe('OpenSSL', needs('openssl'), () => {
  test('accepts device and server certificates strictly, and only for their purpose', async (context) => {
    const folder = temporaryFolder(context)
    const device = makeDevice(issuing, validity)
    const names = { dnsNames: ['hub.plant.example'], ipAddresses: ['192.0.2.7', '2001:db8::7'] }
    const server = makeServer(issuing, validity, names)
    const unnamed = makeServer(issuing, validity, { dnsNames: [`${'a'.repeat(60)}.example`], ipAddresses: [] })
    const crl = makeCrl(issuing, [])
    for (const [leaf, purpose, status] of [
      [device, 'sslclient', 0],
      [server, 'sslserver', 0],
      [unnamed, 'sslserver', 0],
      [device, 'sslserver', 2],
      [server, 'sslclient', 2],
    ] as const) {
      const { status: found, stdout, stderr } = await opensslVerify(folder, leaf, crl, purpose)
      assert.equal(found, status, `${purpose}: ${stdout}${stderr}`)
    }
    const leaf = writePem(folder, 'server.pem', 'CERTIFICATE', server)
    const text = await output('openssl', ['x509', '-in', leaf, '-noout', '-checkip', '2001:db8::7', '-text'])
    assert.match(text, /does match certificate/)
    assert.match(text, /DNS:hub\.plant\.example, IP Address:192\.0\.2\.7/)
  })

  test('prints exactly the extensions of a device certificate', async (context) => {
    const leaf = writePem(temporaryFolder(context), 'leaf.pem', 'CERTIFICATE', makeDevice(issuing, validity))
    const text = await output('openssl', ['x509', '-in', leaf, '-noout', '-text'])
    assert.match(text, /Key Usage: critical\s+Digital Signature\n/)
    assert.match(text, /Extended Key Usage: \s*TLS Web Client Authentication\n/)
    assert.match(text, /URI:spiffe:\/\/plant\.example\/device\/pump-1\n/)
    assert.ok(text.includes(`URI:${crlUrl}`))
    assert.equal(text.match(/X509v3 (?!extensions)/g)?.length, 6)
  })

  test('refuses a certificate that stands on the CRL, and reads reasons, number and dates of it', async (context) => {
    const folder = temporaryFolder(context)
    const device = makeDevice(issuing, validity)
    const reasons = Object.keys(revocationReasons) as (keyof typeof revocationReasons)[]
    const others = reasons.map((reason, index) => ({
      serialNumber: `4${index}`.repeat(20),
      revokedAtMs: Date.UTC(index === 0 ? 2051 : 2026, 0, 1 + index),
      reason,
    }))
    const { serialNumber } = readCertificate(device)
    const own = { serialNumber, revokedAtMs: nowSec * 1000 + 999, reason: 'keyCompromise' as const }
    const crl = makeCrl(issuing, [...others, own])
    const { status, stderr } = await opensslVerify(folder, device, crl, 'sslclient')
    assert.equal(status, 2)
    assert.match(stderr, /certificate revoked/)

    const path = writePem(folder, 'crl.pem', 'X509 CRL', crl)
    const text = await output('openssl', ['crl', '-in', path, '-noout', '-text'])
    assert.match(text, /Version 2 \(0x1\)/)
    assert.match(text, /X509v3 CRL Number:/)
    assert.match(text, new RegExp(`Serial Number: ${serialNumber.toUpperCase()}`))
    assert.match(text, /Revocation Date: Jan\s+1 00:00:00 2051 GMT/)
    const named = [
      'Key Compromise',
      'Affiliation Changed',
      'Superseded',
      'Cessation Of Operation',
      'Privilege Withdrawn',
    ]
    for (const words of named) assert.ok(text.includes(words), words)
    assert.doesNotMatch(text, /Unspecified/)
    const issuer = join(folder, 'issuing.pem')
    assert.match(await output('openssl', ['crl', '-in', path, '-noout', '-CAfile', issuer]), /verify OK/)
  })

  test('reads a CRL of 100,000 entries', async (context) => {
    const revoked = Array.from({ length: 100_000 }, (_, index) => ({
      serialNumber: index.toString(16).padStart(40, '4'),
      revokedAtMs: (nowSec - index * 60) * 1000,
      reason: 'superseded' as const,
    }))
    const path = writePem(temporaryFolder(context), 'crl.pem', 'X509 CRL', makeCrl(issuing, revoked))
    const text = await output('openssl', ['crl', '-in', path, '-noout', '-text'])
    assert.equal(text.match(/Serial Number: /g)?.length, revoked.length)
  })

  test('opens every key that leaves with its passphrase, and without it none', async (context) => {
    const folder = temporaryFolder(context)
    for (const { privateKey } of [ecKey(), ecKey('P-384'), rsaKey(3072), ed25519Key()]) {
      const path = join(folder, 'key.pem')
      writeFileSync(path, await encryptedPem(privateKey, new Secret('Pässwort für den Safe')))
      const opened = await output('openssl', ['pkey', '-in', path, '-passin', 'pass:Pässwort für den Safe'])
      assert.ok(createPrivateKey(opened).equals(privateKey))
      const { status } = await run('openssl', ['pkey', '-in', path, '-passin', 'pass:another', '-noout'])
      assert.equal(status, 1)
    }
  })

  test('takes the certificates out of a certs-only message, and its own messages are read', async (context) => {
    const folder = temporaryFolder(context)
    const path = writePem(folder, 'certs.p7', 'PKCS7', certsOnly([issuing.der, root.der]))
    const printed = decodePem(await output('openssl', ['pkcs7', '-in', path, '-print_certs']))
    assert.deepEqual(
      printed.map(({ der }) => Buffer.from(der).toString('hex')),
      [issuing.der, root.der].map((der) => Buffer.from(der).toString('hex')),
    )
    const chain = writePem(folder, 'chain.pem', 'CERTIFICATE', root.der, issuing.der)
    const theirs = join(folder, 'theirs.p7')
    await output('openssl', ['crl2pkcs7', '-nocrl', '-certfile', chain, '-outform', 'DER', '-out', theirs])
    assert.equal(readCertsOnly(readFileSync(theirs)).length, 2)
  })
})

/** An authority of every key that one may have, down to a device, with both CRLs. */
function hierarchyOf(kind: string, keys: readonly [TestKey, TestKey]) {
  const root = makeRoot({ notBeforeSec: nowSec - 300, notAfterSec: nowSec + 20 * 365 * daySec }, keys[0])
  const issuing = makeIssuing(root, { notBeforeSec: nowSec - 300, notAfterSec: nowSec + 365 * daySec }, keys[1])
  return { kind, root, issuing, device: makeDevice(issuing, validity) }
}

const hierarchies = [
  hierarchyOf('P-384', [ecKey('P-384'), ecKey('P-384')]),
  hierarchyOf('RSA of 2048 and 4096 bits', [rsaKey(4096), rsaKey(2048)]),
  hierarchyOf('RSA of 3072 bits above P-256', [rsaKey(3072), ecKey()]),
  hierarchyOf('Ed25519', [ed25519Key(), ed25519Key()]),
]

for (const { kind, root, issuing, device } of hierarchies) {
  test(
    `OpenSSL accepts certificates and CRLs of ${kind}, and refuses what is revoked`,
    needs('openssl'),
    async (context) => {
      const folder = temporaryFolder(context)
      const own = {
        serialNumber: readCertificate(device).serialNumber,
        revokedAtMs: nowSec * 1000,
        reason: 'keyCompromise' as const,
      }
      for (const [revoked, status] of [
        [[], 0],
        [[own], 2],
      ] as const) {
        const crls = writePem(folder, 'crls.pem', 'X509 CRL', makeCrl(issuing, revoked), makeCrl(root, []))
        const found = await run('openssl', [
          ...['verify', '-x509_strict', '-crl_check_all', '-purpose', 'sslclient'],
          ...['-CAfile', writePem(folder, 'root.pem', 'CERTIFICATE', root.der)],
          ...['-untrusted', writePem(folder, 'issuing.pem', 'CERTIFICATE', issuing.der), '-CRLfile', crls],
          writePem(folder, 'leaf.pem', 'CERTIFICATE', device),
        ])
        assert.equal(found.status, status, found.stdout + found.stderr)
      }
    },
  )

  test(
    `GnuTLS accepts certificates and CRLs of ${kind}, and refuses what is revoked`,
    needs('certtool'),
    async (context) => {
      const folder = temporaryFolder(context)
      const own = {
        serialNumber: readCertificate(device).serialNumber,
        revokedAtMs: nowSec * 1000,
        reason: 'keyCompromise' as const,
      }
      const chain = writePem(folder, 'chain.pem', 'CERTIFICATE', device, issuing.der)
      for (const [revoked, verdict] of [
        [[], /Verified\. The certificate is trusted/],
        [[own], /revoked/],
      ] as const) {
        const crls = writePem(folder, 'crls.pem', 'X509 CRL', makeCrl(issuing, revoked), makeCrl(root, []))
        const { stdout, stderr } = await run('certtool', [
          ...['--verify', '--load-ca-certificate', writePem(folder, 'root.pem', 'CERTIFICATE', root.der)],
          ...['--load-crl', crls, '--infile', chain],
        ])
        assert.match(stdout + stderr, verdict)
      }
    },
  )
}

describe('a certificate request that OpenSSL made', needs('openssl'), () => {
  const kinds = [
    { words: 'an ECDSA key on P-256', options: ['ec', '-pkeyopt', 'ec_paramgen_curve:P-256'] },
    { words: 'an ECDSA key on P-384', options: ['ec', '-pkeyopt', 'ec_paramgen_curve:P-384'] },
    { words: 'an RSA key of 2048 bits', options: ['rsa:2048'] },
  ]
  for (const { words, options } of kinds) {
    test(`for ${words} is read and verified`, async (context) => {
      const request = await makeTheirs(temporaryFolder(context), ['-newkey', ...options, '-subj', '/CN=pump-1'])
      verifyCertificateRequest(request)
      assertAcceptableKey(request.publicKey, deviceProfile)
      assert.equal(publicKeyText(readPublicKey(request.publicKey)), words)
      assert.equal(nameText(request.subject), 'CN=pump-1')
      assertRequestFits(request, contentOf(deviceProfile))
    })
  }

  const p256 = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-subj', '/CN=pump-1']

  test('for what the profile gives anyway fits', async (context) => {
    const request = await makeTheirs(temporaryFolder(context), [
      ...p256,
      ...['-addext', `subjectAltName=URI:${uri}`, '-addext', 'basicConstraints=CA:FALSE'],
      ...['-addext', 'keyUsage=critical,digitalSignature', '-addext', 'extendedKeyUsage=clientAuth'],
    ])
    verifyCertificateRequest(request)
    assert.equal(request.requestedExtensions.length, 4)
    assertRequestFits(request, contentOf(deviceProfile))
  })

  test('with a name that is not its own asks too much', async (context) => {
    const request = await makeTheirs(temporaryFolder(context), [...p256, '-addext', 'subjectAltName=DNS:hub.example'])
    verifyCertificateRequest(request)
    assert.throws(
      () => assertRequestFits(request, contentOf(deviceProfile)),
      (error) => error instanceof HubError && error.code === 'csr-asks-too-much' && /hub\.example/.test(error.message),
    )
  })

  test('and signed with SHA-1 is refused', async (context) => {
    const request = await makeTheirs(temporaryFolder(context), [...p256, '-sha1'])
    assert.throws(
      () => verifyCertificateRequest(request),
      (error) => error instanceof HubError && error.code === 'csr-signature-invalid',
    )
  })
})

describe('GnuTLS', needs('certtool'), () => {
  test('verifies the chain of a device', async (context) => {
    const folder = temporaryFolder(context)
    const chain = [makeDevice(issuing, validity), issuing.der, root.der]
    const path = writePem(folder, 'chain.pem', 'CERTIFICATE', ...chain)
    assert.match(
      await output('certtool', ['--verify-chain', '--infile', path]),
      /Verified\. The certificate is trusted/,
    )
    const anchors = writePem(folder, 'root.pem', 'CERTIFICATE', root.der)
    const sent = writePem(folder, 'sent.pem', 'CERTIFICATE', ...chain.slice(0, 2))
    const verified = await output('certtool', ['--verify', '--load-ca-certificate', anchors, '--infile', sent])
    assert.match(verified, /Verified\. The certificate is trusted/)
  })

  test('verifies the CRL and finds its entries', async (context) => {
    const folder = temporaryFolder(context)
    const revoked = [{ serialNumber: '4a'.repeat(20), revokedAtMs: nowSec * 1000, reason: 'superseded' as const }]
    const path = writePem(folder, 'crl.pem', 'X509 CRL', makeCrl(issuing, revoked))
    const issuer = writePem(folder, 'issuing.pem', 'CERTIFICATE', issuing.der)
    assert.match(
      await output('certtool', ['--verify-crl', '--load-ca-certificate', issuer, '--infile', path]),
      /Verified/,
    )
    assert.match(await output('certtool', ['--crl-info', '--infile', path]), /Serial Number \(hex\): (4a){20}/)
  })
})

const uri = 'spiffe://plant.example/device/pump-1'

async function makeTheirs(folder: string, options: readonly string[]): Promise<CertificateRequest> {
  const out = join(folder, 'request.der')
  const files = ['-nodes', '-keyout', join(folder, 'key.pem'), '-outform', 'DER', '-out', out]
  await output('openssl', ['req', '-new', ...files, ...options])
  return parseCertificateRequest(readFileSync(out))
}
