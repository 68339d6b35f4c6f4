/** A hub that has moved: its devices know it by name and ports, and go on with what they hold. */
import type { X509Certificate } from 'node:crypto'
import { HubError, quote } from '../core/errors.ts'
import { fetchCertificates } from './est-client.ts'
import type { CredentialStore, HubRecord } from './store/credential.ts'
import { credentialOf } from './store/credential-of.ts'
import { certificatesIn } from './store/slots.ts'
import { type HubAddress, openTls } from './tls-exchange.ts'

export type HubPlace = Pick<HubRecord, 'host' | 'httpsPort' | 'mqttPort'>

/**
 * Makes another address that of the hub, once a server there has proved its name below a root that is held; so must one on the port for
 * MQTT, where that changes.
 *
 * @param to what changes
 * @throws HubError `credential-missing`; `hub-unreachable`; `enrolment-tls-untrusted`; `hub-answer-unexpected`
 */
export async function changeHub(store: CredentialStore, to: Partial<HubPlace>): Promise<HubRecord> {
  const held = store.current()
  const identity = store.deviceIdentity()
  if (held === null || held.hub === null || identity === null) {
    throw new HubError('credential-missing', `${quote(store.path)} holds no credential of a hub`)
  }
  const hub: HubRecord = { ...held.hub, ...to }
  const roots = store.roots()
  await fetchCertificates({ host: hub.host, port: hub.httpsPort }, roots.map(String).join(''), hub.estPath)
  if (to.mqttPort !== undefined) await assertProves({ host: hub.host, port: hub.mqttPort }, roots)
  store.install(credentialOf(identity.key, { chain: certificatesIn(identity.chain), roots, hub }))
  return hub
}

async function assertProves(address: HubAddress, roots: readonly X509Certificate[]): Promise<void> {
  const socket = await openTls(address, { root: roots.map(String).join('') })
  socket.destroy()
}
