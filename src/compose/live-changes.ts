/** What reaches connections and listeners while they live: events that end sessions, a certificate that is renewed. */
import type { FastifyInstance } from 'fastify'
import type { FailureName } from '../core/failure/catalogue.ts'
import type { Gate } from '../gate/gate.ts'
import { tlsOptions } from '../http/listen.ts'
import type { HubEvent } from '../hub/ports/events.ts'
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

const closingCode: Readonly<Record<'pending' | 'active' | 'disabled' | 'retired', FailureName | null>> = {
  pending: 'identity-pending',
  active: null,
  disabled: 'identity-disabled',
  retired: 'identity-retired',
}

/** Gives all listeners another certificate; connections that stand keep theirs. */
export function exchangeCertificate(
  certificate: ServerCertificate,
  gate: Pick<Gate, 'setCertificate'>,
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
