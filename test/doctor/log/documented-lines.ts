/** Lines of programs that do not run here, from what people asked about: their words, and the first cause that must be told. */
import type { FailureName } from '../../../src/core/failure/catalogue.ts'
import type { Certainty } from '../../../src/doctor/finding.ts'

type Documented = readonly [line: string, first: FailureName, certainty: Certainty]

const erlang = 'TLS server: In state'

export const documentedLines: Readonly<Record<string, readonly Documented[]>> = {
  'EMQX, VerneMQ and RabbitMQ': [
    [
      `reason: {ssl_error,{tls_alert,{handshake_failure,"${erlang} certify at tls_dtls_connection.erl:314 generated SERVER ALERT: Fatal - Handshake Failure\\n no_client_certificate_provided"}}}`,
      'certificate-missing',
      'certain',
    ],
    [
      `{protocol_version,"${erlang} hello at tls_handshake.erl:332 generated SERVER ALERT: Fatal - Protocol Version\\n"}`,
      'tls-version-unsupported',
      'likely',
    ],
    [
      `${erlang} wait_cert at ssl_handshake.erl:2156 generated SERVER ALERT: Fatal - Certificate Revoked`,
      'certificate-revoked',
      'certain',
    ],
    [
      `${erlang} wait_cert at ssl_handshake.erl:2141 generated SERVER ALERT: Fatal - Certificate Expired`,
      'certificate-expired',
      'likely',
    ],
    [
      `${erlang} certify at ssl_handshake.erl:1950 generated SERVER ALERT: Fatal - Unknown CA`,
      'certificate-foreign-authority',
      'likely',
    ],
    [`${erlang} connection received CLIENT ALERT: Fatal - Unknown CA`, 'hub-untrusted', 'likely'],
    [`${erlang} cipher received CLIENT ALERT: Fatal - Certificate Expired`, 'hub-certificate-expired', 'likely'],
    [`${erlang} cipher received CLIENT ALERT: Fatal - Bad Certificate`, 'hub-name-mismatch', 'possible'],
    [
      'TLS client: In state connection received SERVER ALERT: Fatal - Certificate Revoked',
      'certificate-revoked',
      'likely',
    ],
    [
      'TLS client: In state certify at ssl_handshake.erl:1952 generated CLIENT ALERT: Fatal - Unknown CA',
      'hub-untrusted',
      'likely',
    ],
    [
      'TLS client: In state wait_cert_cr at ssl_handshake.erl:2111 generated CLIENT ALERT: Fatal - Handshake Failure - {bad_cert,hostname_check_failed}',
      'hub-name-mismatch',
      'certain',
    ],
    [`"${erlang} hello received UNDEFINED ALERT: Fatal - Unexpected Message\\n"`, 'plain-mqtt-on-tls-port', 'likely'],
    [
      `${erlang} hello at tls_record.erl:564 generated SERVER ALERT: Fatal - Unexpected Message`,
      'plain-mqtt-on-tls-port',
      'likely',
    ],
    [
      '2023-05-04T10:11:12.000000+02:00 [warning] clientid: pump-7, msg: authorization_permission_denied, peername: 10.0.0.9:50112, topic: plant/all, action: publish',
      'publish-denied',
      'likely',
    ],
    [
      '2023-05-04T10:11:12.000000+02:00 [info] clientid: pump-7, msg: socket_force_closed, reason: takenover',
      'session-taken-over',
      'certain',
    ],
    [
      'TLS ClientHello detected on a plain listener; it is likely a TLS-enabled client',
      'port-speaks-plain-mqtt',
      'certain',
    ],
  ],
  'Mosquitto 2.1': [
    [
      '1764086400: Client <unknown> [10.0.0.9:50112] appears to be using TLS to connect to a non-TLS listener. Disconnecting.',
      'port-speaks-plain-mqtt',
      'certain',
    ],
    ['1764086400: Client pump-7 [10.0.0.9:50112] disconnected: session taken over.', 'session-taken-over', 'certain'],
    ['1764086400: Client pump-7 [10.0.0.9:50112] disconnected: exceeded timeout.', 'keep-alive-timeout', 'certain'],
    ['1764086400: Client pump-7 has exceeded timeout, disconnecting.', 'keep-alive-timeout', 'certain'],
    ['1764086400: Client pump-7 already connected, closing old connection.', 'session-taken-over', 'certain'],
    ['1764086400: Client dev1 disconnected, not authorised.', 'password-wrong', 'likely'],
    ['1764086400: Client pump-7 been disconnected by administrative action.', 'broker-ended-session', 'certain'],
    ["1764086400: Denied PUBLISH from pump-7 (d0, q0, r0, m0, 'plant/all', ... (5 bytes))", 'publish-denied', 'likely'],
    [
      '1764086400: Error: Unable to load server key file "/etc/mosquitto/certs/server.key". Check keyfile. Permission denied',
      'client-file-unopened',
      'certain',
    ],
    [
      '1764086400: OpenSSL Error[0]: error:0A000412:SSL routines::ssl/tls alert bad certificate',
      'certificate-not-yet-valid',
      'possible',
    ],
  ],
  'ESP-IDF': [
    ['E (10234) esp-tls-mbedtls: mbedtls_ssl_handshake returned -0x2700', 'hub-untrusted', 'possible'],
    ['E (10235) esp-tls: Failed to open new connection', 'port-refused', 'possible'],
    ['E (10235) esp-tls-mbedtls: Certificate verification failed: verify flags: 0x8', 'hub-untrusted', 'likely'],
    [
      "E (7012) esp-tls: couldn't get hostname for :broker.plant.example: getaddrinfo() returns 202, addrinfo=0x0",
      'name-not-found',
      'likely',
    ],
    ['E (7013) esp-tls: [sock=54] select() timeout', 'port-silent', 'likely'],
    ['E (7040) TRANSPORT_BASE: Failed to open a new connection: 32772', 'log-line-unknown', 'certain'],
    [
      'E (7041) MQTT_CLIENT: mqtt_message_receive() returned -1, Last error code reported from esp-tls: 0x8008',
      'broker-refused-unexplained',
      'possible',
    ],
    ['W (7042) MQTT_CLIENT: Connection refused, bad username or password', 'password-wrong', 'likely'],
    ['W (7042) MQTT_CLIENT: Connection refused, not authorized', 'connect-denied', 'possible'],
    [
      'E (5120) esp-tls-mbedtls: No server verification option set in esp_tls_cfg_t structure. Check esp_tls API reference',
      'hub-untrusted',
      'certain',
    ],
    ['E (5121) esp-x509-crt-bundle: No matching trusted root certificate found', 'hub-untrusted', 'likely'],
    ['Last captured errno: ESP_ERR_MBEDTLS_PK_PARSE_KEY_FAILED', 'file-unrecognised', 'possible'],
    ['E (10234) esp-tls-mbedtls: mbedtls_ssl_handshake returned -0x5D80', 'hub-name-unset', 'certain'],
    ['E (10234) esp-tls-mbedtls: read error :-0x7B00', 'tls-ticket-unexpected', 'certain'],
    ['E (10234) esp-tls-mbedtls: mbedtls_ssl_setup returned -0x7F00', 'device-memory-short', 'likely'],
    ['E (10234) esp-tls-mbedtls: mbedtls_ssl_handshake returned -0x7180', 'tls-record-damaged', 'likely'],
    ['E (10234) esp-tls-mbedtls: mbedtls_ssl_handshake returned -0x6A00', 'tls-record-too-large', 'likely'],
    ['E (10234) esp-tls-mbedtls: mbedtls_ssl_handshake returned -0x7800', 'tls-name-unrecognised', 'possible'],
    ['mbedtls_pk_parse_key returned -0x3C00', 'device-key-passphrase-missing', 'likely'],
    ['failed! mbedtls_x509_crt_verify flags 0x2', 'hub-certificate-revoked', 'possible'],
    ['failed! mbedtls_x509_crt_verify flags 0x20', 'device-crl-unfit', 'possible'],
  ],
  '.NET, Windows and MQTTnet': [
    [
      'MQTTnet.Exceptions.MqttCommunicationException: The remote certificate is invalid according to the validation procedure.',
      'hub-untrusted',
      'possible',
    ],
    [
      '  Message=The remote certificate is invalid because of errors in the certificate chain: RevocationStatusUnknown, PartialChain, OfflineRevocation',
      'device-crl-unfit',
      'possible',
    ],
    [
      'System.Security.Authentication.AuthenticationException: The remote certificate is invalid because of errors in the certificate chain: UntrustedRoot',
      'hub-untrusted',
      'possible',
    ],
    [
      'The remote certificate is invalid according to the validation procedure: RemoteCertificateNameMismatch',
      'hub-name-mismatch',
      'certain',
    ],
    ['Cannot determine the frame size or a corrupted frame was received.', 'port-speaks-plain-mqtt', 'possible'],
    [
      'MQTTnet.Adapter.MqttConnectingFailedException: Connecting with MQTT server failed (NotAuthorized).',
      'connect-denied',
      'possible',
    ],
    [
      'MQTTnet.Adapter.MqttConnectingFailedException: Connecting with MQTT server failed (BadUserNameOrPassword).',
      'password-wrong',
      'likely',
    ],
    [
      'System.Net.Sockets.SocketException (10061): No connection could be made because the target machine actively refused it.',
      'port-refused',
      'likely',
    ],
    [
      'The client and server cannot communicate, because they do not possess a common algorithm',
      'tls-version-unsupported',
      'possible',
    ],
    [
      'System.Security.Cryptography.CryptographicException: The specified network password is not correct.',
      'device-key-passphrase-wrong',
      'likely',
    ],
  ],
  'Java, HiveMQ and Paho for Java': [
    [
      'io.netty.handler.codec.DecoderException: javax.net.ssl.SSLException: Received fatal alert: unknown_ca',
      'certificate-foreign-authority',
      'possible',
    ],
    [
      'com.hivemq.client.mqtt.mqtt5.exceptions.Mqtt5ConnAckException: CONNECT failed as CONNACK contained an Error Code: NOT_AUTHORIZED.',
      'connect-denied',
      'possible',
    ],
    [
      'com.hivemq.client.mqtt.mqtt5.exceptions.Mqtt5ConnAckException: CONNECT failed as CONNACK contained an Error Code: BAD_USER_NAME_OR_PASSWORD.',
      'password-wrong',
      'likely',
    ],
    [
      'connection failure MqttException (0) - javax.net.ssl.SSLHandshakeException: Remote host closed connection during handshake',
      'broker-refused-unexplained',
      'possible',
    ],
    ['Not authorized to connect (5)', 'connect-denied', 'possible'],
    ['Bad user name or password (4)', 'password-wrong', 'likely'],
    ['Invalid client ID (2)', 'client-id-invalid', 'likely'],
    ['Unable to connect to server (32103) - java.net.ConnectException: Connection refused', 'port-refused', 'likely'],
    ['Connection lost (32109) - java.io.EOFException', 'broker-refused-unexplained', 'possible'],
    ['java.security.cert.CertificateException: No name matching broker found', 'hub-name-mismatch', 'certain'],
    ['javax.net.ssl.SSLHandshakeException: Empty client certificate chain', 'certificate-missing', 'certain'],
    ['java.io.IOException: keystore password was incorrect', 'device-key-passphrase-wrong', 'likely'],
    [
      'java.security.cert.CertPathValidatorException: Trust anchor for certification path not found.',
      'hub-untrusted',
      'possible',
    ],
  ],
  'aws-crt': [
    [
      'awscrt.exceptions.AwsCrtError: AWS_ERROR_MQTT_UNEXPECTED_HANGUP: The connection was closed unexpectedly.',
      'broker-refused-unexplained',
      'possible',
    ],
    [
      'Websocket setup failed to establish HTTP connection, error 1029 (AWS_IO_TLS_ERROR_NEGOTIATION_FAILURE)',
      'broker-refused-unexplained',
      'possible',
    ],
    ['RuntimeError: 1033 (AWS_IO_TLS_CTX_ERROR): Failed to create tls context', 'key-certificate-mismatch', 'possible'],
    ['AWS_IO_DNS_INVALID_NAME: Host name was invalid for dns resolution.', 'name-not-found', 'likely'],
    ['AWS_IO_SOCKET_CONNECTION_REFUSED: socket connection refused.', 'port-refused', 'likely'],
  ],
  'OpenSSL 1.1 and others': [
    [
      '140735:error:1416F086:SSL routines:tls_process_server_certificate:certificate verify failed:ssl/statem/statem_clnt.c:1921:',
      'hub-untrusted',
      'possible',
    ],
    [
      'error:14094416:SSL routines:ssl3_read_bytes:sslv3 alert certificate unknown',
      'certificate-foreign-authority',
      'possible',
    ],
    [
      'error:14094412:SSL routines:ssl3_read_bytes:sslv3 alert bad certificate',
      'certificate-not-yet-valid',
      'possible',
    ],
    [
      'error:0B080074:x509 certificate routines:X509_check_private_key:key values mismatch',
      'key-certificate-mismatch',
      'certain',
    ],
    ['error:0906D06C:PEM routines:PEM_read_bio:no start line', 'file-unrecognised', 'possible'],
    [
      'error:06065064:digital envelope routines:EVP_DecryptFinal_ex:bad decrypt',
      'device-key-passphrase-wrong',
      'likely',
    ],
    ['Verify return code: 23 (certificate revoked)', 'hub-certificate-revoked', 'possible'],
    ['error:0A000458:SSL routines::tlsv1 unrecognized name', 'tls-name-unrecognised', 'possible'],
    ["ssl.CertificateError: hostname '10.3.0.11' doesn't match 'broker.plant.example'", 'hub-name-mismatch', 'certain'],
    [
      "x509: cannot validate certificate for 10.3.0.11 because it doesn't contain any IP SANs",
      'hub-name-mismatch',
      'certain',
    ],
    [
      "Hostname/IP does not match certificate's altnames: IP: 127.0.0.1 is not in the cert's list: ",
      'hub-name-mismatch',
      'certain',
    ],
    ['tls: first record does not look like a TLS handshake', 'port-speaks-plain-mqtt', 'possible'],
    ['[client] Failed to connect to a broker: identifier rejected', 'client-id-invalid', 'likely'],
    ['ConnectionError: Connected with result code 5', 'connect-denied', 'possible'],
    ['wolfSSL error -361, CRL Cert revoked', 'hub-certificate-revoked', 'possible'],
    ["wolfSSL error -501, can't match cipher suite", 'tls-no-shared-cipher', 'likely'],
  ],
  Handfast: [
    [
      '{"level":30,"msg":"connection refused","code":"certificate-expired","device":"pump-7"}',
      'certificate-expired',
      'certain',
    ],
    ['  code: HF-7111 enrolment-root-mismatch', 'enrolment-root-mismatch', 'certain'],
    ['Reason String: HF-2106 the certificate expired 3 days ago', 'certificate-expired', 'certain'],
    ['not accepted by this hub; its operator can see why', 'certificate-foreign-authority', 'possible'],
  ],
}
