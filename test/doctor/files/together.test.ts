import assert from 'node:assert/strict'
import { createPrivateKey, generateKeyPairSync, randomBytes } from 'node:crypto'
import { test } from 'node:test'
import { parseKeyPassphrase } from '../../../src/core/key-file/passphrase.ts'
import { pfx } from '../../../src/core/key-file/pfx.ts'
import { Secret } from '../../../src/core/secret.ts'
import { ownCertificate } from '../../support/own-certificate.ts'
import {
  authorityExtensions,
  clientExtensions,
  codes,
  day,
  device,
  encrypted,
  examine,
  faults,
  file,
  findings,
  folder,
  issuing,
  markedPassphrase,
  nowMs,
  pem,
  root,
  validity,
} from './bed.ts'

const phrase = (text: string) => file('private_key_pass.txt', text)
const lockedKey = file('private_key.pem', encrypted(device.privateKey))
const another = ownCertificate('another', { extensions: clientExtensions, validity })

test('a key that is not that of the certificate is told with both', () => {
  const [found] = findings(folder(file('private_key.pem', pem(another.privateKey))))
  assert.equal(found?.code, 'key-certificate-mismatch')
  assert.equal(found?.severity, 'fault')
  assert.match(
    found?.evidence ?? '',
    /CN=pump-7 in client_cert\.pem is for another key \(ECDSA P-256, sha256 [0-9a-f]{16}\)/,
  )
})

test('the same key in another form is the same key', () => {
  const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey
  const traditional = device.privateKey.export({ type: 'sec1', format: 'pem' }).toString()
  assert.deepEqual(codes(folder(file('private_key.pem', traditional))), [])
  assert.deepEqual(
    codes(
      folder(
        file('private_key.der', device.privateKey.export({ type: 'sec1', format: 'der' })),
        file('private_key.pem', traditional),
      ),
    ),
    [],
  )
  assert.deepEqual(faults(folder(file('private_key.pem', pem(rsa)))), ['key-certificate-mismatch'])
})

test('what a folder lacks is told, and what single files lack is not', () => {
  assert.deepEqual(codes([file('private_key.pem', pem(device.privateKey))]), ['certificate-file-missing'])
  assert.deepEqual(codes([file('private_key.pem', pem(device.privateKey))], { isFolder: false }), [])
  assert.deepEqual(codes([file('client_cert.pem', device.pem + issuing.pem)]), ['key-file-missing'])
  assert.deepEqual(codes([file('client_cert.pem', device.pem + issuing.pem)], { isFolder: false }), [])
  assert.deepEqual(codes([file('ca.pem', root.pem)]), [])
})

test('strings of source code are files of their own: the root in another string than the chain is no part of it', () => {
  const string = (name: string, text: string) => `static const char ${name}[] = R"pem(\n${text})pem";\n\n`
  const header = (chain: string) =>
    file(
      'credentials.h',
      `#pragma once\n\n${string('ca_pem', root.pem)}${string('cert_pem', chain)}${string('key_pem', pem(device.privateKey))}`,
    )
  assert.deepEqual(codes([header(device.pem + issuing.pem)], { isFolder: false }), [])
  assert.deepEqual(codes([header(issuing.pem + device.pem)], { isFolder: false }), ['chain-out-of-order'])
})

test('an issuer that stands neither behind the certificate nor among the authorities is worth a note', () => {
  const [found, another] = findings(folder(file('client_cert.pem', device.pem)))
  assert.deepEqual(
    [found?.code, found?.severity, found?.certainty, another],
    ['certificate-intermediate-missing', 'note', 'possible', undefined],
  )
  const elsewhere = ownCertificate('Root of the broker', { extensions: authorityExtensions, validity })
  assert.deepEqual(codes(folder(file('ca.pem', elsewhere.pem))), [])
})

test('a key that belongs to no certificate is told where another does', () => {
  assert.deepEqual(codes(folder(file('old.key', pem(another.privateKey)))), ['keys-several'])
})

