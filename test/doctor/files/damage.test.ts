import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { test } from 'node:test'
import fc from 'fast-check'
import { parseKeyPassphrase } from '../../../src/core/key-file/passphrase.ts'
import { pfx } from '../../../src/core/key-file/pfx.ts'
import { Secret } from '../../../src/core/secret.ts'
import { certsOnly } from '../../../src/core/x509/pkcs7.ts'
import { device, encrypted, examine, file, findings, issuing, markedPassphrase, nowMs, pem, root } from './bed.ts'

const text = (content: string): Uint8Array => new Uint8Array(Buffer.from(content))

/** One of each kind of file that is read, by the name that it is found under. */
const samples: readonly (readonly [name: string, bytes: Uint8Array])[] = [
  ['client_cert.pem', text(device.pem + issuing.pem)],
  ['client_cert.pem', text((device.pem + issuing.pem).replaceAll('\n', '\r\n'))],
  ['client_cert.pem', Buffer.from(`\ufeff${device.pem}`, 'utf16le')],
  ['client_cert.der', device.der],
  ['client_cert.p7b', certsOnly([device.der, issuing.der])],
  ['private_key.pem', text(pem(device.privateKey))],
  ['private_key.pem', text(device.privateKey.export({ type: 'sec1', format: 'pem' }).toString())],
  ['private_key.pem', text(encrypted(device.privateKey))],
  ['private_key.der', device.privateKey.export({ type: 'pkcs8', format: 'der' })],
]

/** Whether what is left is whole in itself: only a line end is missing, or a chain ends behind a certificate. */
function isWhole(bytes: Uint8Array, length: number): boolean {
  const rest = Buffer.from(bytes.subarray(length)).filter((octet) => octet !== 0)
  if (rest.every((octet) => octet === 0x0a || octet === 0x0d)) return true
  const left = Buffer.from(bytes.subarray(0, length)).toString('latin1')
  return /^(-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----\s*)+$/.test(left)
}

test('a file that is cut off anywhere is never said to be in order', () => {
  for (const [name, bytes] of samples) {
    for (let length = 0; length < bytes.length; length++) {
      if (isWhole(bytes, length)) continue
      const found = findings([file(name, bytes.subarray(0, length))], { isFolder: false })
      assert.ok(
        found.some(({ severity }) => severity === 'fault'),
        `${name} cut at ${length} of ${bytes.length}: ${found.map(({ code }) => code)}`,
      )
    }
  }
})

test('where a key is cut off, neither passphrase nor certificate is blamed for it', () => {
  const key = text(encrypted(device.privateKey))
  const others = [
    file('client_cert.pem', device.pem + issuing.pem),
    file('ca.pem', root.pem),
    file('private_key_pass.txt', markedPassphrase),
  ]
  for (let length = 1; length < key.length - 1; length++) {
    const found = findings([...others, file('private_key.pem', key.subarray(0, length))])
    assert.ok(
      found.some(({ severity, subject }) => severity === 'fault' && subject === 'private_key.pem'),
      `cut at ${length}`,
    )
    const blamed = found.filter(
      ({ code }) => code === 'key-certificate-mismatch' || code === 'device-key-passphrase-wrong',
    )
    assert.deepEqual(blamed, [], `cut at ${length}`)
  }
})

test('octets that were changed are looked at without an exception', () => {
  const others = [file('ca.pem', root.pem), file('private_key.pem', pem(device.privateKey))]
  for (const [name, bytes] of samples) {
    fc.assert(
      fc.property(fc.nat(bytes.length - 1), fc.integer({ min: 0, max: 255 }), (at, octet) => {
        const changed = new Uint8Array(bytes)
        changed[at] = octet
        findings([file(name, changed), ...others.filter((other) => other.name !== name)])
      }),
      { numRuns: 60 },
    )
  }
})

test('octets of any kind under any name are looked at without an exception', () => {
  const names = fc.constantFrom(
    ...['private_key.pem', 'client_cert.pem', 'ca.pem', 'private_key_pass.txt', 'x.pfx', 'x.csr', 'x'],
  )
  const piece = fc.oneof(
    fc.uint8Array({ maxLength: 80 }),
    fc.constantFrom(
      ...['-----BEGIN CERTIFICATE-----\n', '-----END PRIVATE KEY-----', 'DEK-Info: AES-128-CBC,00\n', '\r\n'].map(text),
      ...[new Uint8Array([0x30, 0x82]), new Uint8Array([0xff, 0xfe])],
    ),
  )
  const bytes = fc.array(piece, { maxLength: 8 }).map((pieces) => new Uint8Array(Buffer.concat(pieces)))
  fc.assert(
    fc.property(fc.array(fc.tuple(names, bytes), { maxLength: 4 }), (files) => {
      examine(files.map(([name, content]) => file(name, content)))
    }),
    { numRuns: 500 },
  )
})

test('nothing of a key, a passphrase or an unknown file stands in what is said about them', () => {
  const marker = 'MARKEROFUNKNOWNTEXT'
  const phrase = parseKeyPassphrase(new Secret(markedPassphrase))
  const content = { key: device.privateKey, certificates: [device.der] as const, friendlyName: 'pump-7' }
  const secretLines = pem(device.privateKey).split('\n').slice(1, -2)
  const sets = [
    [file('private_key.pem', pem(device.privateKey)), file('private_key_pass.txt', `${markedPassphrase}\n`)],
    [file('private_key.pem', encrypted(device.privateKey)), file('private_key_pass.txt', `${markedPassphrase}\n`)],
    [file('private_key.pem', encrypted(device.privateKey)), file('private_key_pass.txt', `${marker}\n${marker}`)],
    [file('device.pfx', pfx(content, phrase, 'modern', randomBytes)), file('private_key_pass.txt', `${marker} `)],
    [file('private_key.pem', pem(device.privateKey).replace(/.\n-----END/, '§\n-----END'))],
    [file('client_cert.pem', marker), file('ca.pem', `${marker}-----BEGIN CERTIFICATE-----${marker}`)],
    [file('private_key.pem', pem(device.privateKey).slice(0, 120))],
    [file('private_key.key', `{"kty":"EC","d":"${marker}"}`)],
  ]
  for (const files of sets) {
    for (const platform of [null, 'meadow'] as const) {
      const said = JSON.stringify(examine(files, { platform, nowMs }))
      for (const secret of [markedPassphrase, marker, ...secretLines]) assert.ok(!said.includes(secret), said)
    }
  }
})
