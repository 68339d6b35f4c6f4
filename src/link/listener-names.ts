/** Listeners of gates elsewhere as attempts and metrics name them: `mqtt@gate-2`. A gate cannot make ever new ones up. */
import { linkLimits } from './limits.ts'

/** What stands for those beyond the bound. */
const other = 'other'

export class ListenerNames {
  readonly #known = new Set<string>()

  of(listener: string, gateId: string): string {
    const name = `${listener}@${gateId}`
    if (this.#known.has(name)) return name
    if (this.#known.size >= linkLimits.listenersMax) return `${other}@${gateId}`
    this.#known.add(name)
    return name
  }
}
