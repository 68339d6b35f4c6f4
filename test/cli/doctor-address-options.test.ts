import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { assertAddressFor } from '../../src/cli/doctor/examine.ts'
import { type OwnPair, ownPairIn, withOwnPair } from '../../src/cli/doctor/own-pair.ts'
import { readAddressOptions } from '../../src/cli/doctor/probe-options.ts'
import { HubError } from '../../src/core/errors.ts'
import { ownCertificate } from '../support/own-certificate.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'

const isCode = (code: string) => (error: unknown) => error instanceof HubError && error.code === code

test('options about an address need one', () => {
  assert.throws(() => assertAddressFor({ topic: 'a' }, ['ca.pem']), isCode('usage'))
  assert.throws(() => assertAddressFor({ clientId: 'a' }, []), /--client-id goes with the address/)
  assertAddressFor({ topic: 'a' }, ['localhost:8883'])
  assertAddressFor({}, ['ca.pem'])
})

test('what does not belong together is refused before anybody is dialled', async (t) => {
  const folder = temporaryFolder(t)
  const written = (name: string, text: string): string => {
    writeFileSync(join(folder, name), text)
    return join(folder, name)
  }
  const [pump, other] = [ownCertificate('pump'), ownCertificate('other')]
  const keyOf = ({ privateKey }: typeof pump, passphrase?: string) =>
    privateKey
      .export({
        type: 'pkcs8',
        format: 'pem',
        ...(passphrase === undefined ? {} : { cipher: 'aes-128-cbc', passphrase }),
      })
      .toString()
  const cert = written('pump.pem', pump.pem)
  const key = written('pump.key', keyOf(pump))
  const locked = written('locked.key', keyOf(pump, 'MARKER7f3a'))
  await assert.rejects(readAddressOptions({ key }), isCode('usage'))
  await assert.rejects(readAddressOptions({ cert }), isCode('usage'))
  await assert.rejects(readAddressOptions({ cert, key: join(folder, 'none') }), isCode('usage'))
  await assert.rejects(readAddressOptions({ cert, key: locked }), isCode('credential-passphrase-wrong'))
  await assert.rejects(readAddressOptions({ cafile: key }), isCode('credential-file-unreadable'))
  await assert.rejects(readAddressOptions({ passwordFile: key }), isCode('usage'))
  await assert.rejects(readAddressOptions({ topic: 'a/#' }), isCode('usage'))
  const mismatch = await readAddressOptions({ cert, key: written('other.key', keyOf(other)) })
  assert.ok('findings' in mismatch && mismatch.findings[0]?.code === 'key-certificate-mismatch')
  const read = await readAddressOptions({ cert, key: locked, keyPassFile: written('pass', 'MARKER7f3a\n') })
  assert.ok('pair' in read && read.pair !== null)
  assert.ok(!JSON.stringify(read).includes('MARKER') && !JSON.stringify(read).includes('PRIVATE KEY'))
})

test('files of a device beside an address are what is shown and trusted there; what is given for the address goes before', async (t) => {
  const folder = temporaryFolder(t)
  const elsewhere = temporaryFolder(t)
  const [pump, other] = [ownCertificate('pump'), ownCertificate('other')]
  const keyOf = ({ privateKey }: typeof pump) => privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()
  const write = (where: string, own: typeof pump): void => {
    writeFileSync(join(where, 'client_cert.pem'), own.pem)
    writeFileSync(join(where, 'private_key.pem'), keyOf(own), { mode: 0o600 })
  }
  write(folder, pump)
  writeFileSync(join(folder, 'ca.pem'), other.pem)
  const own = ownPairIn([folder], {}) as OwnPair
  assert.equal(own.pair?.chain, pump.pem)
  assert.deepEqual(own.authorities, [other.pem])
  assert.equal(own.told, `the certificate in "${join(folder, 'client_cert.pem')}"`)
  assert.ok(!JSON.stringify(own).includes('PRIVATE KEY'))

  const read = async (options: { readonly cert?: string; readonly key?: string; readonly cafile?: string }) => {
    const plain = await readAddressOptions(options)
    assert.ok('pair' in plain)
    return withOwnPair(plain, own, options)
  }
  const byFolder = await read({})
  assert.equal(byFolder.pair?.chain, pump.pem)
  assert.deepEqual([byFolder.authorities, byFolder.systemAuthorities], [[other.pem], []])
  write(elsewhere, other)
  const [cert, key] = [join(elsewhere, 'client_cert.pem'), join(elsewhere, 'private_key.pem')]
  const given = await read({ cert, key, cafile: join(folder, 'client_cert.pem') })
  assert.equal(given.pair?.chain, other.pem)
  assert.deepEqual(given.authorities, [pump.pem])

  assert.equal(ownPairIn([], {}), null)
  assert.match(ownPairIn([folder, elsewhere], {})?.told ?? '', /several devices/)
  assert.equal(ownPairIn([folder, elsewhere], {})?.pair, null)
  writeFileSync(join(folder, 'private_key.pem'), keyOf(ownCertificate('third')))
  assert.match(ownPairIn([folder], {})?.told ?? '', /^no certificate: none in /)
})
