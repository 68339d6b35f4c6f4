/** Enrolment over EST (RFC 7030), which devices do themselves at a listener of its own. */
import { operation } from '../operation.ts'

export const fetchCaCertificates = operation({
  id: 'fetchCaCertificates',
  act: null,
  method: 'GET',
  path: '/.well-known/est/cacerts',
  tag: 'enrolment',
  summary: 'Fetch the CA certificates',
  description:
    'The root first, then the issuing authority (RFC 7030 §4.1). Whoever has not seen the root before compares its SHA-256 with the fingerprint that came with the token, before the token is sent.',
  permission: 'anybody',
  answer: {
    kind: 'text',
    status: 200,
    description: 'The certificates.',
    types: {
      'application/pkcs7-mime': {
        description: 'base64 of a certs-only PKCS#7 in DER, in lines of 76 characters (RFC 8951 §2.1)',
        example: 'MIIDwgYJKoZIhvcNAQcCoIIDszCCA68CAQExADALBgkqhkiG9w0BBwGgggOVMIIB\r\n',
      },
    },
  },
})

export const enrolDevice = operation({
  id: 'enrolDevice',
  act: null,
  method: 'POST',
  path: '/.well-known/est/simpleenroll',
  tag: 'enrolment',
  summary: 'Enrol a device',
  description:
    'Turns an enrolment token and a certificate request into a certificate (RFC 7030 §4.2). The user name of HTTP Basic is the id of the device, or empty; the password is the token. The subject of the request is `CN=<id>` or empty; its key is ECDSA on P-256 or P-384 or RSA of 2048 to 4096 bits. Until the first use of the certificate, the same token with the same key gets the same answer.',
  permission: 'token',
  body: {
    kind: 'text',
    types: {
      'application/pkcs10': {
        description: 'base64 of a PKCS#10 request in DER, with or without line breaks; no PEM lines',
        example: 'MIHyMIGZAgEAMBExDzANBgNVBAMMBnB1bXAtNzBZMBMGByqGSM49AgEGCCqGSM49\r\n',
      },
    },
  },
  answer: {
    kind: 'text',
    status: 200,
    description: 'The certificate alone; the chain above it comes from `fetchCaCertificates`.',
    types: {
      'application/pkcs7-mime': {
        description: 'base64 of a certs-only PKCS#7 in DER, in lines of 76 characters (RFC 8951 §2.1)',
        example: 'MIICZQYJKoZIhvcNAQcCoIICVjCCAlICAQExADALBgkqhkiG9w0BBwGgggI4MIIC\r\n',
      },
    },
  },
  failures: [
    'token-missing',
    'token-invalid',
    'token-used',
    'token-expired',
    'token-revoked',
    'csr-unreadable',
    'csr-signature-invalid',
    'csr-key-unacceptable',
    'csr-asks-too-much',
    'identity-pending',
    'identity-disabled',
    'identity-retired',
    'authority-expired',
    'rate-limited',
  ],
})
