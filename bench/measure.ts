/** All sides in turn, round by round, so that whatever else happens on the machine happens to each of them. */
import { setTimeout as delay } from 'node:timers/promises'
import type { Round, Series } from './figures.ts'
import { cpuMicrosBetween, readCpu } from './processes.ts'
import type { Side, SideName } from './sides.ts'

/** Lets a server do what it has put off: the hub writes its attempts in batches, a fifth of a second later. */
export function settle(): Promise<void> {
  return delay(400)
}

/**
 * CPU microseconds of a server for each piece of the work. What the server puts off counts; before the work it must have
 * settled.
 *
 * @param work answers how much it did, in how many seconds
 */
export async function cpuPerPiece(
  server: Side,
  work: () => Promise<{ readonly pieces: number; readonly seconds: number }>,
): Promise<Round> {
  const before = readCpu(server.pids)
  const { pieces, seconds } = await work()
  await settle()
  return { values: [cpuMicrosBetween(before, readCpu(server.pids)) / pieces], perSecond: pieces / seconds }
}

/**
 * Takes one sample of each side in each round. Every other round goes through the sides backwards: what grows or wears off in
 * the course of a round weighs on none of them alone.
 *
 * @param warmUps rounds before, whose samples are thrown away
 * @param sample is told the round too, counted from 0 with the rounds that warm up
 */
export async function inRounds<S extends { readonly name: SideName }>(
  sides: readonly S[],
  { warmUps, rounds }: { readonly warmUps: number; readonly rounds: number },
  sample: (side: S, round: number) => Promise<Round>,
): Promise<readonly Series[]> {
  const taken = sides.map(({ name }) => ({ side: name, rounds: [] as Round[] }))
  for (let round = 0; round < warmUps + rounds; round++) {
    const turns = sides.map((side, place) => ({ side, place }))
    if (round % 2 === 1) turns.reverse()
    for (const { side, place } of turns) {
      const one = await sample(side, round)
      if (round >= warmUps) taken[place]?.rounds.push(one)
    }
  }
  return taken
}

/** Runs the work and stops what was started for it. */
export async function withSides<S extends Side, T>(
  starts: readonly (() => Promise<S>)[],
  work: (sides: readonly S[]) => Promise<T>,
): Promise<T> {
  const sides: S[] = []
  for (const start of starts) sides.push(await start())
  const result = await work(sides)
  for (const side of sides) await side.stop()
  return result
}
