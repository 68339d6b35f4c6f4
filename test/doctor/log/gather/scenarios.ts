/** What is made to go wrong, and the true cause of each: the decoder may not know it, but may not deny it either. */

export interface Scenario {
  readonly name: string
  /** Names of failures: the cause. More than one where the catalogue names it by the side that sees it. */
  readonly truth: readonly string[]
  /** Files of the server, without ending; `server` if left out. */
  readonly server?: string
  readonly crl?: string
  readonly alpn?: string
  /** File of the roots that the client trusts; `root` if left out. */
  readonly trusts?: string
  /** Certificate and key of the client; null shows none. */
  readonly device?: string | null
  readonly certificate?: string
  readonly key?: string
  readonly name_?: string
  readonly clientAlpn?: string
  /** The versions of TLS that the server speaks, and that the client may. */
  readonly versions?: readonly ['1.2' | '1.3', '' | '1.2'][]
  /** In which clock the client lives, for libfaketime. */
  readonly day?: string
  readonly ciphers?: string
}

export const scenarios: readonly Scenario[] = [
  { name: 'client certificate expired', truth: ['certificate-expired'], device: 'device-expired' },
  { name: 'client certificate not yet valid', truth: ['certificate-not-yet-valid'], device: 'device-future' },
  {
    name: 'client certificate of an unknown authority',
    truth: ['certificate-foreign-authority'],
    device: 'device-other',
  },
  { name: 'client sends no intermediate', truth: ['certificate-intermediate-missing'], device: 'device-below-sub' },
  { name: 'client certificate self-signed', truth: ['certificate-self-signed'], device: 'device-self-signed' },
  { name: 'client certificate for servers', truth: ['certificate-wrong-usage'], device: 'device-for-servers' },
  { name: 'client certificate revoked', truth: ['certificate-revoked'], device: 'device-revoked', crl: 'crl' },
  { name: 'CRL of the server has ended', truth: ['broker-crl-ended'], crl: 'crl-old' },
  { name: 'CRL of the server is ahead', truth: ['broker-crl-not-yet-valid'], crl: 'crl-ahead' },
  { name: 'server has no CRL of the issuer', truth: ['broker-crl-missing'], crl: 'crl-other' },
  { name: 'client has RSA 1024', truth: ['certificate-key-weak'], device: 'device-rsa1024' },
  { name: 'client certificate signed with SHA-1', truth: ['certificate-hash-weak'], device: 'device-sha1' },
  {
    name: 'client key on secp256k1',
    truth: ['client-curve-unsupported|certificate-missing|tls-no-shared-cipher|key-type-unsupported'],
    device: 'device-secp256k1',
  },
  { name: 'no client certificate', truth: ['certificate-missing'], device: null },
  {
    name: 'client key of another certificate',
    truth: ['key-certificate-mismatch|client-key-unproved'],
    key: 'stranger',
  },
  { name: 'wrong passphrase', truth: ['device-key-passphrase-wrong|key-encryption-unsupported'], key: 'encrypted' },
  { name: 'key cut off', truth: ['pem-cut-short'], key: 'cut' },
  { name: 'key is something else', truth: ['file-unrecognised'], key: 'garbage' },
  { name: 'certificate cut off', truth: ['pem-cut-short'], certificate: 'cut' },
  { name: 'certificate is something else', truth: ['file-unrecognised'], certificate: 'garbage' },
  { name: 'certificate with spoilt base64', truth: ['pem-text-damaged'], certificate: 'spoilt' },
  { name: 'certificate file missing', truth: ['client-file-unopened'], certificate: 'nowhere' },
  { name: 'server of an unknown root', truth: ['hub-untrusted'], trusts: 'other' },
  { name: 'server certificate self-signed', truth: ['hub-untrusted'], server: 'server-self-signed' },
  { name: 'server certificate expired', truth: ['hub-certificate-expired'], server: 'server-expired' },
  { name: 'server certificate not yet valid', truth: ['hub-certificate-not-yet-valid'], server: 'server-future' },
  { name: 'clock of the device behind', truth: ['hub-certificate-not-yet-valid'], day: '2021-02-03 04:05:06' },
  { name: 'server of another name', truth: ['hub-name-mismatch'], server: 'server-elsewhere' },
  { name: 'server certificate for clients', truth: ['hub-certificate-wrong-usage'], server: 'server-for-clients' },
  { name: 'server sends no intermediate', truth: ['hub-intermediate-missing'], server: 'server-below-sub' },
  { name: 'no TLS version in common', truth: ['tls-version-unsupported'], versions: [['1.3', '1.2']] },
  {
    name: 'no cipher in common',
    truth: ['tls-no-shared-cipher'],
    versions: [['1.2', '1.2']],
    ciphers: 'ECDHE-RSA-AES256-GCM-SHA384',
  },
  {
    name: 'no application protocol in common',
    truth: ['tls-no-application-protocol'],
    alpn: 'x-amzn-mqtt-ca',
    clientAlpn: 'mqtt',
  },
]
