/** What a device is given to enrol with, as it is answered: in one string and in its parts. */
import type { BootstrapView, HubView } from '../../api-schema/views.ts'
import { formatBootstrap } from '../../core/identity/bootstrap.ts'
import { type IdentityId, parseIdentityId } from '../../core/identity/id.ts'
import type { Secret } from '../../core/secret.ts'
import type { TokenGrant } from '../../hub/register-device.ts'
import { deviceToView } from './to-view.ts'

export function grantToView(hub: HubView, { identity, token, tokenText }: TokenGrant): BootstrapView {
  const { publicName: host, rootFingerprint } = hub
  const [httpsPort, mqttPort] = [hub.https.port, hub.mqtt.port]
  const estUrl = `${originOf(host, httpsPort)}/.well-known/est`
  return {
    device: deviceToView(identity),
    bootstrap: bootstrapText(hub, identity.id, tokenText),
    enrolment: { host, httpsPort, mqttPort, estUrl, rootFingerprint, token: tokenText.reveal() },
    tokenExpiresAt: new Date(token.expiresAtMs).toISOString(),
  }
}

/** The bootstrap string itself. Secret. */
export function bootstrapText(hub: HubView, id: IdentityId | string, token: Secret): string {
  const { publicName: host, rootFingerprint } = hub
  const ports = { httpsPort: hub.https.port, mqttPort: hub.mqtt.port }
  return formatBootstrap({ host, ...ports, id: parseIdentityId(id), rootFingerprint, token }).reveal()
}

/** `https://<name>:<port>`, an IPv6 address in brackets. */
export function originOf(name: string, port: number): string {
  return `https://${name.includes(':') ? `[${name}]` : name}:${port}`
}
