import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { CredentialRow, TokenRow } from '../../src/check/rule.ts'
import { tokenStateLegal } from '../../src/check/rules/token-state-legal.ts'

const token = {
  id: '3'.repeat(16),
  state: 'open',
  used_at_ms: null,
  secret_hash: Buffer.alloc(32),
} as unknown as TokenRow

function problemsWith(state: string): number {
  const credential = { token_id: token.id, state } as unknown as CredentialRow
  const owned = { tokens: [token], credentials: [credential] } as unknown as Parameters<typeof tokenStateLegal.look>[0]
  return [...tokenStateLegal.look(owned, undefined as never)].length
}

test('a token stays open while its certificate is only intended, and after such an intent was revoked', () => {
  assert.deepEqual(['intended', 'revoked', 'expired'].map(problemsWith), [0, 0, 0])
})

test('a token that is open beside a certificate that was handed out is a problem', () => {
  assert.deepEqual(['pending', 'active', 'quarantined', 'superseded'].map(problemsWith), [1, 1, 1, 1])
})
