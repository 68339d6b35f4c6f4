/** What has passed a gate since its start. Counted in place, because it happens more often than anything else in the hub. */
export class Traffic {
  /** TCP connections. */
  connectionsAccepted = 0
  /** Whole MQTT packets and bytes of sessions, from their CONNACK on. */
  packetsFromClients = 0
  bytesFromClients = 0
  packetsToClients = 0
  bytesToClients = 0
}
