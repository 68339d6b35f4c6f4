import assert from 'node:assert/strict'
import { readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { HubError } from '../../../src/core/errors.ts'
import { Secret } from '../../../src/core/secret.ts'
import { readPassphrase } from '../../../src/keys/file/passphrase.ts'
import { temporaryFolder } from '../../support/temporary-folder.ts'

function hasCode(code: string): (error: unknown) => boolean {
  return (error) => error instanceof HubError && error.code === code
}

describe('the passphrase', () => {
  test('comes from the value or the file, without the one line feed that editors add', async (context) => {
    const file = join(temporaryFolder(context), 'passphrase')
    assert.equal((await readPassphrase({ value: new Secret(' a b ') }, '/nowhere')).reveal(), ' a b ')
    for (const [text, expected] of [
      ['secret\n', 'secret'],
      ['secret\r\n', 'secret'],
      ['secret', 'secret'],
      ['secret\n\n', 'secret\n'],
    ] as const) {
      writeFileSync(file, text)
      assert.equal((await readPassphrase({ file }, '/nowhere')).reveal(), expected)
    }
  })

  test('is made once when none is given, and kept in a file for this user alone', async (context) => {
    const file = join(temporaryFolder(context), 'key')
    const made = (await readPassphrase(null, file)).reveal()
    assert.match(made, /^[A-Za-z0-9_-]{43}$/)
    assert.equal((await readPassphrase(null, file)).reveal(), made)
    assert.equal(readFileSync(file, 'utf8'), `${made}\n`)
    assert.equal(statSync(file).mode & 0o777, 0o600)
  })

  test('is refused when it is empty, too long or cannot be read, and never repeated in the message', async (context) => {
    const file = join(temporaryFolder(context), 'passphrase')
    await assert.rejects(readPassphrase({ value: new Secret('') }, file), hasCode('config-invalid'))
    await assert.rejects(readPassphrase({ file }, file), hasCode('config-invalid'))
    writeFileSync(file, '\n')
    // Backups have passphrases too, so the hint speaks of no keys.
    const hint = 'give a passphrase of 1 to 4096 characters'
    await assert.rejects(readPassphrase({ file }, file), { code: 'config-invalid', hint })
    await assert.rejects(readPassphrase(null, join(file, 'below')), hasCode('data-directory-unusable'))
    await assert.rejects(readPassphrase({ value: new Secret('x'.repeat(5_000)) }, file), (error) => {
      return hasCode('config-invalid')(error) && !String(error).includes('xxx')
    })
  })
})
