/** Gate processes, and what they have on their way to the broker of the hub. */
export const gatesLimits = {
  /** Gate processes of a hub: more than the cores of a machine bring nothing. */
  gatesMax: 64,
  /** Time for a gate process to load and serve. */
  gateStartMs: 30_000,
  /** Pause before a gate process that has ended is started again; it doubles up to the longest until one has lived a while. */
  gateRestartMs: 100,
  gateRestartMsMax: 5_000,
  gateLivedMs: 30_000,
  /** Time for the hub to write the first use of a credential that a gate process tells of. */
  gateConfirmMs: 15_000,
  /** How often a gate process tells its figures. */
  gateFiguresMs: 500,
  /** Connections of one gate to the broker of its hub: its sessions, and those that are about to be. */
  sharedConnectionsMax: 110_000,
  /** Bytes of a connection that the hub has not passed on: more than a gate sends that heeds its credit, with the largest packet. */
  sharedOwedBytesMax: 1024 * 1024,
  /** A frame between a gate and its hub: consecutive packets of a connection that were joined, with the largest packet. */
  sharedFrameBytesMax: 1024 * 1024,
  /** What may be on its way to one gate before the broker is asked to wait; each session may have its credit beyond it. */
  sharedWaitingBytesMax: 8 * 1024 * 1024,
  /** Time that SIGTERM gives live sessions and requests. */
  drainMs: 3_000,
} as const
