/** Bridges: whom they trust, and what they send without TLS. */
import { quote } from '../../core/errors.ts'
import { type Finding, finding } from '../finding.ts'
import type { Bridge } from './configuration.ts'
import { flagOf, placeOf } from './configuration-text.ts'

const tlsSettings = ['bridge_cafile', 'bridge_capath', 'bridge_psk', 'bridge_tls_use_os_certs']

export function checkBridge({ at, settings }: Bridge): readonly Finding[] {
  const findings: Finding[] = []
  const name = `the bridge ${quote(at.value)}`
  const insecure = settings.get('bridge_insecure')
  if (insecure !== undefined && flagOf(insecure.value) === true) {
    const evidence = `${name} takes any certificate of its authorities, whatever name is in it`
    findings.push(finding('mosquitto-bridge-unverified', placeOf(insecure), { evidence }))
  }
  if (tlsSettings.some((each) => settings.has(each))) return findings
  const address = settings.get('address') ?? settings.get('addresses')
  const target = address?.value.split(/[, ]/)[0] ?? ''
  const isNear = /^(?:127\.|localhost\b|\[?::1\b)/.test(target)
  const password = settings.get('remote_password') ?? settings.get('password')
  if (password !== undefined && !isNear) {
    const evidence = `${name} to ${quote(target)} has a password and no ${tlsSettings.slice(0, 2).join(' or ')}`
    findings.push(finding('mosquitto-bridge-in-clear', placeOf(password), { severity: 'warning', evidence }))
  }
  if (address !== undefined && /:8883\b/.test(target)) {
    findings.push(
      finding('plain-mqtt-on-tls-port', placeOf(address), {
        certainty: 'likely',
        evidence: `${name} goes to ${quote(target)}, where TLS is usual, and has no bridge_cafile`,
        cure: 'set bridge_cafile to the authority of the other broker',
      }),
    )
  }
  return findings
}
