/** What `src/doctor/files/stacks.ts` says of TLS libraries, asked of the libraries that this machine has. */
import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { lookAt } from '../../src/doctor/files/examine-files.ts'
import type { FoundFile } from '../../src/doctor/files/found-file.ts'
import { layoutTraits } from '../../src/doctor/files/layout-findings.ts'
import { whyKeyUnread } from '../../src/doctor/files/stack-findings.ts'
import { layoutRefusers, type StackId } from '../../src/doctor/files/stacks.ts'
import { openssl } from '../support/maker.ts'
import { needs } from '../support/programs.ts'
import { run } from '../support/run.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'

const passphrase = 'marker-of-a-passphrase'
const under = ['-passout', `pass:${passphrase}`]

/** Keys by what OpenSSL is asked for, from one key on P-256 in `plain.pem`. */
const encryptions: readonly (readonly [name: string, args: readonly string[]])[] = [
  ['traditional-aes128.pem', ['ec', '-aes128']],
  ['traditional-aes256.pem', ['ec', '-aes256']],
  ['traditional-des3.pem', ['ec', '-des3']],
  ['pbes2-aes128-sha1.pem', ['pkcs8', '-topk8', '-v2', 'aes-128-cbc', '-v2prf', 'hmacWithSHA1']],
  ['pbes2-aes256-sha256.pem', ['pkcs8', '-topk8', '-v2', 'aes-256-cbc', '-v2prf', 'hmacWithSHA256']],
  ['pbes2-des3-sha1.pem', ['pkcs8', '-topk8', '-v2', 'des3', '-v2prf', 'hmacWithSHA1']],
  ['pbes2-des3-sha256.pem', ['pkcs8', '-topk8', '-v2', 'des3', '-v2prf', 'hmacWithSHA256']],
  ['pbes1-des3.pem', ['pkcs8', '-topk8', '-v1', 'PBE-SHA1-3DES']],
  ['pbes1-des.pem', ['pkcs8', '-topk8', '-v1', 'PBE-MD5-DES', '-provider', 'legacy', '-provider', 'default']],
  ['pbes1-rc2.pem', ['pkcs8', '-topk8', '-v1', 'PBE-SHA1-RC2-40', '-provider', 'legacy', '-provider', 'default']],
  ['scrypt.pem', ['pkcs8', '-topk8', '-scrypt']],
]

const ec = (curve: string): readonly string[] => ['EC', '-pkeyopt', `ec_paramgen_curve:${curve}`]
const kinds: readonly (readonly [name: string, args: readonly string[]])[] = [
  ['rsa.pem', ['RSA', '-pkeyopt', 'rsa_keygen_bits:2048']],
  ['p384.pem', ec('P-384')],
  ['p521.pem', ec('P-521')],
  ['ed25519.pem', ['ED25519']],
  ['rsa-pss.pem', ['RSA-PSS', '-pkeyopt', 'rsa_keygen_bits:2048']],
  ['secp256k1.pem', ec('secp256k1')],
  ['brainpool.pem', ec('brainpoolP256r1')],
  ['explicit.pem', [...ec('P-256'), '-pkeyopt', 'ec_param_enc:explicit']],
]

const layouts: readonly (readonly [name: string, change: (text: string) => string | Uint8Array])[] = [
  ['utf-16.pem', (text) => Buffer.from(`\ufeff${text}`, 'utf16le')],
  ['mark.pem', (text) => `\ufeff${text}`],
  ['cr.pem', (text) => text.replaceAll('\n', '\r')],
  ['crlf.pem', (text) => text.replaceAll('\n', '\r\n')],
  ['indented.pem', (text) => text.replace(/^(?=.)/gm, '  ')],
  ['blank-begin.pem', (text) => text.replace('\n', '\n\n')],
  ['blank-within.pem', (text) => text.replace(/(\n.*\n)/, '$1\n')],
  ['blank-end.pem', (text) => text.replace('\n-----END', '\n\n-----END')],
  ['trailing.pem', (text) => text.replaceAll('\n', '  \n')],
  ['text-around.pem', (text) => `Bag Attributes\n    localKeyID: 01\n${text}behind\n`],
]

async function makeSamples(folder: string): Promise<readonly string[]> {
  const path = (name: string): string => join(folder, name)
  await openssl('genpkey', '-algorithm', ...ec('P-256'), '-out', path('plain.pem'))
  await openssl('req', '-x509', '-key', path('plain.pem'), '-subj', '/CN=any', '-out', path('any.crt'))
  await Promise.all([
    ...encryptions.map(([name, args]) => openssl(...args, '-in', path('plain.pem'), ...under, '-out', path(name))),
    ...kinds.map(([name, args]) => openssl('genpkey', '-algorithm', ...args, '-out', path(name))),
    openssl(
      'pkcs12',
      '-export',
      '-inkey',
      path('plain.pem'),
      '-in',
      path('any.crt'),
      ...under,
      '-out',
      path('bag.pfx'),
    ),
  ])
  const plain = readFileSync(path('plain.pem'), 'utf8')
  for (const [name, change] of layouts) writeFileSync(path(name), change(plain))
  return ['plain.pem', 'bag.pfx', ...[...encryptions, ...kinds, ...layouts].map(([name]) => name)]
}

/** What the doctor says that a library makes of a file: an error where it knows one, else whether it is read. */
function said(stack: StackId, folder: string, name: string): { reads: boolean; error: string | null } | null {
  const file: FoundFile = { name, bytes: readFileSync(join(folder, name)), unread: null, access: null }
  const phrase: FoundFile = { name: 'pass.txt', bytes: Buffer.from(passphrase), unread: null, access: null }
  const { contents, parts } = lookAt({ files: [file, phrase] })
  const [key] = parts.keys
  assert.ok(key !== undefined, `${name} holds a key`)
  const why = whyKeyUnread(stack, key)
  if (why === 'unknown') return null
  if (why !== 'read') return { reads: false, error: why.error }
  const traits = contents.flatMap((each) => layoutTraits(each))
  return { reads: !traits.some(({ trait }) => layoutRefusers[trait].includes(stack)), error: null }
}

test('libraries read the key files that the doctor says they read, and refuse the others with the errors it names', {
  ...needs('openssl', 'python3'),
}, async (t) => {
  const folder = temporaryFolder(t)
  const names = await makeSamples(folder)
  const paths = names.map((name) => join(folder, name))
  const { stdout, stderr } = await run('python3', [join(import.meta.dirname, 'key-readers.py'), passphrase, ...paths])
  assert.equal(stderr, '')
  const answers = stdout
    .trim()
    .split('\n')
    .map((line) => line.split(' '))
  const wrong: string[] = []
  for (const [stack, name = '', result = ''] of answers) {
    const expected = said(stack as StackId, folder, name)
    if (expected === null) continue
    const isRight =
      result === '0' ? expected.reads : !expected.reads && (expected.error === null || expected.error === result)
    if (!isRight) wrong.push(`${stack} ${name}: ${result}, and the doctor says ${JSON.stringify(expected)}`)
  }
  assert.deepEqual(wrong, [])
  const asked = new Set(answers.map(([stack]) => stack))
  t.diagnostic(`asked: ${[...asked].join(', ')}`)
  assert.ok(asked.size >= 1 && answers.length === asked.size * names.length)
})
