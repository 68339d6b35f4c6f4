/** curl, as health checks and EST clients use it. */
import { numberIn, type Source } from '../sign.ts'
import type { Symptom } from '../symptom.ts'
import { alertSymptom, type SymptomName, symptoms } from '../symptoms/index.ts'

/** Exit statuses that say what failed of a connection. */
const exits: ReadonlyMap<number, readonly [text: string, says: SymptomName]> = new Map([
  [6, ["couldn't resolve host", 'name-not-found']],
  [7, ['failed to connect to host', 'connect-failed']],
  [28, ['operation timeout', 'port-silent']],
  [35, ['SSL connect error', 'handshake-failed']],
  [51, ['the certificate of the server does not carry the name', 'peer-name']],
  [52, ['empty reply from server', 'closed-early']],
  [55, ['failed sending network data', 'closed-early']],
  [56, ['failure in receiving network data', 'closed-early']],
  [58, ['problem with the local client certificate', 'file-unfit']],
  [60, ['the certificate of the server could not be verified', 'peer-refused']],
  [77, ['problem with the file of CA certificates', 'file-unopened']],
  [91, ['invalid SSL certificate status', 'peer-revoked']],
])

/** An exit status of curl; null for one that says nothing of a connection. */
export function curlExit(status: number): readonly [text: string, symptom: Symptom] | null {
  const found = exits.get(status)
  return found === undefined ? null : [found[0], symptoms[found[1]]]
}

export const curl: Source = {
  name: 'curl',
  phrases: [
    // Alerts are numbered from 512 on there; those that it sends follow from what stands beside them.
    [/\(IN\), TLS alert, [\w ]{3,40} \((\d{3})\)/, (match) => alertSymptom(numberIn(match) - 512), 'client'],
    [/\(OUT\), TLS alert, bad record mac\b/, 'record-damaged', 'client'],
    [/\bno alternative certificate subject name matches target host name\b/, 'peer-name', 'client'],
    [/\bSSL certificate problem\b/, 'peer-refused', 'client'],
    [/\bSSL certificate verification failed\b/, 'alert-received', 'client'],
    [/\bunable to set private key file\b|\bcould not load PEM client certificate\b/, 'file-unfit', 'client'],
    [/\bcurl: \((\d{1,2})\)/, (match) => curlExit(numberIn(match))?.[1] ?? null, 'client'],
    [/\bCouldn't connect to server\b/, 'connect-failed', 'client'],
    [/\bEmpty reply from server\b/, 'closed-early', 'client'],
  ],
}
