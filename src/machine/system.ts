/** Time and randomness of this machine. */
import { randomBytes } from 'node:crypto'
import type { Clock } from '../hub/ports/clock.ts'
import type { Random } from '../hub/ports/random.ts'

export const systemClock: Clock = { nowMs: () => Date.now() }

export const systemRandom: Random = { bytes: (count) => randomBytes(count) }
