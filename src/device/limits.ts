/** Limits of the device side, with unit and reason. They are apart from the hub's: a device trusts its hub no further. */
export const deviceLimits = {
  /** Time for name, TCP and TLS of one connection: a loaded hub and a radio link with losses fit. */
  connectMs: 20_000,
  /** What was written last is given so long to leave. */
  closeMs: 2_000,
  /** Time from a request to the whole answer: the hub signs and syncs to disk in between. */
  answerMs: 30_000,
  /** An EST answer: three certificates with RSA-4096 keys take 8 KiB in base64. */
  answerBytesMax: 64 * 1024,
  /** Certificates in one EST answer. */
  certificatesMax: 16,
  /** Certificates between the device's own and the root. */
  intermediatesMax: 3,
  /** How long a device asks on while an operator has not decided: as long as a hub keeps the question. */
  approvalWaitMs: 7 * 86_400_000,
  /** Seconds between two such requests, whatever the hub says: it is not asked in a loop, */
  approvalPollSecMin: 5,
  /** and an approval is noticed within the hour. */
  approvalPollSecMax: 3_600,
  /** Between two tries to renew, where the life is long enough for it: a hub that refuses is not asked in a loop. */
  renewalRetryMsMin: 60_000,
  /** The agent looks at clock and certificate at least as often: a clock that is set must not be noticed months later. */
  agentLookMsMax: 3_600_000,
  /** A command of a hook; a service that restarts slowly fits. */
  hookMs: 120_000,
  /** What is kept of what a hook printed, in characters. */
  hookTextCharsMax: 2_000,
  /** A program that reaches a key; a slow chip makes an RSA signature in seconds, and somebody may have to touch the token. */
  keyProgramMs: 60_000,
  /** What such a program prints: a public key of RSA-4096 in PEM takes 800 bytes. */
  keyProgramBytesMax: 16 * 1024,
  /** What says where a key is: a PKCS#11 URI with every attribute fits. */
  keyPlaceCharsMax: 1_024,
  /** Roots that a device keeps at one time: two of each chain while one is changed. */
  rootsMax: 8,
  /** Hosts, or patterns of them, that are shown the certificate: a device talks to a hub or two. */
  attachHostsMax: 64,
  /** Connections through the local proxy at one time, where its operator says nothing else: the programs of one device. */
  proxyConnectionsDefault: 256,
  /** What an operator may choose at most: each takes two file descriptors and some 100 KiB. */
  proxyConnectionsMax: 4_096,
  /** Addresses on which one proxy listens. */
  proxyAddressesMax: 8,
  /** Time in which a program says what it speaks, when it is to be told that there is no connection. */
  proxyHelloMs: 5_000,
  /** How long an answer is held back after the first failure; it doubles with each further one, */
  proxyHoldMs: 100,
  /** up to this: a program that tries again at once does not wear out the hub, and one that waits notices nothing. */
  proxyHoldMsMax: 5_000,
  /** Silence after which a connection is closed of which one side has ended. */
  proxyLingerMs: 30_000,
  /** Silence after which the other end of a connection is asked whether it is still there. */
  proxyKeepAliveMs: 60_000,
  /** A CONNACK or DISCONNECT that is looked into; a Reason String of a hub stays below 1 KiB. */
  proxyWordBytesMax: 4_096,
  /** A file in the credential folder. */
  fileBytesMax: 64 * 1024,
  /** The kept time is written again when it is so much behind: a flash memory bears some 10,000 writes of a block. */
  goodTimeStepMs: 3_600_000,
  /** Who watches a store looks by himself as often, where the system tells of no change. */
  storeLookMs: 10_000,
  /** A bootstrap string: the longest host name, id and token together stay below 600. */
  bootstrapCharsMax: 2_048,
  /** What an answer may say in an error message, in characters. */
  toldCharsMax: 500,
} as const
