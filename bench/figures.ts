/** From raw samples to what a table says. */
import type { SideName } from './sides.ts'
import { type MedianInterval, medianInterval, percentile, type Spread, spreadOf } from './statistics.ts'

/** What one side gave in one round. */
export interface Round {
  /** As a rule one; where single events are timed, all of them. */
  readonly values: readonly number[]
  /** Pieces in a second, with client and server on the same cores; null where it says nothing. */
  readonly perSecond: number | null
}

export interface Series {
  readonly side: SideName
  readonly rounds: readonly Round[]
}

/** One thing that was measured, on one side or on several in the same rounds. */
export interface Row {
  readonly name: string
  readonly unit: string
  /** Which percentile is meant, 50 as a rule. */
  readonly rank: number
  /** The side that the others stand beside comes first. */
  readonly series: readonly Series[]
}

/** One row for each of ours that was measured, each beside all peers. */
export function besidePeers(row: Row): readonly Row[] {
  const isOurs = ({ side }: Series): boolean => side.startsWith('handfast')
  const peers = row.series.filter((series) => !isOurs(series))
  return row.series.filter(isOurs).map((own) => ({ ...row, name: nameOf(row.name, own), series: [own, ...peers] }))
}

function nameOf(name: string, { side }: Series): string {
  switch (side) {
    case 'handfast-managed':
      return `${name}; Mosquitto behind Handfast`
    case 'handfast-gates':
      return `${name}; two gate processes`
    default:
      return name
  }
}

export interface SideFigures {
  readonly side: SideName
  /** The percentile of all values; least and greatest are those of the same percentile in each round. */
  readonly spread: Spread
  /** The median of the rounds. */
  readonly perSecond: number | null
}

export interface Ratio extends MedianInterval {
  readonly median: number
}

export interface RowFigures {
  readonly rounds: number
  readonly subject: SideFigures
  readonly peers: readonly { readonly figures: SideFigures; readonly ratio: Ratio }[]
}

export function figuresOf({ rank, series }: Row): RowFigures {
  const [subject, ...peers] = series
  if (subject === undefined) throw new Error('a row without sides')
  return {
    rounds: subject.rounds.length,
    subject: sideFigures(subject, rank),
    peers: peers.map((peer) => ({ figures: sideFigures(peer, rank), ratio: ratioOf(subject, peer, rank) })),
  }
}

/** The ratio is taken in each round, of samples that stand beside each other. */
export function ratioOf(subject: Series, peer: Series, rank: number): Ratio {
  if (subject.rounds.length !== peer.rounds.length)
    throw new Error('the sides of a row have as many rounds as each other')
  const theirs = roundFigures(peer, rank)
  const ratios = roundFigures(subject, rank).map((value, round) => value / (theirs[round] ?? Number.NaN))
  return { median: percentile(ratios, 50), ...medianInterval(ratios) }
}

/** Whether the rounds show that the two sides differ. */
export function differs({ low, high }: MedianInterval): boolean {
  return low > 1 || high < 1
}

function sideFigures(series: Series, rank: number): SideFigures {
  const all = series.rounds.flatMap(({ values }) => values)
  const rates = series.rounds.map(({ perSecond }) => perSecond).filter((rate) => rate !== null)
  return {
    side: series.side,
    spread: { ...spreadOf(roundFigures(series, rank)), median: percentile(all, rank) },
    perSecond: rates.length === 0 ? null : percentile(rates, 50),
  }
}

function roundFigures({ rounds }: Series, rank: number): readonly number[] {
  return rounds.map(({ values }) => percentile(values, rank))
}
