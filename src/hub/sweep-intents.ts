/**
 * Certificates that were about to be signed and that nobody completed: the hub died in between, or a disk failed. Whether the
 * signature was made is not known, so the serial number is revoked, and stands in the CRL.
 */
import { credentialRevoked } from '../core/identity/credential.ts'
import { limits } from '../core/limits.ts'
import { doByOne, type LeasedWork } from './leased-work.ts'
import type { Clock } from './ports/clock.ts'
import type { Log } from './ports/log.ts'
import type { Store } from './ports/store.ts'

interface Hub {
  readonly store: Store
  readonly clock: Clock
  readonly log: Log
}

/** Intents that are revoked in one transaction. */
const batchRows = 100

/** Revokes those that are old enough. Returns how many. */
export async function revokeLapsedIntents({ store, clock, log }: Hub): Promise<number> {
  let revoked = 0
  for (;;) {
    const batch = await store.write(async (tx) => {
      const nowMs = clock.nowMs()
      const lapsed = await tx.credentials.issuedBefore(['intended'], nowMs - limits.intentLapsesMs, batchRows)
      for (const intent of lapsed) {
        await tx.credentials.update(credentialRevoked(intent, 'unspecified', nowMs))
        const { identityId, authorityId, crlShard, fingerprint, serialNumber } = intent
        await tx.events.append({
          ...{ type: 'credential-revoked', identityId, authorityId, crlShard, fingerprint, serialNumber },
          reason: 'unspecified',
        })
        await tx.audit.append({
          atMs: nowMs,
          actor: 'hub',
          act: 'credential.revoke',
          subject: serialNumber,
          before: { state: 'intended', reason: null },
          after: { state: 'revoked', reason: 'unspecified', identity: identityId },
        })
      }
      return lapsed.length
    })
    revoked += batch
    if (batch < batchRows) break
  }
  if (revoked > 0) log.warn('certificates that were never completed are revoked', { count: revoked })
  return revoked
}

/**
 * Does so from now on.
 *
 * @param holder names this process among those that share the registry
 */
export function keepIntentsFew(hub: Hub, holder: string): LeasedWork {
  return doByOne(hub, { name: 'intents', holder }, limits.intentsSweptEveryMs, async () => {
    await revokeLapsedIntents(hub)
  })
}
