/** The clock of another day for a program, by libfaketime. Its wrapper is left out: what it leaves behind stops it another time. */
import { globSync } from 'node:fs'

const library = globSync('/usr/lib/*/faketime/libfaketime.so.1')[0] ?? 'libfaketime.so.1'

/** @param day as in `2020-01-01 00:00:00`, null for today. @returns the environment of the program */
export function environmentOn(day: string | null): NodeJS.ProcessEnv {
  if (day === null) return process.env
  return { ...process.env, LD_PRELOAD: library, FAKETIME: `@${day}`, FAKETIME_DISABLE_SHM: '1', TZ: 'UTC' }
}
