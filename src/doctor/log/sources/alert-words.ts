/** Alerts by the words that programs have for them, beyond those of the standard. */
import { tlsAlertNamed } from '../../../core/failure/tls-alerts.ts'
import type { Symptom } from '../symptom.ts'
import { alertSymptom } from '../symptoms/index.ts'

const words: ReadonlyMap<string, number> = new Map([
  // Go (crypto/tls/alert.go).
  ['revoked certificate', 44],
  ['expired certificate', 45],
  ['unknown certificate', 46],
  ['unknown certificate authority', 48],
  ['error decoding message', 50],
  ['error decrypting message', 51],
  ['protocol version not supported', 70],
  ['insufficient security level', 71],
  ['bad record mac', 20],
  // Others.
  ['bad cert', 42],
  ['unrecognized name', 112],
])

/** The alert that the words name in whatever spelling; null for words that name none. */
export function alertNamed(text: string): Symptom | null {
  const name = text.trim().toLowerCase().replaceAll('_', ' ')
  const number = words.get(name) ?? tlsAlertNamed(name)
  return number === null ? null : alertSymptom(number)
}
