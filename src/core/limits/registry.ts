/** The registry: its database, its transactions, its backups and its journal. */
export const registryLimits = {
  /** Rows that one statement for many takes. */
  bulkRowsMax: 1_000,
  /** Time for a connection to PostgreSQL to stand, waiting for a free one of the pool included. */
  databaseConnectMs: 5_000,
  /** Time for one statement there, waiting for other writers included, and for a transaction that says nothing. */
  databaseStatementMs: 15_000,
  /** How long reads and writes are tried again while PostgreSQL is away: a restart or a failover fits, a device's patience too. */
  databaseRetryMs: 10_000,
  /** Connections of a process that read. */
  databaseReadersMax: 8,
  /** Connections of all gates on other machines together: four of them, with a gate's readers and one that listens. */
  gateRoleConnections: 40,
  /** What may be asked for instead; more than any PostgreSQL gives. */
  gateRoleConnectionsMax: 10_000,
  /** A line of a backup: the longest rows are answers to bulk imports. */
  backupLineCharsMax: 16 * 1024 * 1024,
  /** Rows of a snapshot that are in memory at one time: credentials take 1 KiB each. */
  snapshotRowsMax: 1_000,
  /** Units of work that share one transaction. */
  transactionUnitsMax: 256,
  /** Units of work that wait for a transaction. */
  transactionsWaitingMax: 20_000,
  /** Entries of the journal that are written and synced together, 1 MiB of them at most. */
  journalGroupMax: 500,
  /** A file of the journal is read whole; past this length another is begun. */
  journalSegmentBytesMax: 16 * 1024 * 1024,
} as const
