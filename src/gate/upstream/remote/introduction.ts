/**
 * How the gate introduces a client to a broker that is not its own: who it is stands in front of the client id, in the user
 * name where the gate needs none for itself, and in user properties of MQTT 5.
 */
import { HubError, quote } from '../../../core/errors.ts'
import { encodeConnect } from '../../../core/mqtt/connect.ts'
import { identityProperties } from '../../../core/mqtt/own-properties.ts'
import type { Secret } from '../../../core/secret.ts'
import type { BrokerSettings } from '../../../core/upstream/broker-settings.ts'
import type { UpstreamClient } from '../../../hub/ports/upstream.ts'

/** What the gate proves itself with to the broker. */
export interface BrokerLogin {
  readonly username: string
  readonly password: Secret | null
}

export interface Introduction {
  readonly login: BrokerLogin | null
  readonly clientIds: BrokerSettings['clientIds']
}

/**
 * The CONNECT of a client as the broker sees it.
 *
 * @throws HubError `client-id-not-identity` where client ids go on as they are and this one is not the identity's
 */
export function introduce(client: UpstreamClient, { login, clientIds }: Introduction): Buffer {
  const { identityId, connect, keepAliveSec } = client
  return encodeConnect(connect, {
    clientId: clientIds === 'own' ? ownClientId(client) : `${client.owner}/${client.clientId}`,
    keepAliveSec,
    username: login === null ? identityId : login.username,
    password: passwordOf(login),
    added: identityProperties(identityId, client.clientId),
  })
}

export function passwordOf(login: BrokerLogin | null): Buffer | null {
  return login === null || login.password === null ? null : Buffer.from(login.password.reveal(), 'utf8')
}

/** Without the identity in front, only its own name keeps one from the session of another. */
function ownClientId({ identityId, owner, clientId }: UpstreamClient): string {
  if (owner === identityId && clientId === identityId) return clientId
  // In quarantine a client may not come near the session of the identity, whatever its client id.
  if (owner !== identityId) return `${owner}/${clientId}`
  throw new HubError(
    'client-id-not-identity',
    `the client id is ${quote(clientId)}, and the broker behind the gate takes no other than ${quote(identityId)}`,
  )
}
