import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseIdentityId } from '../../src/core/identity/id.ts'
import { parseOwnPassword } from '../../src/core/identity/password.ts'
import { limits } from '../../src/core/limits.ts'
import { Secret } from '../../src/core/secret.ts'
import { changeDeviceState, revokeDevice } from '../../src/hub/change-identity.ts'
import { passwordAdmission } from '../../src/hub/passwords/admission.ts'
import {
  endOverlapsOfPasswords,
  passwordOverlapMs,
  passwordsOf,
  revokePasswords,
  setPassword,
} from '../../src/hub/passwords/change.ts'
import { GuessLimiter, type Outcome } from '../../src/hub/passwords/guessing.ts'
import { PasswordHashing } from '../../src/hub/passwords/hashing.ts'
import { type HubParts, hubParts, registered } from '../support/hub-parts.ts'
import { TimeMachine } from '../support/time-machine.ts'

const actor = 'key:test'
const id = parseIdentityId('pump-7')
const here = '192.0.2.1'

interface Bed {
  readonly hub: HubParts
  set(own?: string): Promise<Secret>
  /** `admitted`, or why not; an admission is confirmed too. */
  enter(password: Secret, username?: string, address?: string): Promise<string>
  /** Newest first. */
  states(): Promise<readonly string[]>
}

/** On a hub that has the identity already. */
function bedOn(hub: HubParts): Bed {
  const hashing = new PasswordHashing(hub.random)
  const admission = passwordAdmission({ ...hub, hashing, limiter: new GuessLimiter(hub.clock) })
  return {
    hub,
    set: async (own) => (await setPassword({ ...hub, hashing }, actor, id, own ?? null)).text,
    async enter(password, username = id, address = here) {
      const judgement = await admission.judge({ username, password, address })
      const confirmed = judgement.admitted ? await admission.confirmUse(judgement) : judgement
      return confirmed.admitted ? 'admitted' : confirmed.code
    },
    states: async () => (await passwordsOf(hub.store, id)).map(({ state }) => state),
  }
}

async function withIdentity(hub: HubParts): Promise<HubParts> {
  await registered(hub, id)
  await changeDeviceState(hub, actor, id, 'active')
  return hub
}

async function bed(t: Parameters<typeof hubParts>[0]): Promise<Bed> {
  return bedOn(await withIdentity(await hubParts(t)))
}

test('a password opens what it was set for, again and again, and nothing else does', async (t) => {
  const { set, enter } = await bed(t)
  const password = await set()
  assert.equal(password.length, 24)
  assert.equal(await enter(password), 'admitted')
  assert.equal(await enter(password), 'admitted')
  assert.equal(await enter(new Secret(`${password.reveal()}x`)), 'password-wrong')
  assert.equal(await enter(password, 'pump-8'), 'password-wrong')
  assert.equal(await enter(new Secret('')), 'password-wrong')
})

test('who brings no name or no password is told that something is missing', async (t) => {
  const { enter } = await bed(t)
  assert.equal(await enter(new Secret('x'), ''), 'password-missing')
})

test('in a rotation the old one connects until the new one was used, and a day longer', async (t) => {
  const { hub, set, enter, states } = await bed(t)
  const first = await set()
  assert.equal(await enter(first), 'admitted')
  const second = await set()
  hub.clock.advance(10 * passwordOverlapMs)
  assert.equal(await enter(first), 'admitted')
  assert.deepEqual(await states(), ['pending', 'active'])

  assert.equal(await enter(second), 'admitted')
  assert.deepEqual(await states(), ['active', 'superseded'])
  hub.clock.advance(passwordOverlapMs - 1)
  assert.equal(await endOverlapsOfPasswords(hub), 0)
  assert.equal(await enter(first), 'admitted')
  hub.clock.advance(1)
  assert.equal(await enter(first), 'password-wrong')
  assert.equal(await endOverlapsOfPasswords(hub), 1)
  assert.deepEqual(await states(), ['active', 'ended'])
  assert.equal(await enter(second), 'admitted')
})

