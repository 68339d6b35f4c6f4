/** All symptoms by name. */
import { isTlsAlert, tlsAlerts } from '../../../core/failure/tls-alerts.ts'
import { possible, type Symptom, seen } from '../symptom.ts'
import { alertSymptoms } from './alerts.ts'
import { handshakeSymptoms } from './handshake.ts'
import { localSymptoms } from './local.ts'
import { mqttSymptoms } from './mqtt.ts'
import { peerSymptoms } from './peer.ts'

export const symptoms = {
  ...peerSymptoms,
  ...handshakeSymptoms,
  ...localSymptoms,
  ...mqttSymptoms,
} as const satisfies Record<string, Symptom>

/** The name of a symptom, as the tables of sources carry it. */
export type SymptomName = keyof typeof symptoms

/** What is known of an alert that was received; null for a number that is none, and for the farewell of every connection. */
export function alertSymptom(number: number): Symptom | null {
  if (!isTlsAlert(number) || number === 0) return null
  const known = alertSymptoms[number]
  if (known !== undefined) return { ...known, meaning: `the other side sent the alert ${number}: ${known.meaning}` }
  const meaning = `the other side sent the alert ${number}, ${tlsAlerts[number]}`
  return seen(meaning, [possible('tls-failed')], [possible('tls-client-alert')])
}
