import assert from 'node:assert/strict'
import { test } from 'node:test'
import { unwritable } from '../../src/core/unwritable.ts'

test('what keeps a file from being written is said in words, and by its code where there are none', () => {
  const failing = (code: string): string => unwritable(Object.assign(new Error('any'), { code }))
  assert.equal(failing('ENOSPC'), 'cannot be written: the disk is full')
  assert.equal(failing('EACCES'), 'cannot be written: this user may not')
  assert.equal(failing('EIO'), 'cannot be written (EIO)')
  assert.equal(unwritable(new TypeError('a fault of ours')), 'cannot be written (unknown error)')
})
