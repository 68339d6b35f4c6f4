/** The broker behind the gate. */
export const brokerLimits = {
  /** Bytes that a session may have on their way to the broker before the gate stops reading from it. */
  upstreamCreditBytes: 64 * 1024,
  /** Time for the broker to answer a CONNECT. */
  upstreamConnectMs: 5_000,
  /** How often a broker that is not embedded is asked whether it still answers. One that has not by the next time counts as gone. */
  upstreamPingMs: 5_000,
  /** First wait before a broker that is gone is tried again; it doubles. */
  upstreamRetryMs: 200,
  /** The longest such wait: devices that come back meet a broker that is back hardly later. */
  upstreamRetryMsMax: 10_000,
  /** Servers of one cluster that are tried. */
  brokerAddressesMax: 16,
  /** User name, password or CA certificates of the broker. */
  brokerFileBytesMax: 1024 * 1024,
  /** Time for a Mosquitto that the hub runs to serve; it reads what it has kept first. */
  managedBrokerStartMs: 15_000,
  /** Time for it to write what it keeps, when the hub stops. */
  managedBrokerStopMs: 10_000,
  /** How often it writes what it keeps: what a power cut can take. */
  managedBrokerSaveSec: 30,
  /** Messages of QoS 1 and 2 that it holds for one client that is away or slow. */
  managedBrokerQueuedMax: 10_000,
  /** The same in bytes. */
  managedBrokerQueuedBytesMax: 16 * 1024 * 1024,
  /** Messages of QoS 1 and 2 that it sends to one client before the first is acknowledged. */
  managedBrokerInFlightMax: 1_024,
  /** How long it keeps the session of a client that does not come back. */
  managedBrokerSessionDays: 60,
} as const
