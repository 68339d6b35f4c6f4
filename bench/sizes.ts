/** How much is measured. */
export interface Sizes {
  /** Measured rounds of each side, after one that is thrown away. */
  readonly rounds: number
  readonly connectsPerRound: number
  /** Messages of a round that go in batches, at QoS 0 and 1. */
  readonly batchedQos0: number
  readonly batchedQos1: number
  /** Messages of a round that go one at a time. */
  readonly single: number
  /** Statements of a policy, those of them that apply to one subject, and topics that it asks about. */
  readonly statements: number
  readonly applicableStatements: number
  readonly decidedTopics: number
  readonly idleConnections: number
  readonly memoryRounds: number
  readonly liveSessionsMin: number
  readonly revocationsPerRound: number
  /** Sessions across two gates when devices are revoked there. */
  readonly gateSessionsMin: number
  /** Devices in the registry when it is asked. */
  readonly registeredDevices: number
  readonly registrationsPerRound: number
  /** Devices in one import. */
  readonly importedPerRound: number
  /** Pages of 100 devices; those of 1,000 are a tenth as many. */
  readonly pagesPerRound: number
  readonly devicesShownPerRound: number
  /** Runs of the command, each a process of its own. */
  readonly commandsPerRound: number
  readonly enrolmentsPerRound: number
  /** Certificates issued in process. */
  readonly issuancesPerRound: number
  /** Certificates that OCSP is asked about. */
  readonly ocspCertificates: number
  readonly ocspPerRound: number
  /** How much a hub has issued that is started, and how much is revoked where one more is. */
  readonly issuedFew: number
  readonly issuedMany: number
  readonly revokedFew: number
  readonly revokedMany: number
  readonly revokedMost: number
  /** Milliseconds after which the run is given up. */
  readonly deadlineMs: number
}

export const fullSizes: Sizes = {
  rounds: 9,
  connectsPerRound: 1_000,
  batchedQos0: 200_000,
  batchedQos1: 20_000,
  single: 20_000,
  statements: 10_000,
  applicableStatements: 100,
  decidedTopics: 100_000,
  idleConnections: 10_000,
  memoryRounds: 3,
  liveSessionsMin: 1_000,
  revocationsPerRound: 50,
  gateSessionsMin: 10_000,
  registeredDevices: 100_000,
  registrationsPerRound: 1_000,
  importedPerRound: 5_000,
  pagesPerRound: 500,
  devicesShownPerRound: 2_000,
  commandsPerRound: 10,
  enrolmentsPerRound: 1_000,
  issuancesPerRound: 3_000,
  ocspCertificates: 10_000,
  ocspPerRound: 20_000,
  issuedFew: 10_000,
  issuedMany: 1_000_000,
  revokedFew: 1_000,
  revokedMany: 100_000,
  revokedMost: 1_000_000,
  deadlineMs: 60 * 60_000,
}

export const quickSizes: Sizes = {
  rounds: 2,
  connectsPerRound: 200,
  batchedQos0: 20_000,
  batchedQos1: 1_000,
  single: 5_000,
  statements: 10_000,
  applicableStatements: 100,
  decidedTopics: 20_000,
  idleConnections: 400,
  memoryRounds: 1,
  liveSessionsMin: 120,
  revocationsPerRound: 20,
  gateSessionsMin: 400,
  registeredDevices: 5_000,
  registrationsPerRound: 200,
  importedPerRound: 1_000,
  pagesPerRound: 50,
  devicesShownPerRound: 200,
  commandsPerRound: 2,
  enrolmentsPerRound: 200,
  issuancesPerRound: 1_000,
  ocspCertificates: 1_000,
  ocspPerRound: 4_000,
  issuedFew: 1_000,
  issuedMany: 20_000,
  revokedFew: 100,
  revokedMany: 1_000,
  revokedMost: 20_000,
  deadlineMs: 10 * 60_000,
}

/** As many rounds of everything, of memory a third; the deadline moves along. */
export function withRounds(sizes: Sizes, rounds: number): Sizes {
  const deadlineMs = Math.ceil(sizes.deadlineMs * Math.max(1, rounds / sizes.rounds))
  return { ...sizes, rounds, memoryRounds: Math.ceil(rounds / 3), deadlineMs }
}

/** Sessions that are live before the first revocation: whatever the rounds, half of them or more stay, and must. */
export function liveSessions(sizes: Sizes): number {
  return Math.max(sizes.liveSessionsMin, 2 * sizes.rounds * sizes.revocationsPerRound)
}

/** Sessions of one device in the rows that hold more of them than there are devices: half of what an identity may have. */
export const sessionsPerDevice = 8

/** Devices with sessions across two gates; half of them or more stay. */
export function gateDevices(sizes: Sizes): number {
  return Math.max(Math.ceil(sizes.gateSessionsMin / sessionsPerDevice), 2 * sizes.rounds * sizes.revocationsPerRound)
}
