/** A hub with one device, and the means of whoever holds its key and certificate: renewing, connecting, waiting. */
import assert from 'node:assert/strict'
import type { Credential } from '../../src/core/identity/credential.ts'
import type { IdentityId } from '../../src/core/identity/id.ts'
import type { Secret } from '../../src/core/secret.ts'
import { certificateRequest, makeKey } from '../../src/device/certificate-request.ts'
import { registryAdmission } from '../../src/hub/admit.ts'
import { enrol } from '../../src/hub/enrol.ts'
import type { NewAttempt } from '../../src/hub/ports/attempts.ts'
import { registryRenewal } from '../../src/hub/renew.ts'
import { type HubParts, hubParts, registered } from './hub-parts.ts'

export class RenewalBed {
  readonly hub: HubParts
  readonly attempts: NewAttempt[] = []
  /** Keys that have asked, by the hash that the registry knows them by. */
  readonly keys = new Map<string, Secret>()
  readonly id: IdentityId

  private constructor(hub: HubParts, id: IdentityId) {
    this.hub = hub
    this.id = id
  }

  static async start(t: {
    after(step: () => unknown): unknown
  }): Promise<{ bed: RenewalBed; key: Secret; first: Credential }> {
    const hub = await hubParts(t)
    const { identity, tokenText } = await registered(hub, 'pump-7')
    const bed = new RenewalBed(hub, identity.id)
    const key = makeKey()
    const first = await enrol(hub, { tokenText, claimedId: '', certificateRequest: bed.csr(key) })
    assert.equal(await bed.connect(first), 'active')
    return { bed, key, first }
  }

  csr(key: Secret, name: string = this.id): Uint8Array {
    return certificateRequest(name as IdentityId, key)
  }

  get #renewal() {
    return registryRenewal({ ...this.hub, attempts: { record: (attempt) => this.attempts.push(attempt) } })
  }

  /** As EST does it: what is shown is judged, then renewed. */
  async renew(shown: Credential, key: Secret, label: string | null = null, keyOrigin: 'holder' | 'hub' = 'holder') {
    const judged = await this.#renewal.judge(shown.certificate)
    if (!judged.admitted) throw Object.assign(new Error(judged.sentence), { code: judged.code })
    const { credential } = judged
    const order = { credential, certificateRequest: this.csr(key), label, keyOrigin, address: '192.0.2.7' }
    const given = await this.#renewal.renew(order)
    this.keys.set(given.publicKeyHash, key)
    return given
  }

  async connect({ certificate }: Credential): Promise<string> {
    const admission = registryAdmission(this.hub)
    const judged = await admission.judge(certificate)
    const used = judged.admitted ? await admission.confirmUse(judged) : judged
    return used.admitted ? used.credential.state : used.code
  }

  async confirm({ certificate }: Credential): Promise<string> {
    const judged = await this.#renewal.judge(certificate)
    const used = judged.admitted ? await this.#renewal.confirmUse(judged) : judged
    return used.admitted ? used.credential.state : used.code
  }

  async stateOf({ serialNumber }: Credential): Promise<string | undefined> {
    return (await this.hub.store.credentials.findBySerial(serialNumber))?.state
  }

  async events(from: number): Promise<readonly string[]> {
    return (await this.hub.store.events.after(from, 100)).map(({ type }) => type)
  }

  contests() {
    return this.hub.store.renewals.contestsOf(this.id, 99)
  }

  wait(ms: number): void {
    this.hub.clock.advance(ms)
  }
}
