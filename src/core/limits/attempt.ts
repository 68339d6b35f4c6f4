/** The record of attempts. */
export const attemptLimits = {
  /** A session whose packets are denied again and again is an attempt that often for each kind of denial; all are counted. */
  denialSampledEveryMs: 60_000,
  /** Attempts kept in the registry; the oldest go first. */
  attemptsKeptMax: 100_000,
  /** Attempts that a device is told of when it asks: what it did last. */
  ownAttemptsMax: 20,
  /** Attempts of a device among which those with one certificate are looked for. */
  ownAttemptsReadMax: 200,
  /** Questions of one certificate about them at once, */
  ownAttemptsBurst: 10,
  /** and one more after that time: whoever looks for a fault asks by hand. */
  ownAttemptsEveryMs: 6_000,
  /** Certificates whose questions are counted, some 100 bytes each. */
  ownAttemptsAskersMax: 10_000,
  /** Characters of a subject or issuer that an attempt keeps of a stranger's certificate, which may be 16 KiB of name. */
  attemptNameCharsMax: 256,
  /** Attempts that wait to be written; past it they are counted, not kept. */
  attemptsWaitingMax: 10_000,
  /** Attempts written in a second, a flood of refusals must not starve the registry. */
  attemptsPerSecondMax: 2_000,
  /** Cases of identities kept in the registry: one for each cause on each listener. Those without a refusal for longest go first. */
  casesOfIdentitiesMax: 50_000,
  /** Cases of strangers, whose number is theirs to choose; so they push out each other and none of ours. */
  casesOfStrangersMax: 10_000,
  /** Identities with a cause and a listener that become cases in a second; the refusals of others are in the list of attempts alone. */
  casesOfIdentitiesPerSecondMax: 1_000,
  /** The same for strangers; what comes beyond is one case of others. */
  casesOfStrangersPerSecondMax: 200,
  /** Cases that wait to be written; past it new ones are not kept. */
  casesWaitingMax: 5_000,
  /** Certificates of strangers told apart from one network in a while: beyond, its refusals are one case of the network. */
  certificatesOfNetworkMax: 50,
  /** Certificates of strangers told apart in a while, from all networks. */
  certificatesToldApartMax: 10_000,
  /** How long that while is. */
  certificatesToldApartMs: 600_000,
  /** A case without refusals for so long is over: another refusal begins it anew. */
  caseQuietMs: 86_400_000,
  /** Refusals that are older count for no incident. A device that tries less often is counted when it tries. */
  incidentWindowMs: 900_000,
  /** Parties that one cause refuses on one listener before it is an incident. */
  incidentPartiesMin: 5,
  /** An incident stands until it has fewer: what comes and goes at the threshold is one. */
  incidentPartiesKept: 3,
  /** Incidents that stand at once: strangers can make them. Those with the most parties come first. */
  incidentsStandingMax: 100,
  /** Incidents that have ended and are kept. */
  incidentsEndedMax: 1_000,
  /** Parties that an incident names. */
  incidentExamplesMax: 5,
} as const
