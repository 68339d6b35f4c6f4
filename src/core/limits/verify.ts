/** Servers of others that judge certificates, and what the hub does for them. */
export const verifyLimits = {
  /** Authorities that one server takes clients of: those of a hub around a change, and those of makers. */
  verifyAuthoritiesMax: 64,
  /** How old the word of the hub may be on which a server of others relies, where its operator says nothing else. */
  verifyStaleSecDefault: 300,
  /** The least that may be chosen: a question to the hub fits, and its answer, */
  verifyStaleSecMin: 5,
  /** and the most: a day, after which nobody speaks of revocation any more. */
  verifyStaleSecMax: 86_400,
  /** How long the hub holds a question for changes when there are none: NAT and proxies drop what is silent for a minute. */
  verifyPollSecMax: 20,
  /** Servers that wait for changes at one hub process: each holds a connection. */
  verifyPollsMax: 512,
  /** Questions for changes of one service at one time: its processes, and those that are just being replaced. */
  verifyPollsOfServiceMax: 32,
  /** Changes that the hub remembers for servers that were away for a moment; who was away for longer asks everything anew. */
  verifyChangesKept: 10_000,
  /** Identities that one answer about changes names; where there are more, everything may have changed. */
  verifyChangedMax: 1_000,
  /** Questions of one service in a second, with as many at once: 64 certificates each, they are those of a fleet that comes back. */
  verifyQuestionsPerSecondMax: 200,
  /** Certificates in one question: their fingerprints fit into the first line of a request. */
  verifyAskedMax: 64,
  /** An answer of the hub to a server: 64 identities with all their attributes, a thousand ids, or a policy file in JSON. */
  verifyAnswerBytesMax: 6 * 1024 * 1024,
  /** One question to the hub, while a client waits. */
  verifyQuestionMs: 5_000,
  /** Questions to the hub at one time; certificates that are to be asked about wait for their turn, */
  verifyQuestionsMax: 4,
  /** so many of them: all that are known fit when everything has changed, and a flood of clients does not become one of memory. */
  verifyWaitingMax: 40_000,
  /** What a server keeps of certificates that it has asked about, some 1 KiB each. */
  verifyAnswersKept: 20_000,
  /** How often a server asks again that its hub did not answer, from the first to the last wait. */
  verifyRetryMsMin: 500,
  verifyRetryMsMax: 15_000,
  /** How often a server looks whether the connections that it watches may stay. */
  verifyLookMs: 5_000,
  /** How often a CRL is read or fetched again, where its operator says nothing else, and the least that may be chosen. */
  verifyCrlSecDefault: 60,
  verifyCrlSecMin: 5,
  /** Files and addresses of CRLs: one for each authority, or its parts. */
  verifyCrlPlacesMax: 256,
  /** How long the word of an OCSP responder counts at the most, whatever it says itself: a revocation bites after that. */
  verifyOcspKeptSec: 60,
  /**
   * How long a question to a responder waits for its turn: a client waits for it, and connections that are watched are looked at again
   * only after it.
   */
  verifyOcspWaitMs: 10_000,
} as const
