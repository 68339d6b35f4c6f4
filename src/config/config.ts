import type { ListenerSettings } from '../core/listener/listener-settings.ts'
import type { Secret } from '../core/secret.ts'
import type { BrokerSettings } from '../core/upstream/broker-settings.ts'

/** What a hub is told at its start, validated as a whole. */
export interface HubConfig {
  /** Absolute path. */
  readonly dataDirectory: string
  /** Address that the three listeners bind to. */
  readonly host: string
  /** 0 picks a free port. */
  readonly mqttPort: number
  /** Listeners of the gate: the one of `mqttPort` first, then those of the file. */
  readonly listeners: readonly ListenerSettings[]
  readonly httpsPort: number
  readonly httpPort: number
  /** Name or address that devices use; null keeps the one of the first start, or this machine's name at the first. */
  readonly publicName: string | null
  /** SPIFFE trust domain, fixed at the first start; null means the public name then, later the one kept. */
  readonly realm: string | null
  /** Where to write the addresses once the hub serves; null for nowhere. */
  readonly readyFile: string | null
  /** An address of its own for the admin API over TLS; null for the unix socket alone. */
  readonly apiListen: { readonly host: string; readonly port: number } | null
  /** An address of its own where gates on other machines link themselves; null where none may. It needs PostgreSQL. */
  readonly gateLink: { readonly host: string; readonly port: number } | null
  /** An address of its own for metrics and health, over plain HTTP; null for none. */
  readonly metricsListen: { readonly host: string; readonly port: number } | null
  /** Files of a server certificate that the operator brings, absolute paths; null for none. */
  readonly tls: { readonly certificate: string; readonly key: string } | null
  /** Where the passphrase of the authority keys comes from; null for a generated key file in the data directory. */
  readonly passphrase: { readonly file: string } | { readonly value: Secret } | null
  /** Where the URL of a PostgreSQL database comes from; null for SQLite in the data directory. */
  readonly databaseUrl: { readonly file: string } | { readonly value: Secret } | null
  /** The folder of the journal, absolute. */
  readonly journal: string
  /** How long sessions live on while the registry cannot be asked, in minutes. */
  readonly registryGraceMinutes: number
  /** How long the journal is kept. */
  readonly journalDays: number
  /** Which broker stands behind the gate. */
  readonly broker: BrokerSettings
  /** What a client before MQTT 5 meets that publishes where it may not; MQTT 5 has an answer of its own. */
  readonly deniedPublish: 'close' | 'acknowledge'
  /** Where user properties of the hub's say under MQTT 5 who a client is: `messages` is in each of them too. */
  readonly brokerUserProperties: 'connections' | 'messages'
  /** Processes that serve the gate's listeners; with 1 that is the hub itself. */
  readonly gates: number
  /** Offer TLS session tickets. Resumed sessions are judged like new ones. */
  readonly sessionTickets: boolean
  readonly logLevel: 'debug' | 'info' | 'warn' | 'error' | 'silent'
}

/** What a gate on a machine of its own is told at its start. */
export interface GateConfig
  extends Pick<
    HubConfig,
    | 'dataDirectory'
    | 'listeners'
    | 'tls'
    | 'readyFile'
    | 'registryGraceMinutes'
    | 'deniedPublish'
    | 'brokerUserProperties'
    | 'sessionTickets'
    | 'logLevel'
  > {
  /** The gate link of its hub. */
  readonly hub: { readonly host: string; readonly port: number }
  /** Where the URL of the hub's database comes from, with a role that may read. */
  readonly databaseUrl: NonNullable<HubConfig['databaseUrl']>
  /** A file with the bootstrap string, needed at the first start; absolute path, or null. */
  readonly bootstrapFile: string | null
}
