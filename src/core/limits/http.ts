/** Requests over HTTP, and the API. */
export const httpLimits = {
  /** A request body on the admin API. */
  apiBodyBytesMax: 64 * 1024,
  /** All header fields of an HTTP request together. */
  httpHeaderBytesMax: 16 * 1024,
  /** Time for a whole HTTP request, headers and body. */
  httpRequestMs: 15_000,
  /** How often requests that are late are looked for. */
  httpLateEveryMs: 5_000,
  /** Open HTTP connections on each listener. */
  httpConnectionsMax: 4_096,
  /** Open HTTP connections from one address (IPv6: one /64) on each listener: a plant that enrols behind one NAT fits. */
  httpConnectionsPerAddressMax: 512,
  /** Failed authentications from one address in a minute; further failures are answered with 429, right secrets never. */
  authFailuresPerMinuteMax: 30,
  /** Addresses whose failures are remembered. */
  authFailureAddressesMax: 10_000,
  /** Requests of one API key that are open at one time: a script that runs away does not take the hub from the others. */
  requestsPerKeyMax: 256,
  /** API keys of a hub: people, scripts and stations, not devices. */
  apiKeysMax: 1_000,
  /** Groups of one role, since lists look into each of them. */
  groupsPerGrantMax: 32,
  /** Groups in which one person has a role, all roles together. */
  groupsReachedMax: 64,
  /** An idempotency key, which is visible ASCII. */
  idempotencyKeyCharsMax: 255,
  /** How long an answer is kept for its idempotency key, in seconds. */
  answersKeptSec: 86_400,
  /** Kept answers that are removed in one transaction; one of an import takes 30 KiB. */
  answersRemovedMax: 100,
  /** Rows on one page of a list. */
  pageRowsMax: 1_000,
  pageRowsDefault: 100,
  /** Rows that are looked at for one page when several filters are given; the page ends there and the next one goes on. */
  pageRowsReadMax: 5_000,
  /** A cursor of a list. */
  cursorCharsMax: 256,
  /** Attributes that one list may ask for. */
  attributeFiltersMax: 4,
} as const