test('never do more than two stand: what was not used gives way to what is set after it', async (t) => {
  const { set, enter, states } = await bed(t)
  const first = await set()
  assert.equal(await enter(first), 'admitted')
  const unused = await set()
  const third = await set()
  assert.deepEqual(await states(), ['pending', 'ended', 'active'])
  assert.equal(await enter(unused), 'password-wrong')
  assert.equal(await enter(third), 'admitted')
  await set()
  assert.deepEqual(await states(), ['pending', 'active', 'ended', 'ended'])
})

test('what is revoked opens nothing, also what was right a moment ago', async (t) => {
  const { hub, set, enter } = await bed(t)
  const password = await set()
  assert.equal(await enter(password), 'admitted')
  assert.equal((await revokePasswords(hub, actor, id, null)).length, 1)
  assert.equal(await enter(password), 'password-wrong')
  assert.deepEqual(await revokePasswords(hub, actor, id, null), [])
  await assert.rejects(revokePasswords(hub, actor, id, '0'.repeat(16)), { code: 'password-not-found' })
})

test('revoking or retiring the identity ends its passwords; disabling it closes the door alone', async (t) => {
  const { hub, set, enter, states } = await bed(t)
  const password = await set()
  await changeDeviceState(hub, actor, id, 'disabled')
  assert.equal(await enter(password), 'identity-disabled')
  await changeDeviceState(hub, actor, id, 'active')
  assert.equal(await enter(password), 'admitted')
  await revokeDevice(hub, actor, id, 'keyCompromise')
  await changeDeviceState(hub, actor, id, 'active')
  assert.equal(await enter(password), 'password-wrong')
  await set()
  await changeDeviceState(hub, actor, id, 'retired')
  assert.deepEqual(await states(), ['ended', 'ended'])
  await assert.rejects(set(), { code: 'identity-retired' })
})

test('guessing is stopped after a few failures, for the name and the address that fail, and not for those that were right', async (t) => {
  const { hub, set, enter } = await bed(t)
  const password = await set()
  assert.equal(await enter(password), 'admitted')
  const wrong = new Secret('not the password')
  for (let tries = 0; tries < 5; tries++) assert.equal(await enter(wrong, id, '198.51.100.9'), 'password-wrong')
  assert.equal(await enter(wrong, id, '198.51.100.9'), 'password-guessing')
  assert.equal(await enter(password, id, '198.51.100.9'), 'password-guessing')
  assert.equal(await enter(password), 'admitted')
  hub.clock.advance(30_000)
  assert.equal(await enter(password, id, '198.51.100.9'), 'admitted')
})

test('guesses that are made at once do not get around that', async (t) => {
  const { set, enter } = await bed(t)
  await set()
  const outcomes = await Promise.all(Array.from({ length: 20 }, () => enter(new Secret('not the password'))))
  assert.equal(outcomes.filter((each) => each === 'password-wrong').length, 2)
  assert.equal(outcomes.filter((each) => each === 'password-guessing').length, 18)
})

test('no address takes more than its share of the comparisons, whatever names it invents, and others are let in beside it', async (t) => {
  const { set, enter } = await bed(t)
  const password = await set()
  const wrong = new Secret('not the password')
  const guesses = Array.from({ length: 100 }, (_, number) => enter(wrong, `no-such-${number}`, '198.51.100.9'))
  const [other, ...outcomes] = await Promise.all([enter(password), ...guesses])
  assert.equal(other, 'admitted')
  assert.equal(outcomes.filter((each) => each === 'password-wrong').length, limits.passwordChecksOfSourceMax)
  assert.equal(outcomes.filter((each) => each === 'passwords-busy').length, 100 - limits.passwordChecksOfSourceMax)
})

test('what enters counts as failed until it was right; what could not be compared counts for its address alone', async (t) => {
  const limiter = new GuessLimiter((await hubParts(t)).clock)
  const isLet = (name: string, outcome: Outcome): boolean => {
    const comparison = limiter.enter(name, here)
    if ('end' in comparison) comparison.end(outcome)
    return 'end' in comparison
  }
  for (let number = 0; number < 200; number++) {
    assert.ok(isLet(`right-${number}`, 'right'))
    assert.ok(isLet('undecided', 'undecided'))
  }
  for (let number = 0; number < 49; number++) assert.ok(isLet(number < 20 ? 'one' : `gone-${number}`, 'given-up'))
  const last = limiter.enter('last', here)
  assert.ok('end' in last)
  // Beside its rate an address has two spare places, which come back too.
  for (let number = 0; number < 5; number++) assert.ok(isLet(`spare-${number}`, 'right'))
  for (let number = 0; number < 2; number++) assert.ok(isLet('further', 'wrong'))
  assert.deepEqual(limiter.enter('further', here), { code: 'password-guessing', waitMs: 2_000 })
  last.end('right')
  assert.ok(isLet('further', 'wrong'))
})

