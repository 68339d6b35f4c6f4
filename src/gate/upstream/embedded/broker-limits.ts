/** What the embedded broker holds at most. All of it is in memory and ends with the broker's thread. */
import { limits } from '../../../core/limits.ts'

export const brokerLimits = {
  /**
   * Bytes for one client that wait in the broker. Past it the clients that publish to that client wait with it, nobody
   * else; QoS 0 messages are dropped at four times of it.
   */
  clientWaitingBytesMax: limits.clientBufferBytesMax,
  /** A client that has not taken all that waits for it in this time is cut off, so that others need not wait for it. */
  clientDrainMs: 2_000,
  /** Messages queued for a session whose client is away; newer ones are dropped. Mosquitto keeps as many. */
  awayMessagesMax: 1_000,
  /** Messages of QoS 1 and 2 on their way to a client that is there; past it the client is cut off and is away. */
  presentMessagesMax: 10_000,
  /**
   * Messages of QoS 1 and 2 that a client has been sent and has not acknowledged; further ones wait. MQTT 5 clients may ask
   * for fewer. It keeps a link of 100 ms busy at 10,000 messages a second.
   */
  unacknowledgedMessagesMax: 1_000,
  /** Messages of QoS 2 from a client that it has not released. MQTT 5 clients are told as Receive Maximum. */
  unreleasedMessagesMax: 10_000,
  /** Bytes of messages in all queues, properties and overhead included. */
  queuedBytesMax: 128 * 1024 * 1024,
  /** The same for the sessions of one identity, so that none takes the room of others. */
  queuedBytesPerIdentityMax: 8 * 1024 * 1024,
  /** Retained messages, and their bytes; further topics are not retained, known ones are replaced. */
  retainedMessagesMax: 100_000,
  retainedBytesMax: 64 * 1024 * 1024,
  /** The same for what one identity has published: state of a device, not an archive. */
  retainedPerIdentityMax: 1_000,
  retainedBytesPerIdentityMax: 4 * 1024 * 1024,
  /** Sessions of one identity, served or waiting for their client; one more ends with its connection. */
  sessionsPerIdentityMax: 64,
  /** Sessions whose client is away; past it a session ends with its connection. */
  awaySessionsMax: 100_000,
  /** Longest time that a session waits for its client to come back, in seconds: a week. MQTT 5 clients are told. */
  sessionExpirySecMax: 7 * 24 * 3_600,
  /** JavaScript heap of the broker's thread; payloads lie outside it and have their limits above. */
  heapMebibytesMax: 1_024,
  /** Of that for what is new. V8 would take four times as much, keep it, and be no faster here. */
  youngHeapMebibytesMax: 12,
  /**
   * Part of the heap at which the thread ends itself. V8 collects garbage at the latest half-way between what lives and its
   * limit, so this much in use means that four fifths of it live.
   */
  heapShareMax: 0.9,
  /** Sign of life that the thread gives, and how often the gate looks for one. */
  beatMs: 100,
  heartbeatMs: 300,
  /** Looks without a sign of life before the thread is ended: a busy broker is not a dead one, and its end loses sessions. */
  silentHeartbeatsMax: 10,
  /** Time for the thread to load and serve. */
  startMs: 15_000,
  /** Pause before the thread is started again; it doubles up to the longest until a thread has lived for a while. */
  restartMs: 50,
  restartMsMax: 5_000,
  livedMs: 30_000,
} as const
