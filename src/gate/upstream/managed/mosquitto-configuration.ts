/** What the hub has a Mosquitto of its own do, as the lines of its configuration. */
import { limits } from '../../../core/limits.ts'

export interface MosquittoPlaces {
  /** The unix socket that it listens on; the folder around it keeps others away. */
  readonly socket: string
  /** The folder, absolute, in which it keeps sessions, waiting and retained messages. */
  readonly folder: string
  /** The user that it runs as; as root it would become another, who may not write there. */
  readonly user: string
}

/** Room for what the gate adds to a packet on its way: the identity. */
const ADDED_BYTES_MAX = 4 * 1024

/**
 * The configuration. Whoever can open the socket may do everything, which are the gate and nobody else: the gate has judged
 * who a client is and what it may do.
 */
export function mosquittoConfiguration({ socket, folder, user }: MosquittoPlaces): string {
  const lines = [
    '# Written by Handfast at each start; changes here are lost.',
    `user ${user}`,
    `listener 0 ${socket}`,
    'allow_anonymous true',
    'persistence true',
    `persistence_location ${folder}/`,
    'persistence_file mosquitto.db',
    `autosave_interval ${limits.managedBrokerSaveSec}`,
    `persistent_client_expiration ${limits.managedBrokerSessionDays}d`,
    `max_packet_size ${limits.packetBytesMax + ADDED_BYTES_MAX}`,
    `max_inflight_messages ${limits.managedBrokerInFlightMax}`,
    `max_queued_messages ${limits.managedBrokerQueuedMax}`,
    `max_queued_bytes ${limits.managedBrokerQueuedBytesMax}`,
    'connection_messages false',
    'log_dest stderr',
    'log_timestamp false',
    'log_type error',
    'log_type warning',
  ]
  return `${lines.join('\n')}\n`
}