test('an encrypted key opens with the passphrase that lies beside it, and is told where it does not', () => {
  assert.deepEqual(codes(folder(lockedKey, phrase(markedPassphrase))), [])
  assert.deepEqual(codes(folder(lockedKey)), ['device-key-passphrase-missing'])
  assert.deepEqual(codes(folder(lockedKey, phrase('something-else'))), ['device-key-passphrase-wrong'])
  const [wrong] = findings(folder(lockedKey, phrase('something-else')))
  assert.equal(wrong?.certainty, 'likely')
})

test('a line end behind the passphrase is told for who takes the file as it is', () => {
  const [found] = findings(folder(lockedKey, phrase(`${markedPassphrase}\r\n`)))
  assert.deepEqual([found?.code, found?.severity, found?.certainty], ['passphrase-file-line-end', 'note', 'possible'])
})

test('a key that was encrypted with the line end in its passphrase is told for that', () => {
  const sealed = device.privateKey.export({
    type: 'pkcs8',
    format: 'pem',
    cipher: 'aes-256-cbc',
    passphrase: 'with-its-end\n',
  })
  const found = codes(folder(file('private_key.pem', sealed.toString()), phrase('with-its-end\n')), {
    platform: 'modern',
  })
  assert.deepEqual(found, ['passphrase-with-line-end'])
})

test('spaces, marks and lines that do not belong to a passphrase are told, and none of it is repeated', () => {
  assert.deepEqual(codes(folder(lockedKey, phrase(` ${markedPassphrase} `))), ['passphrase-file-unfit'])
  assert.deepEqual(codes(folder(lockedKey, phrase(`\ufeff${markedPassphrase}`))), ['passphrase-file-unfit'])
  const several = codes(folder(lockedKey, phrase(`${markedPassphrase}\nand another\n`)))
  assert.deepEqual(several, ['passphrase-file-unfit', 'device-key-passphrase-missing'])
  assert.deepEqual(codes(folder(lockedKey, phrase(''))), ['file-empty', 'device-key-passphrase-missing'])
})

test('a PFX is opened as a pair is', () => {
  const content = { key: device.privateKey, certificates: [device.der, issuing.der] as const, friendlyName: 'pump-7' }
  const bytes = pfx(content, parseKeyPassphrase(new Secret(markedPassphrase)), 'compatible', randomBytes)
  const brought = [file('device.pfx', bytes), file('ca.pem', root.pem)]
  assert.deepEqual(codes([...brought, phrase(markedPassphrase)], { platform: 'modern' }), [])
  assert.deepEqual(codes(brought), ['device-key-passphrase-missing'])
  assert.deepEqual(faults([...brought, phrase('something-else')], { platform: 'modern' }), [
    'device-key-passphrase-wrong',
  ])
  assert.ok(codes([...brought, phrase(markedPassphrase)], { platform: 'mbedtls' }).includes('key-container-unread'))
})

test('a chain that does not begin with the certificate of the device keeps it out', () => {
  const [found] = findings(folder(file('client_cert.pem', issuing.pem + device.pem)))
  assert.equal(found?.code, 'chain-out-of-order')
  assert.equal(found?.severity, 'fault')
  const upper = ownCertificate('Upper', { issuer: root, extensions: authorityExtensions, validity })
  const lower = ownCertificate('Lower', { issuer: upper, extensions: authorityExtensions, validity })
  const leaf = ownCertificate('leaf', { issuer: lower, extensions: clientExtensions, validity })
  const disordered = folder(
    file('client_cert.pem', leaf.pem + upper.pem + lower.pem),
    file('private_key.pem', pem(leaf.privateKey)),
  )
  assert.deepEqual(codes(disordered), ['chain-out-of-order'])
  assert.deepEqual(faults(disordered), [])
})

test('what stands in the chain without a part in it is told', () => {
  const stranger = ownCertificate('Stranger', { extensions: authorityExtensions, validity })
  assert.deepEqual(codes(folder(file('client_cert.pem', device.pem + issuing.pem + stranger.pem))), ['chain-stranger'])
  assert.deepEqual(codes(folder(file('client_cert.pem', device.pem + issuing.pem + root.pem))), ['chain-holds-root'])
})

