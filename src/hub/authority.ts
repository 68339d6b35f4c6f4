/** One authority with its key at hand, where it is here. It signs nothing but what its methods are for. */
import { X509Certificate } from 'node:crypto'
import { HubError } from '../core/errors.ts'
import { redeemPermit, type SigningPermit } from '../core/profile/permit.ts'
import { signedStructure } from '../core/x509/algorithms.ts'
import { type CertificateFields, certificateFingerprint, readCertificate } from '../core/x509/certificate.ts'
import type { AuthorityRow } from './ports/authorities.ts'
import type { Signer } from './ports/signer.ts'

export class Authority implements Omit<AuthorityRow, 'createdAtMs'> {
  readonly id: string
  readonly role: AuthorityRow['role']
  readonly chain: string
  readonly keyType: AuthorityRow['keyType']
  readonly parentId: string | null
  readonly state: AuthorityRow['state']
  readonly keyPlace: AuthorityRow['keyPlace']
  /** Its certificate in DER, as our own code reads it, and as OpenSSL does. */
  readonly certificate: Uint8Array
  readonly fields: CertificateFields
  readonly x509: X509Certificate
  readonly fingerprint: string
  readonly #signer: Signer | null

  /** @param signer its key; null where that is not here. @throws HubError `certificate-unreadable` */
  constructor(row: Omit<AuthorityRow, 'createdAtMs'>, signer: Signer | null) {
    this.id = row.id
    this.role = row.role
    this.chain = row.chain
    this.keyType = row.keyType
    this.parentId = row.parentId
    this.state = row.state
    this.keyPlace = row.keyPlace
    this.certificate = row.certificate
    this.fields = readCertificate(row.certificate)
    this.x509 = new X509Certificate(row.certificate)
    this.fingerprint = certificateFingerprint(row.certificate)
    this.#signer = signer
  }

  /** Whether its key is at hand. */
  get isOpen(): boolean {
    return this.#signer !== null
  }

  /** The same authority as it is now, with the same key. */
  as(row: Omit<AuthorityRow, 'createdAtMs'>): Authority {
    return new Authority(row, this.#signer)
  }

  /** The certificate in DER that a permit was given for. @throws HubError `authority-key-offline` */
  async signCertificate(permit: SigningPermit): Promise<Uint8Array> {
    return signPermitted(permit, this.#key())
  }

  /** A CRL in DER. @param tbs its TBSCertList in DER. @throws HubError `authority-key-offline` */
  async signCrl(tbs: Uint8Array): Promise<Uint8Array> {
    return signedStructure(tbs, await this.#key().sign(tbs))
  }

  #key(): Signer {
    if (this.#signer !== null) return this.#signer
    throw new HubError('authority-key-offline', `the key of ${this.id} is not here`)
  }
}

/** The same for a key that has no certificate yet and is about to sign its own. */
export async function signPermitted(permit: SigningPermit, signer: Signer): Promise<Uint8Array> {
  const tbs = redeemPermit(permit, signer.publicKey)
  return signedStructure(tbs, await signer.sign(tbs))
}
