/** Adding up what several gates have counted. */
import type { GateFigures } from './ports/figures.ts'

export const noGateFigures: GateFigures = {
  ...{ sessions: 0, halfOpen: 0, connectionsAccepted: 0 },
  ...{ packetsFromClients: 0, bytesFromClients: 0, packetsToClients: 0, bytesToClients: 0 },
}

const names = Object.keys(noGateFigures) as (keyof GateFigures)[]

export function sumOfFigures(one: GateFigures, other: GateFigures): GateFigures {
  return Object.fromEntries(names.map((name) => [name, one[name] + other[name]])) as unknown as GateFigures
}

/** What is left of one that is gone: what it had counted stays counted, what it held is gone with it. */
export function figuresOfGone(figures: GateFigures): GateFigures {
  return { ...figures, sessions: 0, halfOpen: 0 }
}

/** Figures of gates that come and go by name. A gate that counts less than before has begun anew. */
export class GateTotals {
  readonly #known = new Map<string, { readonly past: GateFigures; readonly last: GateFigures }>()

  note(id: string, figures: GateFigures): void {
    const { past, last } = this.#known.get(id) ?? { past: noGateFigures, last: noGateFigures }
    const hasBegunAnew = figures.connectionsAccepted < last.connectionsAccepted
    this.#known.set(id, { past: hasBegunAnew ? sumOfFigures(past, figuresOfGone(last)) : past, last: figures })
  }

  gone(id: string): void {
    const known = this.#known.get(id)
    if (known !== undefined) this.#known.set(id, { ...known, last: figuresOfGone(known.last) })
  }

  sum(): GateFigures {
    return [...this.#known.values()].reduce(
      (sum, { past, last }) => sumOfFigures(sum, sumOfFigures(past, last)),
      noGateFigures,
    )
  }
}
