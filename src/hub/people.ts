/** People who use the admin API with their client certificates. */
import { hkdfSync } from 'node:crypto'
import { HubError } from '../core/errors.ts'
import type { Secret } from '../core/secret.ts'
import type { Caller } from './authorise.ts'
import type { Admission, Judgement } from './judgement.ts'
import { rolesOf } from './person-roles.ts'
import type { KeyStore } from './ports/signer.ts'
import type { Store } from './ports/store.ts'

/** What is asked about each certificate. */
export interface People {
  /**
   * Who shows a certificate, judged anew at each request: the connection's own verdict is as old as the connection.
   *
   * @param certificate in DER, as it came in the handshake
   */
  identify(certificate: Uint8Array): Promise<{ readonly judgement: Judgement; readonly caller: Caller | null }>
}

/**
 * @param admission for administering: people alone
 * @param keys where the key lies that seals the answers of people, who have no secret that the hub sees; shared by all processes
 *   that share the registry
 */
export function peopleOf(hub: {
  readonly store: Store
  readonly keys: KeyStore
  readonly admission: Admission
}): People {
  let seal: Promise<Secret> | null = null

  /** Made when the first person comes. */
  function sealingKey(): Promise<Secret> {
    seal ??= establishedKey(hub.keys)
    seal.catch(() => {
      seal = null
    })
    return seal
  }

  return {
    async identify(certificate) {
      const first = await hub.admission.judge(certificate)
      const judgement =
        first.admitted && first.credential.state === 'pending' ? await hub.admission.confirmUse(first) : first
      if (!judgement.admitted) return { judgement, caller: null }
      const id = `user:${judgement.identity.id}`
      const secret = await sealingKey()
      const caller: Caller = {
        id,
        actor: id,
        grants: await rolesOf(hub.store, judgement.identity.id),
        endsAtMs: null,
        derivedKey: (purpose) => new Uint8Array(hkdfSync('sha256', secret.reveal(), id, purpose, 32)),
      }
      return { judgement, caller }
    },
  }
}

const keyName = 'people'

async function establishedKey(keys: KeyStore): Promise<Secret> {
  if (!(await keys.has(keyName))) {
    try {
      await keys.create(keyName)
    } catch (error) {
      // Another process may have made it at this moment.
      if (!(error instanceof HubError) || !(await keys.has(keyName))) throw error
    }
  }
  return keys.exportPem(keyName)
}
