import type { Secret } from '../../core/secret.ts'

/** A private key that signs and never leaves its place. */
export interface Signer {
  /** The SubjectPublicKeyInfo in DER of the key that signs. */
  readonly publicKey: Uint8Array
  /** ECDSA with SHA-256 over the bytes; the signature is the DER SEQUENCE of r and s (RFC 3279 §2.2.3). */
  sign(bytes: Uint8Array): Promise<Uint8Array>
}

/** Where the keys of authorities live, encrypted at rest. */
export interface KeyStore {
  /**
   * Makes a P-256 key under a new name; it is on disk, synced, when this returns.
   *
   * @throws HubError `data-directory-unusable` when it cannot be written or the name is taken
   */
  create(name: string): Promise<Signer>
  has(name: string): Promise<boolean>
  /** @throws HubError `key-file-damaged`, `key-passphrase-wrong` */
  open(name: string): Promise<Signer>
  /** The private key as PKCS#8 PEM, for a TLS listener of this process. Same errors as `open`. */
  exportPem(name: string): Promise<Secret>
}
