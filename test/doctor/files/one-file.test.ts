import assert from 'node:assert/strict'
import { test } from 'node:test'
import { derInteger, derOctetString, derOid, derSequence } from '../../../src/core/x509/der-writer.ts'
import { oids } from '../../../src/core/x509/oids.ts'
import { encodePem } from '../../../src/core/x509/pem.ts'
import { codes, device, encrypted, examine, faults, file, findings, folder, issuing, pem, root } from './bed.ts'

const key = pem(device.privateKey)
const certificates = device.pem + issuing.pem

test('a folder in which nothing is wrong has no finding', () => {
  assert.deepEqual(codes(folder()), [])
})

test('an empty file is told, also one of white space', () => {
  assert.deepEqual(faults([file('client_cert.pem', '')]), ['file-empty'])
  assert.deepEqual(faults([file('private_key.pem', ' \n\n')]), ['file-empty'])
})

test('what cannot be read is told with why', () => {
  for (const unread of ['file-closed', 'file-missing', 'file-too-large'] as const) {
    assert.deepEqual(faults([file('private_key.pem', '', { unread })]), [unread])
  }
})

test('a PEM file that is cut short is told with the line where it ends', () => {
  const [found] = findings([file('client_cert.pem', device.pem.slice(0, 300))])
  assert.equal(found?.code, 'pem-cut-short')
  assert.match(found?.evidence ?? '', /^ends at line 6, within "CERTIFICATE"$/)
  assert.deepEqual(faults([file('client_cert.pem', `${device.pem}-----BEG`)]), ['pem-cut-short'])
  assert.deepEqual(faults([file('client_cert.pem', device.pem.replace(/-----END.*\n/, '') + issuing.pem)]), [
    'pem-cut-short',
  ])
})

test('a line that begins or ends a block is told with what is wrong with it', () => {
  const damages = [
    [device.pem.replace('-----BEGIN', '----BEGIN'), /begins with 4 hyphens/],
    [device.pem.replace('CERTIFICATE-----\nM', 'CERTIFICATE----\nM'), /ends with 4 hyphens/],
    [device.pem.replaceAll('-----', '—'), /dashes/],
    [`cert: ${device.pem}`, /something stands before/],
    [device.pem.replace('BEGIN', 'Begin'), /capitals/],
    [device.pem.replaceAll('\n', '\\n'), /written as "\\n"/],
    [device.pem.replace('END CERTIFICATE', 'END PRIVATE KEY'), /began as CERTIFICATE/],
  ] as const
  for (const [text, evidence] of damages) {
    const [found] = findings([file('client_cert.pem', text)])
    assert.equal(found?.code, 'pem-boundary-damaged', text.slice(0, 40))
    assert.match(found?.evidence ?? '', evidence)
  }
})

test('base64 that is none is told with line and column', () => {
  const lines = device.pem.split('\n')
  lines[3] = `${lines[3]?.slice(0, 10)}§${lines[3]?.slice(11)}`
  const [found] = findings([file('client_cert.pem', lines.join('\n'))])
  assert.equal(found?.code, 'pem-text-damaged')
  assert.match(found?.evidence ?? '', /^line 4, column 11: "§" is not base64$/)
  const missing = device.pem.split('\n')
  missing[2] = missing[2]?.slice(1) ?? ''
  assert.deepEqual(faults([file('client_cert.pem', missing.join('\n'))]), ['pem-text-damaged'])
  const none = '-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----\n'
  assert.deepEqual(faults([file('client_cert.pem', none)]), ['pem-text-damaged'])
})

test('a line that is missing in the middle is told by the length that the certificate says itself', () => {
  const lines = device.pem.split('\n')
  lines.splice(3, 1)
  const [found] = findings([file('client_cert.pem', lines.join('\n'))])
  assert.equal(found?.code, 'der-damaged')
  assert.match(found?.evidence ?? '', /ends after \d+ of \d+ octets/)
})

test('DER that is cut short or goes on behind its end is told', () => {
  assert.deepEqual(faults([file('client_cert.der', device.der.subarray(0, 200))]), ['der-damaged'])
  assert.deepEqual(faults([file('client_cert.der', Buffer.concat([device.der, device.der]))]), ['der-damaged'])
  assert.deepEqual(codes([file('pump.der', device.der)], { isFolder: false }), [])
})

test('a key under more rounds than anybody needs is not tried: it would take hours', () => {
  const derivation = derSequence(
    derOid(oids.pbkdf2),
    derSequence(derOctetString(new Uint8Array(8)), derInteger(2 ** 31)),
  )
  const cipher = derSequence(derOid(oids.aes256Cbc), derOctetString(new Uint8Array(16)))
  const algorithm = derSequence(derOid(oids.pbes2), derSequence(derivation, cipher))
  const text = encodePem('ENCRYPTED PRIVATE KEY', derSequence(algorithm, derOctetString(new Uint8Array(64))))
  const phrase = file('private_key_pass.txt', 'marker-of-a-passphrase')
  assert.ok(faults([file('private_key.pem', text), phrase]).includes('der-damaged'))
})

