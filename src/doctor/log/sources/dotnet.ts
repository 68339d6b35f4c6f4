/** .NET (SslStream), Windows (Schannel) and MQTTnet. */
import type { Source } from '../sign.ts'
import { codeNamed } from './mqtt-codes.ts'

export const dotnet: Source = {
  name: '.NET',
  phrases: [
    [/\bRemoteCertificateNameMismatch\b/, 'peer-name', 'client'],
    [/\bRemoteCertificateNotAvailable\b/, 'peer-missing'],
    [/\bRemoteCertificateChainErrors\b/, 'peer-refused'],
    [/\bremote certificate is invalid according to the validation procedure\b/i, 'peer-refused'],
    [/\bremote certificate was rejected by the provided RemoteCertificateValidationCallback\b/i, 'peer-refused'],
    [/\bUntrustedRoot\b/, 'peer-root-untrusted'],
    [/\bPartialChain\b/, 'peer-issuer-unknown'],
    [/\bNotTimeValid\b/, 'peer-dates'],
    [/\bNotValidForUsage\b/, 'peer-usage'],
    [/\b(?:RevocationStatusUnknown|OfflineRevocation)\b/, 'crl-missing'],
    [/\berrors in the certificate chain: (?:[A-Za-z]+, ){0,5}Revoked\b/, 'peer-revoked'],
    [/\bcertificate chain was issued by an authority that is not trusted\b/, 'peer-root-untrusted'],
    [/\breceived certificate has expired\b/i, 'peer-expired'],
    [/\btarget principal name is incorrect\b/i, 'peer-name', 'client'],
    [/\bdo not possess a common algorithm\b/, 'no-common-cipher-or-version'],
    [/\bCannot determine the frame size or a corrupted frame was received\b/, 'not-tls'],
    [/\bReceived an unexpected EOF or 0 bytes from the transport stream\b/, 'closed-early'],
    [/\bA call to SSPI failed\b|\bmessage received was unexpected or badly formatted\b/i, 'handshake-failed'],
    [/\bnetwork password is not correct\b/i, 'passphrase-wrong'],
    [/\bConnecting with MQTT server failed \(([A-Za-z]+)\)/, (match) => codeNamed(match[1] ?? ''), 'client'],
  ],
}
