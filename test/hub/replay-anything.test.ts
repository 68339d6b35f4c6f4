/** Histories drawn at random: whatever happens after a copy, its restore opens no door. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { HubError } from '../../src/core/errors.ts'
import type { Credential } from '../../src/core/identity/credential.ts'
import type { IdentityId } from '../../src/core/identity/id.ts'
import { registryAdmission } from '../../src/hub/admit.ts'
import { adoptIdentity } from '../../src/hub/adopt.ts'
import { changeDeviceState, revokeCertificate, revokeDevice } from '../../src/hub/change-identity.ts'
import { grantToken } from '../../src/hub/register-device.ts'
import { registered } from '../support/hub-parts.ts'
import { TimeMachine } from '../support/time-machine.ts'

const actor = 'key:test'
const daySec = 86_400

test('whatever has happened: a restore opens no door, and adopting everything opens those that were open', async (t) => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.nat(999), { minLength: 120, maxLength: 120 }), async (draws) => {
      const history = new History(await TimeMachine.start(t), draws)
      await history.register()
      while (history.goesOn()) await history.step()
      await history.restoreAndCheck()
    }),
    // A failure names its seed; making it smaller would take minutes.
    { numRuns: 5, endOnFailure: true },
  )
})

/** Random acts on a few devices, with backups and restores between them. */
class History {
  readonly #machine: TimeMachine
  readonly #draws: number[]
  readonly #ids: IdentityId[] = []
  readonly #credentials: Credential[] = []
  readonly #copies: string[] = []

  constructor(machine: TimeMachine, draws: readonly number[]) {
    this.#machine = machine
    this.#draws = [...draws]
  }

  goesOn(): boolean {
    return this.#draws.length > 4
  }

  async step(): Promise<void> {
    const { hub } = this.#machine
    hub.clock.advance(1_000)
    const id = this.#one(this.#ids)
    switch (this.#draw(10)) {
      case 0:
        return this.register()
      case 1:
        if (this.#copies.length < 4) this.#copies.push(await this.#machine.backUp())
        return
      case 2:
        return this.restoreAndCheck()
      case 3:
        return this.#tolerating(() => changeDeviceState(hub, actor, id, 'disabled'))
      case 4:
        return this.#tolerating(() => changeDeviceState(hub, actor, id, 'active'))
      case 5:
        return this.#tolerating(() => revokeDevice(hub, actor, id, 'keyCompromise'))
      case 6:
        if (this.#draw(3) === 0) await this.#tolerating(() => changeDeviceState(hub, actor, id, 'retired'))
        return
      case 7: {
        const credential = this.#one(this.#credentials)
        return this.#tolerating(() => revokeCertificate(hub, actor, credential?.serialNumber ?? '', 'unspecified'))
      }
      case 8: {
        const credential = this.#one(this.#credentials)
        if (credential !== undefined) await this.#machine.verdict(credential)
        return
      }
      default:
        return this.#tolerating(async () => {
          this.#credentials.push(await this.#machine.enrolled(await grantToken(hub, actor, id, daySec)))
        })
    }
  }

  async register(): Promise<void> {
    const grant = await registered(this.#machine.hub, `pump-${this.#ids.length}`)
    this.#ids.push(grant.identity.id)
    this.#credentials.push(await this.#machine.enrolled(grant))
  }

  async restoreAndCheck(): Promise<void> {
    const copy = this.#one(this.#copies)
    if (copy === undefined) return
    const before = await this.#open()
    const states = await this.#states()
    await this.#machine.exchange(copy)
    await this.#machine.open()
    assert.deepEqual(await this.#machine.findings(), [])
    const restored = await this.#open()
    assert.deepEqual(
      [...restored].filter((fingerprint) => !before.has(fingerprint)),
      [],
      'a door was opened',
    )
    const { items } = await this.#machine.hub.store.adoptions.list({ after: null, limit: 1_000 })
    for (const { identity } of items) await adoptIdentity(this.#machine.hub, actor, identity.id)
    assert.deepEqual(await this.#open(), before)
    assert.deepEqual(await this.#states(), states)
    assert.deepEqual(await this.#machine.findings(), [])
  }

  /** The credentials that would be admitted now. */
  async #open(): Promise<ReadonlySet<string>> {
    const admission = registryAdmission(this.#machine.hub)
    const open = new Set<string>()
    for (const { certificate, fingerprint } of this.#credentials) {
      if ((await admission.judge(certificate)).admitted) open.add(fingerprint)
    }
    return open
  }

  async #states(): Promise<readonly (string | undefined)[]> {
    const { identities } = this.#machine.hub.store
    return Promise.all(this.#ids.map(async (id) => (await identities.find(id))?.state))
  }

  /** Many an act is not possible in the present state; that is no matter here. */
  async #tolerating(act: () => Promise<unknown>): Promise<void> {
    try {
      await act()
    } catch (error) {
      if (!(error instanceof HubError)) throw error
    }
  }

  #one<T>(values: readonly T[]): T {
    return values[this.#draw(values.length)] as T
  }

  #draw(below: number): number {
    return Math.floor(((this.#draws.shift() ?? 0) / 1_000) * below)
  }
}