test('a certificate that a device has signed for another one is told', () => {
  const second = ownCertificate('second', { issuer: device, extensions: clientExtensions, validity })
  const chain = folder(
    file('client_cert.pem', second.pem + device.pem + issuing.pem),
    file('private_key.pem', pem(second.privateKey)),
  )
  assert.deepEqual(faults(chain), ['chain-issuer-unfit'])
})

test('an intermediate that stands among the roots alone is told, since not every device sends it', () => {
  const apart = folder(file('client_cert.pem', device.pem), file('ca.pem', root.pem + issuing.pem))
  assert.deepEqual(codes(apart), ['chain-issuer-apart'])
  assert.equal(findings(apart)[0]?.certainty, 'possible')
})

test('an authority of the same name with another key is told', () => {
  const namesake = ownCertificate('Plant Root', { extensions: authorityExtensions, validity })
  assert.deepEqual(codes(folder(file('ca.pem', namesake.pem))), ['certificate-of-namesake'])
})

test('roots that are none, or are not in date, are told', () => {
  assert.deepEqual(faults(folder(file('ca.pem', device.pem))), ['roots-unfit'])
  const ended = ownCertificate('Old Root', {
    extensions: authorityExtensions,
    validity: { notBeforeSec: nowMs / 1000 - 9 * day, notAfterSec: nowMs / 1000 - day },
  })
  assert.deepEqual(faults(folder(file('ca.pem', root.pem + ended.pem))), ['root-out-of-date'])
})

test('names of Meadow make a library of Meadow the likely reader', () => {
  const modern = file('private_key.pem', encrypted(device.privateKey, 'pkcs8'))
  const [found] = findings(folder(modern, phrase(markedPassphrase)))
  assert.deepEqual(
    [found?.code, found?.severity, found?.certainty],
    ['key-encryption-unsupported', 'warning', 'possible'],
  )
  assert.deepEqual(faults(folder(modern, phrase(markedPassphrase)), { platform: 'meadow' }), [
    'key-encryption-unsupported',
  ])
  assert.deepEqual(codes(folder(modern, phrase(markedPassphrase)), { platform: 'modern' }), [])
})

test('keys and certificates that mbedTLS does not read are told for it alone', () => {
  const ed25519 = generateKeyPairSync('ed25519').privateKey
  const only = [file('private_key.pem', pem(ed25519))]
  assert.deepEqual(codes(only, { isFolder: false, platform: 'mbedtls' }), ['key-type-unsupported'])
  assert.deepEqual(codes(only, { isFolder: false }), [])
  const critical = ownCertificate('pump-8', {
    ...{ issuer: issuing, validity },
    extensions: [...clientExtensions, { oid: '1.3.6.1.4.1.99999.1', critical: true, value: new Uint8Array([5, 0]) }],
  })
  const refused = folder(
    file('client_cert.pem', critical.pem + issuing.pem),
    file('private_key.pem', pem(critical.privateKey)),
  )
  assert.deepEqual(codes(refused, { platform: 'mbedtls' }), ['certificate-extension-unread'])
  assert.deepEqual(
    codes(refused, { platform: 'modern' }).filter((code) => code !== 'certificate-extension-unread'),
    [],
  )
})

test('who reads the files stands in the facts, each with what it stops at', () => {
  const facts = examine(
    folder(file('private_key.pem', encrypted(device.privateKey, 'pkcs8')), phrase(markedPassphrase)),
  )
    .flatMap((each) => each.facts)
    .filter(({ name }) => name === 'not read')
    .map(({ value }) => value)
  assert.deepEqual(facts, [
    'mbedTLS 2.28, mbedTLS 3.5: does not read a key under PBES2 with AES-256-CBC (-0x2E80)',
    'Java 17: reads a key from a PFX, and without further libraries none from PEM',
    'Go: decrypts no key by itself',
  ])
  assert.ok(createPrivateKey(pem(device.privateKey)).asymmetricKeyType)
})
