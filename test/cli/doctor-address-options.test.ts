import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { assertAddressFor } from '../../src/cli/doctor/examine.ts'
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