test('UTF-16, byte order marks, carriage returns and spaces are told, and CR LF is not', () => {
  const wide = Buffer.concat([Buffer.from([0xff, 0xfe]), Buffer.from(key, 'utf16le')])
  const asKey = (content: string | Uint8Array) => codes(folder(file('private_key.pem', content)))
  assert.deepEqual(asKey(wide), ['text-wide-characters'])
  assert.deepEqual(asKey(Buffer.from(key, 'utf16le')), ['text-wide-characters'])
  assert.deepEqual(asKey(`\ufeff${key}`), ['text-byte-order-mark'])
  assert.deepEqual(asKey(key.replaceAll('\n', '\r')), ['text-line-ends'])
  assert.deepEqual(asKey(key.replaceAll('\n', '\r\n')), [])
  assert.deepEqual(asKey(key.replace(/^/gm, '  ')), ['pem-white-space'])
  assert.deepEqual(asKey(key.replaceAll('\n', ' \n')), ['pem-white-space'])
  assert.deepEqual(asKey(key.replace('\n-----END', '\n\n-----END')), ['pem-white-space'])
  assert.deepEqual(asKey(key.replace('\n', '\n\n')), [])
})

test('who stops at what is written beside it', () => {
  const [found] = findings(folder(file('private_key.pem', key.replace(/(\n.*\n)/, '$1\n'))))
  assert.equal(found?.evidence, 'line 3 is empty within a block, at which OpenSSL and wolfSSL stop')
})

test('the empty line behind the headers of an encrypted key is no fault, nor is text around a block', () => {
  const phrase = file('private_key_pass.txt', 'marker-of-a-passphrase')
  assert.deepEqual(codes(folder(file('private_key.pem', encrypted(device.privateKey)), phrase)), [])
  assert.deepEqual(codes(folder(file('private_key.pem', `Bag Attributes\n    localKeyID: 01\n${key}`))), [])
})

test('a certificate under the name of a key is told as swapped, and a key under that of a certificate', () => {
  const swapped = folder(file('client_cert.pem', key), file('private_key.pem', certificates))
  assert.deepEqual(faults(swapped), ['files-swapped', 'files-swapped'])
})

test('one file with key and certificate is as good as two', () => {
  assert.deepEqual(codes([file('client_cert.pem', certificates + key), file('ca.pem', root.pem)]), [])
})

test('what stands where a key or a certificate should be is told for what it is', () => {
  const request = encodePem('CERTIFICATE REQUEST', device.der)
  assert.deepEqual(faults([file('client_cert.pem', request)]), ['request-for-certificate'])
  const publicKey = encodePem('PUBLIC KEY', device.spki)
  assert.deepEqual(faults([file('private_key.pem', publicKey)]), ['public-key-for-private'])
  const ssh = '-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNzaC1rZXktdjEAAAAA\n-----END OPENSSH PRIVATE KEY-----\n'
  const [found] = findings([file('private_key.pem', ssh)])
  assert.equal(found?.code, 'key-form-foreign')
  assert.equal(found?.cure, 'convert it: ssh-keygen -p -m PKCS8 -f private_key.pem')
  assert.deepEqual(faults([file('device.jks', Buffer.from('feedfeed00000002', 'hex'))]), ['key-form-foreign'])
  assert.deepEqual(faults([file('client_cert.pem', '<html>not found</html>')]), ['file-unrecognised'])
})

test('a note beside the files is none of their business', () => {
  assert.deepEqual(faults(folder(file('notes.pem', 'ask Anna'))), [])
})

test('a key that others can read is told with its mode', () => {
  const [found] = findings(folder(file('private_key.pem', key, { access: { mode: 0o644, isOwn: true } })))
  assert.equal(found?.code, 'key-open-to-others')
  assert.equal(found?.severity, 'warning')
  assert.match(found?.evidence ?? '', /0644/)
  const odd = findings([file("a 'b'.key", key, { access: { mode: 0o644, isOwn: true } })], { isFolder: false })
  assert.equal(odd[0]?.cure, "chmod 0600 'a '\\''b'\\''.key'")
  assert.deepEqual(codes(folder(file('ca.pem', root.pem, { access: { mode: 0o644, isOwn: true } }))), [])
})

test('what was read stands in the facts', () => {
  const facts = examine(folder()).flatMap((each) => each.facts.map(({ name, value }) => `${name}: ${value}`))
  assert.ok(
    facts.some((fact) => fact.startsWith('key: ECDSA P-256, PKCS#8 in PEM, not encrypted')),
    facts.join('\n'),
  )
  assert.ok(facts.includes('chain: CN=pump-7 ← CN=Plant Issuing ← CN=Plant Root'), facts.join('\n'))
  assert.ok(facts.includes('pair: private_key.pem is the key of CN=pump-7'))
})
