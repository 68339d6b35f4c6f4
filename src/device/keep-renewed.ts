/** Renewal in the process of an application, for those who want no agent beside it. */
import { setTimeout as delay } from 'node:timers/promises'
import { type AgentOptions, type Look, runAgent } from './renewal/agent.ts'
import { lockAgent } from './renewal/agent-lock.ts'
import type { CredentialStore } from './store/credential.ts'

export interface KeepRenewedOptions extends Partial<Omit<AgentOptions, 'store'>> {
  /** Ends it. */
  readonly signal: AbortSignal
  /** Told of each look: whether it renewed, and why not where it should have. */
  onLook?(look: Look): void
}

/**
 * Does what `handfast agent run` does, until it is told to stop: looks after the credential, renews it in time, tries it before it
 * becomes current. It keeps no process running by itself.
 *
 * @throws HubError `credential-missing` where the store holds nothing; `agent-running` where somebody looks after it already;
 *   `store-unwritable`. What a hub refuses is told to `onLook`, and tried again.
 */
export async function keepRenewed(store: CredentialStore, options: KeepRenewedOptions): Promise<void> {
  const release = lockAgent(store.path)
  try {
    await runAgent({
      nowMs: Date.now,
      proof: 'connect',
      isKeyKept: false,
      keyKind: null,
      hooks: { onRenewed: null, onFailed: null, signal: null, reloadUnit: null },
      ...options,
      store,
      wait: (ms, signal) => delay(ms, undefined, { signal, ref: false }).catch(() => {}),
      onLook: (look) => options.onLook?.(look),
    })
  } finally {
    release()
  }
}