test('after a start nobody is locked out by failures in its name: a device has spare places at its own address', async (t) => {
  const { hub } = await bed(t)
  const limiter = new GuessLimiter(hub.clock)
  const fail = (address: string): boolean => {
    const comparison = limiter.enter(id, address)
    if ('end' in comparison) comparison.end('wrong')
    return 'end' in comparison
  }
  // Ten addresses use up the rate of the name.
  for (let number = 0; number < 50; number++) assert.ok(fail(`198.51.100.${number % 10}`))
  assert.ok(!fail('198.51.100.1'))
  assert.ok('end' in limiter.enter(id, here))

  // So many more use up what all share, and it comes back while each of them waits for its own.
  for (let number = 0; number < 9; number++) for (let tries = 0; tries < 2; tries++) fail(`203.0.113.${number}`)
  assert.ok(fail('203.0.113.9'))
  const other = '192.0.2.2'
  assert.deepEqual(limiter.enter(id, other), { code: 'password-guessing', waitMs: 1_000 })
  hub.clock.advance(1_000)
  assert.ok(!fail('203.0.113.1'))
  const comparison = limiter.enter(id, other)
  assert.ok('end' in comparison)
  comparison.end('right')
  for (let tries = 0; tries < 20; tries++) {
    const again = limiter.enter(id, other)
    assert.ok('end' in again)
    again.end('right')
  }
})

test('who left while its password waited gives up its place, and is not compared', async (t) => {
  const hub = await hubParts(t)
  const hashing = new PasswordHashing(hub.random)
  const admission = passwordAdmission({ ...hub, hashing, limiter: new GuessLimiter(hub.clock) })
  const waiting = Array.from({ length: limits.passwordChecksAtOnceMax + 1 }, (_, number) =>
    admission.judge({ username: `no-such-${number}`, password: new Secret('x'), address: here, isGone: () => true }),
  )
  const outcomes = await Promise.allSettled(waiting)
  const [last] = outcomes.splice(-1)
  assert.ok(outcomes.every(({ status }) => status === 'fulfilled'))
  assert.ok(last?.status === 'rejected')
  assert.equal(last.reason.code, 'passwords-busy')
  const next = await admission.judge({ username: 'no-such', password: new Secret('x'), address: here })
  assert.ok(!next.admitted)
  assert.equal(next.code, 'password-wrong')
})

test('a password of one’s own is long enough, printable and in one Unicode form', async (t) => {
  const { set, enter } = await bed(t)
  for (const text of ['short', 'x'.repeat(129), 'with a\ttab inside', 'decomposed e\u0301 here']) {
    assert.throws(() => parseOwnPassword(text), { code: 'password-unusable' })
  }
  const own = 'correct horse battery é'
  await set(own)
  assert.equal(await enter(new Secret(own)), 'admitted')
})

test('a password that was ended or superseded after the copy is so again after a restore', async (t) => {
  const machine = await TimeMachine.start(t)
  const first = bedOn(await withIdentity(machine.hub))
  const used = await first.set()
  assert.equal(await first.enter(used), 'admitted')
  const next = await first.set()
  const copy = await machine.backUp()
  assert.equal(await bedOn(machine.hub).enter(next), 'admitted')
  await machine.restore(copy)
  const { passwords } = machine.hub.store
  assert.deepEqual(
    (await passwords.listOfIdentity(id)).map(({ state }) => state),
    ['pending', 'superseded'],
  )

  const second = await machine.backUp()
  await revokePasswords(machine.hub, actor, id, null)
  const report = await machine.restore(second)
  assert.equal(report.passwordsEnded, 2)
  assert.deepEqual(await machine.hub.store.passwords.standingOf(id), [])
})
