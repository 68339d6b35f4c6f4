/** Connections that live on, judged again when something has changed, and every few seconds. */
import { quote } from '../core/errors.ts'
import type { FailureName } from '../core/failure/catalogue.ts'
import { refused } from './leaf.ts'
import { surface } from './surfacing.ts'
import type { Admitted, Refused, Verdict } from './verdict.ts'

/** The part of a socket that is used. */
export interface Watchable {
  readonly destroyed: boolean
  destroy(): unknown
  once(event: 'close', listener: () => void): unknown
}

interface Watched {
  readonly der: Uint8Array | null
  readonly admitted: Admitted
  readonly end: (refused: Refused) => void
  /** When it was last said that it may stay. */
  saidAtMs: number
}

interface Surroundings {
  judge(der: Uint8Array | null): Promise<Verdict>
  /** Milliseconds that nobody sets back. */
  monotonicMs(): number
  /** How long a connection lives on while nobody can say anything about it, in seconds. */
  readonly silentSecMax: number
}

/** A responder or a hub that stumbles refuses the next connection, and does not end all that there are. */
const silence: ReadonlySet<FailureName> = new Set(['verify-hub-silent', 'verify-status-unknown'])

export class Watches {
  readonly #surroundings: Surroundings
  readonly #watched = new Map<Watchable, Watched>()
  #looking = false
  #again = false

  constructor(surroundings: Surroundings) {
    this.#surroundings = surroundings
  }

  add(
    socket: Watchable,
    der: Uint8Array | null,
    admitted: Admitted,
    end: (refused: Refused) => void = () => void socket.destroy(),
  ): void {
    if (socket.destroyed) return
    this.#watched.set(socket, { der, admitted, end, saidAtMs: this.#surroundings.monotonicMs() })
    socket.once('close', () => this.#watched.delete(socket))
    // What has changed since it was judged was told to those who were watched then.
    void this.#judge(socket)
  }

  /** Judges all of them again. A look that is asked for while one goes on follows it. */
  async look(): Promise<void> {
    this.#again = true
    if (this.#looking) return
    this.#looking = true
    while (this.#again) {
      this.#again = false
      // Who was not spoken of for the longest time goes first: where questions are few, they come round to everybody.
      const inTurn = [...this.#watched].sort(([, one], [, other]) => one.saidAtMs - other.saidAtMs)
      await Promise.all(inTurn.map(([socket]) => this.#judge(socket)))
    }
    this.#looking = false
  }

  stop(): void {
    this.#watched.clear()
  }

  async #judge(socket: Watchable): Promise<void> {
    const watched = this.#watched.get(socket)
    if (watched === undefined) return
    const { judge, monotonicMs, silentSecMax } = this.#surroundings
    const askedAtMs = monotonicMs()
    const verdict = await judge(watched.der).catch(unsaid)
    if (!this.#watched.has(socket)) return
    const { admitted, end, saidAtMs } = watched
    // The same certificate never becomes somebody else, unless what says whom it speaks for was changed.
    const isSame = verdict.admitted && verdict.peer.identity.id === admitted.peer.identity.id
    if (isSame) {
      watched.saidAtMs = askedAtMs
      return
    }
    if (!verdict.admitted && silence.has(verdict.code) && monotonicMs() - saidAtMs <= silentSecMax * 1_000) return
    this.#watched.delete(socket)
    try {
      end(verdict.admitted ? otherNow(verdict) : verdict)
    } catch (error) {
      // It ends all the same, and so do the others. What was thrown is the server's own, as that of a listener of events.
      socket.destroy()
      surface(error)
    }
  }
}

/** What the server itself brings, such as a look into its database, may fail: that is no word about the peer. */
function unsaid(error: unknown): Refused {
  const why = error instanceof Error ? error.message : String(error)
  return refused('verify-status-unknown', `nobody can say who it is: ${quote(why)}`, null)
}

function otherNow({ peer }: Admitted): Refused {
  return {
    admitted: false,
    code: 'identification-unfit',
    sentence: `the certificate speaks for ${peer.identity.id} now, and spoke for somebody else when the connection began`,
    told: 'not accepted by this hub; its operator can see why',
    certificate: peer.certificate,
  }
}
