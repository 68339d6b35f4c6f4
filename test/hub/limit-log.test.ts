import assert from 'node:assert/strict'
import { test } from 'node:test'
import { limits } from '../../src/core/limits.ts'
import { adminActMessage, limitLog } from '../../src/hub/limit-log.ts'
import type { Log, LogFields } from '../../src/hub/ports/log.ts'
import { noonMs, StandingClock } from '../support/hub-parts.ts'

/** A log whose lines are kept as `level message {fields}`. */
function book(): { readonly log: Log; readonly lines: string[] } {
  const lines: string[] = []
  const at = (level: string) => (message: string, fields?: LogFields) =>
    void lines.push(`${level} ${message} ${JSON.stringify(fields ?? {})}`)
  return { log: { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') }, lines }
}

const told = (level: string, of: string, count: number): string =>
  `${level} lines were left out because there were too many ${JSON.stringify({ of, count })}`

test('a flood of one message leaves a few lines and a count, and other messages as they are', () => {
  const { log, lines } = book()
  const limited = limitLog(log, new StandingClock(noonMs))
  for (let n = 0; n < 10_000; n++) limited.error('the registry gave no answer', { n })
  limited.error('something else')
  limited.warn('the registry gave no answer')
  assert.equal(lines.length, limits.logLinesMax + 2)
  assert.equal(lines[0], 'error the registry gave no answer {"n":0}')
  limited.flush()
  assert.deepEqual(lines.slice(limits.logLinesMax), [
    'error something else {}',
    'warn the registry gave no answer {}',
    told('error', 'the registry gave no answer', 10_000 - limits.logLinesMax),
  ])
  limited.flush()
  assert.equal(lines.length, limits.logLinesMax + 3, 'a count is told once')
})

test('a flood that goes on is told again and again, with a count for each while', () => {
  const { log, lines } = book()
  const clock = new StandingClock(noonMs)
  const limited = limitLog(log, clock)
  for (let n = 0; n < 3 * limits.logLinesMax; n++) limited.info('session ended')
  clock.advance(limits.logWindowMs)
  for (let n = 0; n < limits.logLinesMax + 1; n++) limited.info('session ended')
  limited.flush()
  const counts = lines.filter((line) => line.startsWith('info lines'))
  assert.deepEqual(counts, [told('info', 'session ended', 2 * limits.logLinesMax), told('info', 'session ended', 1)])
  assert.equal(lines.length, 2 * limits.logLinesMax + 2)
})

test('a count does not wait for another line', (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] })
  const { log, lines } = book()
  const limited = limitLog(log, new StandingClock(noonMs))
  for (let n = 0; n < limits.logLinesMax + 5; n++) limited.warn('again')
  t.mock.timers.tick(limits.logWindowMs)
  assert.equal(lines.at(-1), told('warn', 'again', 5))
})

test('whoever looks closely sees more, and not everything', () => {
  const { log, lines } = book()
  const limited = limitLog(log, new StandingClock(noonMs))
  for (let n = 0; n < limits.logDebugLinesMax + 100; n++) limited.debug('attempt')
  assert.equal(lines.length, limits.logDebugLinesMax)
})

test('every act of an operator stands in the log', () => {
  const { log, lines } = book()
  const limited = limitLog(log, new StandingClock(noonMs))
  for (let n = 0; n < 10 * limits.logLinesMax; n++) limited.info(adminActMessage)
  assert.equal(lines.length, 10 * limits.logLinesMax)
})
