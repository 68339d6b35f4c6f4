/** A credential store in memory, for tests of what is done with one. Its folder holds the record of the agent alone. */
import { X509Certificate } from 'node:crypto'
import { HubError } from '../../../src/core/errors.ts'
import type { IdentityId } from '../../../src/core/identity/id.ts'
import type { Secret } from '../../../src/core/secret.ts'
import { certificateFingerprint } from '../../../src/core/x509/certificate.ts'
import { certificateRequest, makeKey } from '../../../src/device/certificate-request.ts'
import type { AgentStore } from '../../../src/device/renewal/agent.ts'
import type { HeldCredential, HubRecord, NewCredential, TlsIdentity } from '../../../src/device/store/credential.ts'
import type { OpensslAuthority } from '../est-authority.ts'

interface Slot {
  readonly held: HeldCredential
  readonly identity: TlsIdentity
}

export class MemoryStore implements AgentStore {
  readonly path: string
  /** What has become of it, in order. */
  readonly acts: string[] = []
  /** Whether power fails right after the switch. */
  dies = false
  #current: Slot
  #next: Slot | null = null
  #roots: readonly X509Certificate[]
  #waiting: Secret | null = null
  #goodTimeMs: number | null = null

  /** Holds a certificate that the authority has just signed for this id. */
  constructor(path: string, authority: OpensslAuthority, hub: Pick<HubRecord, 'id' | 'httpsPort' | 'mqttPort'>) {
    this.path = path
    this.#roots = [new X509Certificate(authority.read('root.pem'))]
    const key = makeKey()
    const chain =
      authority.sign(Buffer.from(certificateRequest(hub.id as IdentityId, key))) + authority.read('issuing.pem')
    const certificate = new X509Certificate(chain)
    const fingerprint = certificateFingerprint(certificate.raw)
    const record = { ...hub, host: 'localhost', rootFingerprint: authority.rootFingerprint, tokenId: '', fingerprint }
    this.#current = { held: { certificate, hub: record }, identity: { key, chain } }
  }

  current(): HeldCredential {
    return this.#current.held
  }

  next(): HeldCredential | null {
    return this.#next?.held ?? null
  }

  tlsIdentity(slot: 'current' | 'next'): TlsIdentity | null {
    return (slot === 'current' ? this.#current : this.#next)?.identity ?? null
  }

  deviceIdentity(slot: 'current' | 'next'): TlsIdentity | null {
    return this.tlsIdentity(slot)
  }

  roots(): readonly X509Certificate[] {
    return this.#roots
  }

  replaceRoots(roots: readonly X509Certificate[]): void {
    this.acts.push('roots')
    this.#roots = roots
  }

  waitingKey(): Secret | null {
    return this.#waiting
  }

  keepWaitingKey(_id: IdentityId, keyPem: Secret): void {
    this.acts.push('key')
    this.#waiting = keyPem
  }

  prepareNext({ chain, keyPem, hub }: NewCredential): void {
    const [certificate] = chain
    if (certificate === undefined) throw new Error('no certificate')
    this.acts.push('next')
    this.#next = { held: { certificate, hub }, identity: { key: keyPem, chain: chain.map(String).join('') } }
  }

  /** As somebody does who brings a credential while the agent is at work. */
  replaceCurrent(other: MemoryStore): void {
    this.#current = other.#current
  }

  promote(instead?: string): void {
    if (instead !== undefined && certificateFingerprint(this.#current.held.certificate.raw) !== instead) {
      this.rollBack()
      throw new HubError('credential-changed', 'it was changed by others meanwhile')
    }
    if (this.#next === null) throw new Error('nothing waits')
    this.acts.push('promote')
    this.#current = this.#next
    this.#next = null
    // As in the real store, it waits until its certificate is in use.
    this.#waiting = null
    if (this.dies) throw new Error('the power fails')
  }

  rollBack(): void {
    this.acts.push('roll back')
    this.#next = null
  }

  lastGoodTimeMs(): number | null {
    return Math.max(this.#goodTimeMs ?? 0, this.#current.held.certificate.validFromDate.getTime())
  }

  noteTime(ms: number): void {
    this.#goodTimeMs = Math.max(this.#goodTimeMs ?? 0, ms)
  }
}
