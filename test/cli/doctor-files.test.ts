import assert from 'node:assert/strict'
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import type { Examination } from '../../src/doctor/finding.ts'
import { freePort } from '../support/free-port.ts'
import { ownCertificate } from '../support/own-certificate.ts'
import { run } from '../support/run.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'

const handfast = (...args: readonly string[]) =>
  run(process.execPath, [join(import.meta.dirname, '../../bin/handfast.js'), 'doctor', ...args])

test('a folder of a device is looked at, and the exit status says whether a fault was found', async (t) => {
  const folder = temporaryFolder(t)
  const own = ownCertificate('pump-7')
  const key = own.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()
  writeFileSync(join(folder, 'client_cert.pem'), own.pem)
  writeFileSync(join(folder, 'private_key.pem'), key, { mode: 0o600 })
  writeFileSync(join(folder, 'notes.md'), 'nothing for the doctor')

  const good = await handfast(folder, '--json')
  assert.equal(good.stderr, '')
  assert.equal(good.status, 0)
  const subjects = (JSON.parse(good.stdout) as readonly Examination[]).map(({ subject }) => subject)
  assert.deepEqual(subjects, [join(folder, 'client_cert.pem'), join(folder, 'private_key.pem'), `${folder}: together`])

  writeFileSync(join(folder, 'private_key.pem'), key.slice(0, 100))
  chmodSync(join(folder, 'private_key.pem'), 0o644)
  const bad = await handfast(folder)
  assert.equal(bad.status, 1)
  assert.match(bad.stdout, /fault: HF-7702 pem-cut-short\n {4}ends at line 3, within "PRIVATE KEY"\n {4}→ /)
  assert.ok(!bad.stdout.includes(key.split('\n')[1] ?? ''))
})

test('what cannot be looked at is an error of usage with its reason', async (t) => {
  const folder = temporaryFolder(t)
  mkdirSync(join(folder, 'empty'))
  const cases = [
    [join(folder, 'empty'), /no file in the folder ".*" has the name of a key or a certificate/],
    ['/dev/null', /"\/dev\/null" is neither a file nor a folder/],
    [join(folder, 'absent.pem'), /there is no file or folder/],
  ] as const
  for (const [path, message] of cases) {
    const { status, stderr } = await handfast(path)
    assert.equal(status, 2, path)
    assert.match(stderr, message)
  }
})

test('what can be mended is shown first and done with --yes; a credential store is left to its agent', async (t) => {
  const folder = temporaryFolder(t)
  const own = ownCertificate('pump-7')
  const path = join(folder, 'client_cert.pem')
  const indented = own.pem.replace(/^(?=.)/gm, '  ')
  writeFileSync(path, indented)

  const shown = await handfast(folder, '--fix')
  assert.equal(shown.status, 1)
  assert.match(
    shown.stdout,
    /To be mended \(nothing is changed yet; add --yes to do it\):\n {2}.*client_cert\.pem is written as ASCII/,
  )
  assert.equal(readFileSync(path, 'utf8'), indented)

  const done = await handfast(folder, '--fix', '--yes', '--json')
  assert.equal(done.status, 0, done.stderr)
  const { mendings } = JSON.parse(done.stdout) as { mendings: readonly { isDone: boolean; kept: string }[] }
  assert.deepEqual(
    mendings.map(({ isDone, kept }) => ({ isDone, kept })),
    [{ isDone: true, kept: `${path}.orig` }],
  )
  assert.equal(readFileSync(path, 'utf8'), own.pem)

  mkdirSync(join(folder, 'slots'))
  const store = await handfast(folder, '--fix', '--yes')
  assert.equal(store.status, 2)
  assert.match(store.stderr, /is a credential store/)
  assert.match((await handfast(folder, '--yes')).stderr, /--yes says nothing without --fix/)
})

test('the folder of an agent that holds nothing at all holds no credential', async (t) => {
  const folder = temporaryFolder(t)
  const { status, stderr } = await run(process.execPath, [
    ...[join(import.meta.dirname, '../../bin/handfast.js'), 'agent', 'doctor', '--dir', folder],
  ])
  assert.notEqual(status, 0)
  assert.match(stderr, /code: HF-9207 credential-missing/)
})

test('what --fix leaves for a decision is said in place of that there was nothing to mend', async (t) => {
  const folder = temporaryFolder(t)
  const own = ownCertificate('pump-7')
  const encryption = { cipher: 'aes-256-cbc', passphrase: 'sesame' }
  const key = own.privateKey.export({ type: 'pkcs8', format: 'pem', ...encryption })
  writeFileSync(join(folder, 'client_cert.pem'), own.pem)
  writeFileSync(join(folder, 'private_key.pem'), key, { mode: 0o600 })
  writeFileSync(join(folder, 'private_key_pass.txt'), 'sesame', { mode: 0o600 })
  chmodSync(folder, 0o700)

  const shown = await handfast(folder, '--for', 'meadow', '--fix')
  assert.doesNotMatch(shown.stdout, /nothing to mend/)
  assert.match(shown.stdout, /Not to be mended without a decision of yours:\n {2}.*private_key\.pem keeps its form/)
  const { unmended } = JSON.parse((await handfast(folder, '--for', 'meadow', '--fix', '--json')).stdout)
  assert.equal(unmended.length, 1)
})

test('where a folder holds no files of a device but the configuration of a Mosquitto, that is named', async (t) => {
  const folder = temporaryFolder(t)
  writeFileSync(join(folder, 'mosquitto.conf'), 'listener 8883\nallow_anonymous false\n')
  const { status, stderr } = await handfast(folder)
  assert.equal(status, 2)
  assert.ok(stderr.includes(`handfast doctor ${join(folder, 'mosquitto.conf')}`), stderr)
})

test('an address beside the folder of a device is told what is shown to it', async (t) => {
  const folder = temporaryFolder(t)
  const own = ownCertificate('pump-7')
  writeFileSync(join(folder, 'client_cert.pem'), own.pem)
  const key = own.privateKey.export({ type: 'pkcs8', format: 'pem' })
  writeFileSync(join(folder, 'private_key.pem'), key, { mode: 0o600 })
  const address = `127.0.0.1:${await freePort()}`
  const examinations = JSON.parse((await handfast(folder, address, '--json')).stdout) as readonly Examination[]
  const probed = examinations.find(({ subject }) => subject === address)
  assert.deepEqual(probed?.facts[0], {
    name: 'shown to it',
    value: `the certificate in "${join(folder, 'client_cert.pem')}"`,
  })
})
