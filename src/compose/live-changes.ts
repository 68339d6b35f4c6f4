/** What reaches connections and listeners while they live: events that end sessions, a certificate that is renewed. */
import type { FastifyInstance } from 'fastify'
import type { FailureName } from '../core/failure/catalogue.ts'
import type { Gate } from '../gate/gate.ts'
import { tlsOptions } from '../http/listen.ts'
import { type CurrentPolicy, changesPolicy } from '../hub/current-policy.ts'
import type { HubEvent } from '../hub/ports/events.ts'
import type { Log } from '../hub/ports/log.ts'
import type { Store } from '../hub/ports/store.ts'
import type { ServerCertificate } from '../hub/server-certificate.ts'

/** Closes the sessions that an event takes the right from. */
export function closeSessions(gate: Gate, event: HubEvent): void {
  switch (event.type) {
    case 'credential-revoked':
      gate.closeCredential(
        event.fingerprint,
        event.reason === 'superseded' ? 'certificate-superseded' : 'certificate-revoked',
      )
      return
    case 'pin-removed':
      gate.closeCredential(event.fingerprint, 'pin-removed')
      return
    case 'password-ended':
      gate.closePassword(event.passwordId, 'password-ended')
      return
    // Its rights are others now: the device comes back and has them.
    case 'credential-released':
      gate.closeCredential(event.fingerprint, 'quarantine-over')
      return
    case 'identity-state-changed': {
      const code = closingCode[event.state]
      if (code !== null) gate.closeIdentity(event.identityId, code)
      return
    }
    default:
  }
}

/**
 * Has sessions look at their rights anew where an event may have changed them: all of them for the policy, those of one identity
 * for a change of its group or attributes.
 */
export function changeRights(
  hub: { readonly store: Pick<Store, 'identities'>; readonly policy: CurrentPolicy; readonly log: Log },
  gate: Pick<Gate, 'refreshRights'>,
  event: HubEvent,
): void {
  void refreshed(hub, gate, event).catch((error: unknown) =>
    hub.log.error('rights could not be looked at anew', { event: event.number, error }),
  )
}

async function refreshed(
  { store, policy }: { readonly store: Pick<Store, 'identities'>; readonly policy: CurrentPolicy },
  gate: Pick<Gate, 'refreshRights'>,
  event: HubEvent,
): Promise<void> {
  if (changesPolicy(event)) {
    await policy.refresh()
    gate.refreshRights()
  } else if (event.type === 'identity-changed') {
    const identity = await store.identities.find(event.identityId)
    if (identity !== null) gate.refreshRights(identity)
  }
}

const closingCode: Readonly<Record<'pending' | 'active' | 'disabled' | 'retired', FailureName | null>> = {
  pending: 'identity-pending',
  active: null,
  disabled: 'identity-disabled',
  retired: 'identity-retired',
}

/** Gives all listeners another certificate; connections that stand keep theirs. */
export function exchangeCertificate(
  certificate: ServerCertificate,
  gate: Gate,
  apps: readonly FastifyInstance[],
): void {
  gate.setCertificate(certificate)
  for (const app of apps) {
    const { server } = app
    if ('setSecureContext' in server && typeof server.setSecureContext === 'function') {
      server.setSecureContext(tlsOptions(certificate))
    }
  }
}
