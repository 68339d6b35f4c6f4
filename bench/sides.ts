/** What can stand beside what. */

/**
 * `handfast` is the hub on SQLite with its embedded broker; `handfast-managed` has a Mosquitto behind it that it runs itself,
 * `handfast-gates` two gate processes. `node-tls` is a server on Node that does nothing beside TLS.
 */
export const sideNames = [
  'handfast',
  'handfast-managed',
  'handfast-gates',
  'handfast-postgresql',
  'mosquitto',
  'mosquitto-openssl',
  'cfssl',
  'cfssl-newer',
  'openssl-ocsp',
  'node-tls',
] as const
export type SideName = (typeof sideNames)[number]

/** How tables call the sides. */
export const sideTitles: Readonly<Record<SideName, string>> = {
  handfast: 'Handfast',
  'handfast-managed': 'Handfast with its Mosquitto',
  'handfast-gates': 'Handfast with two gates',
  'handfast-postgresql': 'Handfast on PostgreSQL',
  mosquitto: 'Mosquitto',
  'mosquitto-openssl': `Mosquitto, OpenSSL ${process.versions.openssl.split('.').slice(0, 2).join('.')}`,
  cfssl: 'cfssl',
  'cfssl-newer': 'cfssl, newer',
  'openssl-ocsp': 'openssl ocsp',
  'node-tls': 'TLS on Node alone',
}

/** Something whose cost is measured: the processes that were started for it, with all their threads and children. */
export interface Side {
  readonly name: SideName
  readonly pids: readonly number[]
  stop(): Promise<void>
}

/** Where the load goes. */
export interface Target {
  readonly host: string
  readonly port: number
}

/** Something that speaks MQTT over TLS. */
export interface Broker extends Side {
  readonly mqtt: Target
}
