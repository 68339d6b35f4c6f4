import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import {
  afterAct,
  hasPublished,
  hasSwitched,
  isOver,
  type RollOverState,
  rollOverActs,
  rollOverStates,
} from '../../../src/hub/roll-over/states.ts'

const roles = fc.constantFrom('issuing' as const, 'root' as const)
const acts = fc.array(fc.constantFrom(...rollOverActs), { maxLength: 12 })

test('a roll-over goes through its steps in order and never comes back from an end', () => {
  fc.assert(
    fc.property(roles, acts, (role, asked) => {
      let state: RollOverState = 'prepared'
      let [isSwitched, isAsked] = [false, false]
      for (const act of asked) {
        const next = afterAct(role, state, act)
        if (next === null) continue
        assert.ok(!isOver(state), 'nothing follows an end')
        assert.ok(next === 'undone' || rollOverStates.indexOf(next) > rollOverStates.indexOf(state))
        isSwitched ||= next === 'switched'
        isAsked ||= act === 'cut'
        if (next === 'done') {
          assert.ok(isSwitched, 'what is taken away has a successor that signs')
          assert.equal(isAsked, role === 'root', 'a root is cut by an operator alone')
        }
        state = next
      }
    }),
  )
})

test('until it is done, every roll-over can be undone, and afterwards none', () => {
  for (const role of ['issuing', 'root'] as const) {
    for (const state of rollOverStates) {
      assert.equal(afterAct(role, state, 'undo'), isOver(state) ? null : 'undone', `${role} ${state}`)
    }
  }
})

test('a successor is seen by others before it signs', () => {
  for (const state of rollOverStates) {
    if (hasSwitched(state) && !isOver(state)) assert.ok(hasPublished(state), state)
  }
  assert.ok(!hasPublished('prepared') && !hasPublished('undone'))
})

test('an issuing authority needs no cut: it is done when its last certificate has ended', () => {
  assert.equal(afterAct('issuing', 'switched', 'cut'), null)
  assert.equal(afterAct('issuing', 'switched', 'advance'), 'done')
  assert.equal(afterAct('root', 'switched', 'advance'), null)
})
