/** The common runtime of AWS, below its device SDKs. */
import { numberIn, type Source } from '../sign.ts'
import { codeNamed, codeNumbered } from './mqtt-codes.ts'

export const awsCrt: Source = {
  name: 'aws-crt',
  phrases: [
    [
      /\bAWS_ERROR_MQTT5?_(?:UNEXPECTED_HANGUP|USER_REQUESTED_STOP|OPERATION_FAILED_DUE_TO_DISCONNECTION)\b/,
      'hung-up',
      'client',
    ],
    [/\bunsuccessful CONNACK ([A-Z_]{5,60})$/, (match) => codeNamed(match[1] ?? ''), 'client'],
    [/\bAWS_ERROR_MQTT5_CONNACK_CONNECTION_REFUSED\b/, 'refused-somehow', 'client'],
    [
      /\bAWS_ERROR_MQTT5_DISCONNECT_RECEIVED\b.{0,80}DISCONNECT\. ([A-Z_]{5,60})$/,
      (match) => codeNamed(match[1] ?? ''),
      'client',
    ],
    [/\binvalid connect return code ([1-5])\b/, (match) => codeNumbered(numberIn(match)), 'client'],
    [/\bmqtt CONNACK response timeout detected\b/, 'no-connack', 'client'],
    [/\bS2N failed to read with error: TLS alert received\b/, 'alert-received', 'client'],
    [/\bAWS_IO_TLS_ERROR_READ_FAILURE\b/, 'handshake-failed', 'client'],
    [/\bpublic and private key do not match\b/, 'key-mismatch', 'client'],
    [
      /\bFailed to add certificate and private key: (?:invalid PEM encountered|error decoding certificate)\b/,
      'file-unfit',
      'client',
    ],
    [/\bInvalid private key\. File must contain PEM encoded data\b/, 'key-unreadable', 'client'],
    [/\bInvalid certificate\. File must contain PEM encoded data\b/, 'certificate-unreadable-here', 'client'],
    [/\bdns resolution failed, or all socket connections to the endpoint failed\b/, 'connect-failed', 'client'],
    [/\bAWS_ERROR_MQTT5?_(?:CONNACK_)?TIMEOUT\b/, 'no-connack', 'client'],
    [/\bAWS_ERROR_MQTT5?_(?:PROTOCOL_ERROR|DECODE_PROTOCOL_ERROR)\b/, 'protocol-error', 'client'],
    [/\bAWS_ERROR_MQTT5_PING_RESPONSE_TIMEOUT\b/, 'no-keep-alive', 'client'],
    [/\bAWS_IO_TLS_ERROR_NEGOTIATION_FAILURE\b/, 'handshake-failed', 'client'],
    [/\bAWS_IO_TLS_NEGOTIATION_TIMEOUT\b/, 'handshake-late', 'client'],
    [/\bAWS_IO_(?:TLS_CTX_ERROR|FILE_VALIDATION_FAILURE|PEM_MALFORMED)\b/, 'file-unfit', 'client'],
    [/\bAWS_IO_TLS_HOST_NAME_MISSMATCH\b/, 'peer-name', 'client'],
    [/\bAWS_IO_TLS_(?:UNKNOWN_ROOT_CERTIFICATE|NO_ROOT_CERTIFICATE_FOUND)\b/, 'peer-root-untrusted', 'client'],
    [/\bAWS_IO_TLS_(?:CERTIFICATE_EXPIRED|ERROR_CERTIFICATE_EXPIRED)\b/, 'peer-expired', 'client'],
    [/\bAWS_IO_DNS_(?:INVALID_NAME|NO_ADDRESS_FOR_HOST|QUERY_FAILED)\b/, 'name-not-found', 'client'],
    [/\bAWS_IO_SOCKET_CONNECTION_REFUSED\b/, 'port-refused', 'client'],
    [/\bAWS_IO_SOCKET_(?:TIMEOUT|CONNECT_TIMEOUT)\b/, 'port-silent', 'client'],
    [/\bAWS_IO_SOCKET_NO_ROUTE_TO_HOST\b/, 'host-unreachable', 'client'],
    [/\bAWS_IO_SOCKET_(?:CLOSED|CONNECT_ABORTED)\b/, 'closed-early', 'client'],
  ],
}
