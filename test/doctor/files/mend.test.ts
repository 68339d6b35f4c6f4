import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import {
  chmodSync,
  chownSync,
  lchownSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { HubError } from '../../../src/core/errors.ts'
import type { Platform } from '../../../src/core/key-file/found-form.ts'
import { examineFiles, type FilesQuestion, lookAt } from '../../../src/doctor/files/examine-files.ts'
import { applyMendings } from '../../../src/doctor/files/mend/apply.ts'
import { type Mending, plannedMendings } from '../../../src/doctor/files/mend/plan.ts'
import { type Unmended, unmendedKeys } from '../../../src/doctor/files/mend/unmended.ts'
import { accessOf, readFolderFiles } from '../../../src/doctor/files/read-files.ts'
import { temporaryFolder } from '../../support/temporary-folder.ts'
import { device, encrypted, issuing, markedPassphrase, nowMs, pem, root } from './bed.ts'

function questionAbout(folder: string, platform: Platform | null): FilesQuestion {
  const files = readFolderFiles(folder, null)
  return { files, isFolder: true, subject: folder, folderAccess: accessOf(folder, null), platform, nowMs }
}

function plan(folder: string, platform: Platform | null = null): readonly Mending[] {
  const question = questionAbout(folder, platform)
  return plannedMendings(question, lookAt(question), randomBytes)
}

const apply = (mendings: readonly Mending[]) => applyMendings(mendings, () => randomBytes(6).toString('hex'))

/** A folder in which something is wrong with each file. */
function troubled(t: { after(step: () => void): unknown }): string {
  const folder = temporaryFolder(t)
  writeFileSync(join(folder, 'client_cert.pem'), (issuing.pem + device.pem).replaceAll('\n', '\r'))
  writeFileSync(join(folder, 'private_key.pem'), encrypted(device.privateKey, 'pkcs8'))
  writeFileSync(join(folder, 'private_key_pass.txt'), `${markedPassphrase}\n`)
  writeFileSync(join(folder, 'ca.pem'), Buffer.from(`\ufeff${root.pem}`, 'utf16le'))
  chmodSync(join(folder, 'private_key.pem'), 0o644)
  chmodSync(join(folder, 'private_key_pass.txt'), 0o600)
  chmodSync(folder, 0o777)
  return folder
}

test('everything that needs no decision is mended, and nothing is found then', (t) => {
  const folder = troubled(t)
  const before = examineFiles(questionAbout(folder, 'mbedtls')).flatMap(({ findings }) =>
    findings.map(({ code }) => code),
  )
  for (const code of ['text-line-ends', 'text-wide-characters', 'chain-out-of-order', 'key-open-to-others'] as const) {
    assert.ok(before.includes(code), code)
  }
  assert.ok(before.includes('folder-open-to-others') && before.includes('key-encryption-unsupported'))

  apply(plan(folder, 'mbedtls'))
  const after = examineFiles(questionAbout(folder, 'mbedtls')).flatMap(({ findings }) => findings)
  assert.deepEqual(after, [])
  assert.deepEqual(plan(folder, 'mbedtls'), [])
  assert.equal(readFileSync(join(folder, 'client_cert.pem'), 'utf8'), device.pem + issuing.pem)
  assert.equal(readFileSync(join(folder, 'ca.pem'), 'utf8'), root.pem)
  assert.equal(readFileSync(join(folder, 'private_key_pass.txt'), 'utf8'), markedPassphrase)
  assert.match(
    readFileSync(join(folder, 'private_key.pem'), 'utf8'),
    /^-----BEGIN EC PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC/,
  )
})

test('what stood in a file is kept beside it, closed where it is secret', (t) => {
  const folder = troubled(t)
  const key = readFileSync(join(folder, 'private_key.pem'), 'utf8')
  const mended = apply(plan(folder, 'mbedtls'))
  const kept = join(folder, 'private_key.pem.orig')
  assert.equal(mended.find(({ path }) => path.endsWith('private_key.pem'))?.kept, kept)
  assert.equal(readFileSync(kept, 'utf8'), key)
  for (const path of [kept, join(folder, 'private_key.pem')]) assert.equal(statSync(path).mode & 0o777, 0o600)
  assert.equal(statSync(folder).mode & 0o777, 0o700)
  assert.deepEqual(
    readdirSync(folder).filter((name) => name.endsWith('.tmp')),
    [],
  )
})

test('a plan says what will be done and nothing of what stands in the files', (t) => {
  const said = plan(troubled(t), 'meadow').flatMap(({ what }) => what)
  assert.ok(said.includes('gets the key in a form that meadow reads, under the same passphrase'))
  assert.ok(said.includes('gets its certificates in order, that of the device first'))
  assert.ok(!said.join().includes(markedPassphrase))
})

test('a file that somebody has changed meanwhile stays as it is', (t) => {
  const folder = troubled(t)
  const planned = plan(folder).filter(({ path }) => path.endsWith('client_cert.pem'))
  writeFileSync(join(folder, 'client_cert.pem'), 'another')
  assert.throws(
    () => apply(planned),
    (error) => error instanceof HubError && error.code === 'files-unwritable',
  )
  assert.equal(readFileSync(join(folder, 'client_cert.pem'), 'utf8'), 'another')
})

test('earlier forms are not written over', (t) => {
  const folder = troubled(t)
  writeFileSync(join(folder, 'client_cert.pem.orig'), 'earlier')
  const [mended] = apply(plan(folder).filter(({ path }) => path.endsWith('client_cert.pem')))
  assert.equal(mended?.kept, join(folder, 'client_cert.pem.orig2'))
  assert.equal(readFileSync(join(folder, 'client_cert.pem.orig'), 'utf8'), 'earlier')
})

test('a link is followed, and a file stays with its owner', (t) => {
  const folder = troubled(t)
  const elsewhere = temporaryFolder(t)
  const real = join(elsewhere, 'real.pem')
  writeFileSync(real, root.pem.replaceAll('\n', '\r'))
  if (process.getuid?.() === 0) chownSync(real, 12_345, 12_345)
  const { uid } = statSync(real)
  symlinkSync(real, join(folder, 'linked.pem'))
  apply(plan(folder).filter(({ path }) => path.endsWith('linked.pem')))
  assert.equal(readFileSync(real, 'utf8'), root.pem)
  assert.equal(statSync(real).uid, uid)
})

test('a link of one user to a file of another is not followed by root', { skip: process.getuid?.() !== 0 }, (t) => {
  const folder = temporaryFolder(t)
  const real = join(temporaryFolder(t), 'others.key')
  writeFileSync(real, pem(device.privateKey), { mode: 0o644 })
  const link = join(folder, 'private_key.pem')
  symlinkSync(real, link)
  lchownSync(link, 12_345, 12_345)
  const mendings = plan(folder).filter(({ path }) => path === link)
  assert.equal(mendings.length, 1)
  assert.throws(
    () => apply(mendings),
    (error) => error instanceof HubError && error.code === 'files-unwritable',
  )
  assert.equal(statSync(real).mode & 0o777, 0o644)
})

test('what is damaged, or opens with another passphrase, is left alone', (t) => {
  const folder = temporaryFolder(t)
  writeFileSync(join(folder, 'client_cert.pem'), device.pem.slice(0, 200).replaceAll('\n', '\r'))
  writeFileSync(join(folder, 'private_key.pem'), encrypted(device.privateKey, 'pkcs8'), { mode: 0o600 })
  writeFileSync(join(folder, 'private_key_pass.txt'), 'another passphrase\n', { mode: 0o600 })
  chmodSync(folder, 0o700)
  assert.deepEqual(plan(folder, 'mbedtls'), [])
})

test('a file that is only named as one of a passphrase keeps its mode, and one that opens a key does not', (t) => {
  const folder = troubled(t)
  chmodSync(join(folder, 'private_key_pass.txt'), 0o644)
  writeFileSync(join(folder, 'passwd'), 'alice:$7$101$c2FsdA==$aGFzaA==\n')
  writeFileSync(join(folder, 'passages.txt'), 'one\ntwo\n')
  for (const name of ['passwd', 'passages.txt']) chmodSync(join(folder, name), 0o644)
  const modes = plan(folder).flatMap(({ path, mode }) => (mode === null ? [] : [[path.split('/').at(-1), mode]]))
  assert.ok(modes.some(([name, mode]) => name === 'private_key_pass.txt' && mode === 0o600))
  apply(plan(folder))
  for (const name of ['passwd', 'passages.txt']) assert.equal(statSync(join(folder, name)).mode & 0o777, 0o644, name)
})

test('a key without a passphrase is converted without one, and one that a platform reads is left', (t) => {
  const folder = temporaryFolder(t)
  writeFileSync(join(folder, 'private_key.pem'), pem(device.privateKey), { mode: 0o600 })
  chmodSync(folder, 0o700)
  assert.deepEqual(plan(folder, 'meadow'), [])
})

function unmended(folder: string, platform: Platform | null): readonly Unmended[] {
  const question = questionAbout(folder, platform)
  return unmendedKeys(question, lookAt(question))
}

test('a key under a passphrase under which none is written stays, and why and what to do are told without it', (t) => {
  const folder = temporaryFolder(t)
  const keyPath = join(folder, 'private_key.pem')
  const passPath = join(folder, 'private_key_pass.txt')
  const under = (passphrase: string): void => {
    const options = { type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase } as const
    writeFileSync(keyPath, device.privateKey.export(options), { mode: 0o600 })
    writeFileSync(passPath, passphrase, { mode: 0o600 })
  }
  writeFileSync(join(folder, 'client_cert.pem'), device.pem + issuing.pem)
  chmodSync(folder, 0o700)

  under('sesame')
  assert.deepEqual(plan(folder, 'meadow'), [])
  const [left, ...others] = unmended(folder, 'meadow')
  assert.deepEqual(others, [])
  assert.equal(left?.path, keyPath)
  assert.match(left?.why ?? '', /the passphrase has 6 characters, not 8 to 64/)
  assert.match(left?.cure ?? '', /of 8 to 64 printable ASCII characters/)
  assert.ok(left?.cure.includes(`handfast convert ${keyPath} ${join(folder, 'client_cert.pem')} --pass ${passPath} `))
  assert.doesNotMatch(JSON.stringify(left), /sesame/)
  // Nobody said who is to read it, or who is named reads it as it is.
  assert.deepEqual(unmended(folder, null), [])
  assert.deepEqual(unmended(folder, 'modern'), [])

  under('open sesame')
  assert.equal(plan(folder, 'meadow').length, 1)
  assert.deepEqual(unmended(folder, 'meadow'), [])
})
