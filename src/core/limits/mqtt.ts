/** MQTT at the gate: packets, sessions, and what waits for a client. */
export const mqttLimits = {
  /** Sessions of one gate. */
  sessionsMax: 100_000,
  /** Sessions of one identity at one time: a device and its tools, not a fleet that shares a certificate. */
  sessionsPerIdentityMax: 16,
  /**
   * Identities that change while connections are on their way to being known, a few seconds each: an import of a fleet fits. A
   * connection that has waited through more is sent away, and comes back.
   */
  missedIdentitiesMax: 50_000,
  /** Time from the end of the handshake to the whole CONNECT. */
  connectMs: 10_000,
  /** A CONNECT packet: client id, will and properties fit. */
  connectBytesMax: 4 * 1024,
  /** A client id, before the gate puts the identity in front of it. */
  clientIdBytesMax: 256,
  /** Any other packet. MQTT 5 clients are told as Maximum Packet Size. */
  packetBytesMax: 256 * 1024,
  /** Levels of a topic name or filter; the matcher behind the gate is linear in it. */
  topicLevelsMax: 32,
  topicBytesMax: 1_024,
  /** Filters in one SUBSCRIBE or UNSUBSCRIBE. */
  filtersPerPacketMax: 64,
  /** Subscriptions of one session. */
  subscriptionsPerSessionMax: 512,
  /** Wills that wait for their delay and are watched; beyond it the oldest is taken back. */
  delayedWillsMax: 10_000,
  /** Filters of some 100,000 sessions whose clients are away; of what does not fit, messages are judged in place of filters. */
  keptSessionsBytesMax: 64 * 1024 * 1024,
  /** Messages of QoS 1 and 2 of a client of MQTT 5 that wait for their acknowledgement. Clients are told as Receive Maximum. */
  receiveMaximum: 1_024,
  /** Topics for which a client of MQTT 5 may say a number. Clients are told as Topic Alias Maximum. */
  topicAliasesMax: 16,
  /** Bytes that wait for a client that does not read; past it the session is closed. */
  clientBufferBytesMax: 1024 * 1024,
  /** Time that a client may leave a full buffer unread: the broker holds its messages meanwhile. */
  clientStallMs: 30_000,
  /** Time for a farewell packet to leave before the socket is destroyed. */
  farewellMs: 1_000,
} as const
