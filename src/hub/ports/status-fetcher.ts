/** Fetching CRLs, and asking OCSP responders, at addresses on the network. */

export interface StatusRequest {
  /** http or https. */
  readonly url: string
  /** What is posted to a responder, DER; null to fetch a CRL. */
  readonly question: Uint8Array | null
  /** Of the answer. */
  readonly bytesMax: number
  /** For all of it, redirects and names included. */
  readonly timeMs: number
  /** Hosts that the operator has named: they may be anywhere, all others on the public internet alone. */
  readonly hosts: ReadonlySet<string>
  /** Ends it before its time is over. */
  readonly signal?: AbortSignal
}

export interface StatusFetcher {
  /** @returns the body of the answer @throws HubError `status-fetch-failed`, with the reason */
  fetch(request: StatusRequest): Promise<Uint8Array>
}
