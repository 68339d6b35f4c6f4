import type { IdentityId } from '../core/identity/id.ts'
import type { Transaction } from './ports/store.ts'

/**
 * Ends every token of an identity that is open.
 *
 * @param act who does it and when, for the audit log
 * @returns how many there were
 */
export async function endOpenTokens(
  tx: Transaction,
  act: { readonly actor: string; readonly atMs: number },
  id: IdentityId,
): Promise<number> {
  const open = await tx.tokens.openOf(id)
  for (const token of open) {
    await tx.tokens.update({ ...token, state: 'revoked' })
    await tx.events.append({ type: 'token-ended', identityId: id, tokenId: token.id, state: 'revoked' })
    const [before, after] = [{ token: token.id, state: token.state }, { state: 'revoked' }]
    await tx.audit.append({ ...act, act: 'token.revoke', subject: id, before, after })
  }
  return open.length
}
