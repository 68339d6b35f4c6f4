import type { Secret } from '../../core/secret.ts'
import type { AuthorityKeyType } from '../../core/x509/authority-key.ts'

/** A private key that signs and never leaves its place. */
export interface Signer {
  /** The SubjectPublicKeyInfo in DER of the key that signs. */
  readonly publicKey: Uint8Array
  /**
   * Signs with the algorithm that the bytes name, or the usual one of the key (`algorithmFor` of core/x509): DER SEQUENCE of
   * r and s for ECDSA (RFC 3279 §2.2.3), the bare octets for RSA and Ed25519.
   */
  sign(bytes: Uint8Array): Promise<Uint8Array>
}

/** Where the keys of authorities live, encrypted at rest. */
export interface KeyStore {
  /**
   * Makes a key under a new name; it is on disk, synced, when this returns.
   *
   * @param type P-256 where it is left out
   * @throws HubError `data-directory-unusable` when it cannot be written or the name is taken
   */
  create(name: string, type?: AuthorityKeyType): Promise<Signer>
  has(name: string): Promise<boolean>
  /** @throws HubError `key-file-damaged`, `key-passphrase-wrong` */
  open(name: string): Promise<Signer>
  /** The private key as PKCS#8 PEM, for a TLS listener of this process. Same errors as `open`. */
  exportPem(name: string): Promise<Secret>
  /**
   * The private key encrypted with a passphrase, as PKCS#8 PEM (RFC 5958 §3) that OpenSSL opens. Same errors as `open`.
   *
   * @param passphrase any text; the same octets in UTF-8 open it elsewhere
   */
  exportEncrypted(name: string, passphrase: Secret): Promise<string>
  /**
   * Takes in a key that was made or kept elsewhere, under a name that is free; it is on disk, synced, when this returns.
   *
   * @param pem a private key in PEM, encrypted or not
   * @param publicKey SubjectPublicKeyInfo in DER of the key that it must be
   * @throws HubError `key-import-refused`: it does not open with that passphrase, or is another key; `data-directory-unusable`
   */
  importPem(name: string, pem: Secret, passphrase: Secret | null, publicKey: Uint8Array): Promise<Signer>
  /**
   * Asserts that a key in PEM opens and is the other half of a public key; it is kept nowhere.
   *
   * @throws HubError `key-import-refused`
   */
  assertOpens(pem: Secret, passphrase: Secret | null, publicKey: Uint8Array): Promise<void>
  /**
   * Removes a key. When this is fulfilled it is gone from its place, on disk too.
   *
   * @throws HubError `key-file-damaged` where there is none; `data-directory-unusable` where it cannot be removed
   */
  remove(name: string): Promise<void>
}
