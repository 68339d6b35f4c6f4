/** What the operator says of the broker behind the gate. */
import type { BrokerAddress } from './broker-address.ts'

/** Which broker it is, and how the gate is known to it. */
export interface BrokerSettings {
  /**
   * `automatic`: Mosquitto where it is installed, else the embedded one. `mosquitto`: one that the hub runs itself. Addresses: a
   * broker of the operator's; several are servers of one cluster.
   */
  readonly choice: 'automatic' | 'embedded' | 'mosquitto' | readonly BrokerAddress[]
  /** File with user name and password of the gate, one a line, absolute path; null where the broker asks for none. */
  readonly loginFile: string | null
  /** File with the CA certificates that the broker's certificate is judged by, absolute path; null for those of the system. */
  readonly caFile: string | null
  /** Files of the client certificate of the gate, absolute paths; null for none. */
  readonly tls: { readonly certificate: string; readonly key: string } | null
  /** `prefixed`: the identity stands in front of each client id. `own`: a client id goes on as it is, and must be the identity. */
  readonly clientIds: 'prefixed' | 'own'
}
