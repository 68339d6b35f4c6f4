/** Bulk imports of devices. */
export const importLimits = {
  /** The body of a bulk import: 100,000 devices with a dozen attributes each. */
  importBodyBytesMax: 64 * 1024 * 1024,
  /** Time for that body to arrive: 64 MiB at 2 Mbit/s. */
  importRequestMs: 300_000,
  /** Devices in one import. */
  importRowsMax: 100_000,
  /** One row of an import, as it stands in the body: 32 attributes of full length in UTF-8 fit. */
  importRowBytesMax: 64 * 1024,
  /** Rows that are written in one transaction: short enough that nobody else waits for long. */
  importBatchRows: 100,
  /** Imports that run at one time, since each holds its body in memory. */
  importsAtOnceMax: 2,
} as const
