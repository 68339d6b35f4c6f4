/** What a broker is probed with. */
import type { TopicName } from '../../core/mqtt/topic.ts'
import type { Secret } from '../../core/secret.ts'
import type { ClientPair } from './handshake.ts'

export interface ProbeOptions {
  /** Authorities that the devices trust, in PEM; null for those of the system. */
  readonly authorities: readonly string[] | null
  readonly systemAuthorities: readonly string[]
  readonly pair: ClientPair | null
  readonly username: string | null
  readonly password: Secret | null
  readonly topic: TopicName | null
  /** Null for a made up one. */
  readonly clientId: string | null
  readonly alpn: readonly string[]
  /** The name in the certificate, where it is another than the one that is dialled. */
  readonly serverName: string | null
  /** Time for each step. */
  readonly stepMs: number
  readonly nowSec: number
  /** Lower-case hexadecimal, for the client id that is made up. */
  readonly nonce: string
}
