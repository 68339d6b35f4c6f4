import { createHash } from 'node:crypto'
import type { FailureName } from '../../src/core/failure/catalogue.ts'
import type { Credential } from '../../src/core/identity/credential.ts'
import { parseIdentityId } from '../../src/core/identity/id.ts'
import type { Entrant, GateAdmission, Presented, Refusal } from '../../src/hub/gate-admission.ts'
import type { TestCertificate } from './certificates.ts'

/** An admission that answers from a table, and can be held up at either of its two questions. */
export class FakeAdmission implements GateAdmission {
  readonly #table = new Map<string, Entrant | Refusal>()
  /** Fingerprints that were judged, in order; null where no certificate came. */
  readonly judged: (string | null)[] = []
  confirmations = 0
  /** What `judge` waits for after it has looked at the table. */
  judgeGate: Promise<void> = Promise.resolve()
  confirmGate: Promise<void> = Promise.resolve()

  admit(
    certificate: TestCertificate,
    id: string,
    options: { notAfterSec?: number; state?: 'pending' | 'active' | 'quarantined' } = {},
  ): void {
    this.#table.set(certificate.fingerprint, admission(certificate.fingerprint, id, options))
  }

  refuse(certificate: TestCertificate, code: FailureName, sentence: string): void {
    this.#table.set(certificate.fingerprint, { admitted: false, code, sentence, identityId: 'pump-7', summary: null })
  }

  async judge({ certificate }: Presented): Promise<Entrant | Refusal> {
    const fingerprint = certificate === null ? null : createHash('sha256').update(certificate).digest('hex')
    this.judged.push(fingerprint)
    const known = fingerprint === null ? undefined : this.#table.get(fingerprint)
    const code = fingerprint === null ? 'certificate-missing' : 'certificate-foreign-authority'
    await this.judgeGate
    return known ?? { admitted: false, code, sentence: `${code} in full`, identityId: null, summary: null }
  }

  async confirmUse(entrant: Entrant): Promise<Entrant | Refusal> {
    if (entrant.proof.kind !== 'issued' || entrant.proof.credential.state === 'active') return entrant
    this.confirmations++
    await this.confirmGate
    return entrant
  }
}

function admission(
  fingerprint: string,
  id: string,
  { notAfterSec = 4_000_000_000, state = 'active' }: { notAfterSec?: number; state?: Credential['state'] },
): Entrant {
  const identityId = parseIdentityId(id)
  return {
    admitted: true,
    identity: {
      id: identityId,
      kind: 'device',
      state: 'active',
      group: null,
      attributes: {},
      profiles: ['device'],
      names: { dnsNames: [], ipAddresses: [], emails: [] },
      keyStorage: null,
      createdAtMs: 0,
      updatedAtMs: 0,
      version: 1,
    },
    proof: {
      kind: 'issued',
      credential: {
        fingerprint,
        serialNumber: '3f00',
        identityId,
        authorityId: 'issuing-1',
        profile: 'device',
        state,
        publicKeyHash: '',
        certificate: new Uint8Array(),
        tokenId: null,
        keyOrigin: 'holder',
        crlShard: null,
        parentSerial: null,
        supersededAtMs: null,
        notBeforeSec: 0,
        notAfterSec,
        issuedAtMs: 0,
        activatedAtMs: null,
        revokedAtMs: null,
        revocationReason: null,
      },
    },
    summary: {
      fingerprint,
      serialNumber: '3f00',
      subject: `CN=${id}`,
      issuer: 'CN=issuing',
      notBeforeSec: 0,
      notAfterSec,
    },
  }
}
