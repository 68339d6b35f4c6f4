/**
 * Every limit of the hub, with its unit in its name and its reason beside it. docs/limits.md repeats them for operators;
 * a test holds the two together.
 */
import { policyLimits } from './policy/policy-limits.ts'

export const limits = {
  ...policyLimits,

  /** Length of an identity id: the longest common name that X.520 allows (ub-common-name). */
  identityIdCharsMax: 64,
  /** A group name, shown in lists and usable in a topic level. */
  groupCharsMax: 64,
  /** Attributes of one identity: enough for site, line and asset numbers, too few for a database. */
  attributesMax: 32,
  /** Letters, digits, "_" and "-". */
  attributeNameCharsMax: 64,
  /** Text without control characters and without + # /. */
  attributeValueCharsMax: 256,
  /** Names of one kind (DNS, IP, e-mail) that are written down for an identity. */
  identityNamesMax: 16,
  /** Names in one certificate: with the longest DNS names it still fits into `derBytesMax`, and microcontrollers hold it. */
  certificateNamesMax: 32,

  /** Profiles of an operator's own: as many as a person can tell apart. */
  profilesMax: 100,
  /** A profile's name, which stands in paths of EST, tokens and rows. */
  profileNameCharsMax: 32,
  profileDescriptionCharsMax: 200,
  /** Attributes of a subject: more are not shown by anything. */
  profileSubjectAttributesMax: 8,
  /** A pattern of a name in a profile. */
  profilePatternCharsMax: 256,
  /** Patterns of names of one kind, and domains or networks that names of an order must lie in. */
  profilePatternsMax: 16,
  /** Key usages and extended key usages of a profile. */
  profilePurposesMax: 16,
  /** Lifetimes of a profile in seconds: a handshake and a renewal fit into the shortest. The issuer's own end comes first. */
  profileLifetimeSecMin: 60,
  profileLifetimeSecMax: 20 * 366 * 86_400,
  /** How early a certificate may start: below a day, as CAs are held to (Boulder), since it tells an untrue time. */
  profileBackdateSecMax: 86_399,
  /** How long after its end a certificate may be renewed, and how long a new one may wait for its first use. */
  profileGraceSecMax: 366 * 86_400,

  /** A request body on the EST listener: a PKCS#10 with an RSA-4096 key takes 2 KiB in base64. */
  estBodyBytesMax: 16 * 1024,
  /** The name of a certificate in a question about its renewal: two parts of at most 20 octets in base64url, and room. */
  renewalCertificateIdCharsMax: 128,
  /** Credentials that one transaction of the renewal sweep ends; what is left waits for the next. */
  renewalSweepRows: 100,
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

  /** Requests of one token or one identity for certificates, at once: a lost answer and a poll or two, many times over. */
  enrolmentsAtOnceMax: 30,
  /** And then one in this time: a device that asks in a loop of 4 s is slowed down thirtyfold. */
  enrolmentEveryMs: 120_000,
  /** Tokens and identities whose requests are remembered for that. */
  enrolmentAskersMax: 50_000,
  /** How long a key waits for an operator's approval, and how long what was decided is good after it, in seconds. */
  enrolmentRequestWaitsSec: 7 * 86_400,
  /** Keys that wait for one identity at a time: its own, and a few mistakes. */
  enrolmentRequestsPerIdentityMax: 4,
  /** How long requests for approval are kept, decided or not, in seconds. */
  enrolmentRequestsKeptSec: 30 * 86_400,
  /** Requests for approval that are removed in one transaction. */
  enrolmentRequestsRemovedMax: 500,
  /** After what time a device that waits for approval asks again at first, while somebody may be standing beside it, in seconds. */
  enrolmentPollSoonSec: 15,
  /** For how long at first, in seconds: with the requests that a token has at once it is enough. */
  enrolmentPollSoonForSec: 300,
  /** After what time it asks later on, in seconds: as often as a token may. */
  enrolmentPollSec: 120,

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

  /** The body of a bulk import: 100,000 devices with a dozen attributes each. */
  importBodyBytesMax: 64 * 1024 * 1024,
  /** Time for that body to arrive: 64 MiB at 2 Mbit/s. */
  importRequestMs: 300_000,
  /** Devices in one import. */
  importRowsMax: 100_000,
  /** One row of an import, as it stands in the body: 32 attributes of full length in UTF-8 fit. */
  importRowBytesMax: 64 * 1024,
  /** Rows that are written in one transaction: short enough that nobody else waits for long. */
  importBatchRows: 100,
  /** Imports that run at one time, since each holds its body in memory. */
  importsAtOnceMax: 2,

  /** The longest name of an identity: a mailbox address. */
  identityNameCharsMax: 254,
  /** Profiles that one identity is granted. */
  identityProfilesMax: 32,
  /** The longest life of a certificate that an order can ask for, in seconds; profiles allow less. */
  orderLifetimeSecMax: 10 * 365 * 86_400,
  /** Extended key usages that an order can ask for. */
  orderPurposesMax: 16,
  /** How long the same order for the same key is answered with the same certificate, in seconds. */
  orderRepeatedSec: 600,
  /** A passphrase of a key file that an operator chose, in characters. */
  keyPassphraseCharsMin: 8,
  /** Beyond that a passphrase protects no better, and nobody types it. */
  keyPassphraseCharsMax: 64,
  /** A private key or a certificate of an authority in PEM, as it is sent: RSA-4096 takes 3,600. */
  keyFileCharsMax: 16_384,
  /** Rounds of PBKDF2 over a key file or each part of a modern PFX; .NET takes 600,000 in a whole file. */
  keyFileIterations: 100_000,
  /** Rounds in a compatible PFX: what OpenSSL has always written and everything reads. */
  compatiblePfxIterations: 2_048,
  /** Rounds in a file that is read: a few seconds of a small device. */
  keyFileIterationsMax: 5_000_000,
  /** A file of keys or certificates that is read: a PFX with a chain of RSA-4096 takes 8 KiB. */
  keyFileBytesMax: 64 * 1024,

  /** Certificates in the file of a server certificate that the operator brings: public chains have three or four. */
  broughtChainMax: 8,
  /** That file, and the file of its key: eight certificates with RSA-4096 keys take 20 KiB. */
  broughtFileBytesMax: 64 * 1024,
  /** How long before its end the log warns of a certificate that the operator brings, in seconds. */
  broughtEndsSoonSec: 14 * 86_400,

  /** Certificates in a path that is sent or looked for: an issuing authority, a root that another one certifies, and room. */
  certificatePathMax: 8,
  /** The name of a hierarchy of authorities. */
  chainNameCharsMax: 32,
  /** Roots that a device can tell in one request. */
  rootsKeptMax: 8,
  /** How often it is looked at whether a roll-over can go on. */
  rollOverLookMs: 60_000,
  /** Devices that are named when it is asked who is not known to trust a new root. */
  unknownDevicesShownMax: 100,

  /** Depth of nested DER from a stranger: a certificate needs 9. */
  derDepthMax: 16,
  /** A certificate or certificate request from a stranger, in DER. */
  derBytesMax: 16 * 1024,

  /**
   * Certificates that name one shard of an authority's CRL. Whatever is revoked, that CRL stays below 700 KiB, and a
   * revocation costs no more than making it anew.
   */
  crlShardCertificatesMax: 16_384,
  /** Places in a shard that a process takes at one time: what it has not used when it ends is lost. */
  crlPlacesTaken: 256,

  /** Contents of CRLs that are kept in memory to be served: ninety full shards, or one full CRL of a million certificates. */
  crlContentsKeptBytes: 64 * 1024 * 1024,

  /** An OCSP request: eight certificates, a nonce of 128 octets and the certificate of a client that signs fit. */
  ocspRequestBytesMax: 4 * 1024,
  /** Certificates in one OCSP request; RFC 9919 allows its clients one. Each costs a look at the registry. */
  ocspCertificatesMax: 8,
  /** Answers to OCSP requests that are kept, of 1.2 KiB each; those that were asked for least recently go first. */
  ocspAnswersKeptMax: 20_000,
  /** A nonce (RFC 9654 §2.1). */
  ocspNonceBytesMax: 128,
  /** Path of an OCSP request by GET, in characters: longer ones belong into a POST (RFC 6960 appendix A.1). */
  ocspGetCharsMax: 255,

  /** Time from TCP accept to the end of the TLS handshake; slow microcontrollers take 5 s with RSA. */
  tlsHandshakeMs: 20_000,
  /** Connections that are between accept and CONNECT at one time. */
  halfOpenConnectionsMax: 4_096,
  /**
   * The same for one IPv4 address, or one IPv6 network of 64 bits, that has failed too often. Others may have all of them: a
   * plant behind one address comes back at once.
   */
  halfOpenFailingMax: 16,
  /** Connections of one address that may come to nothing before it counts as failing. */
  connectFailuresMax: 200,
  /** After what time a failure is forgotten: three a second are a device or two that do not get in, and no flood. */
  connectFailureForgottenMs: 300,
  /** Addresses whose failures are remembered. */
  connectFailureSourcesMax: 50_000,
  /** A message of a WebSocket: several packets in one, the largest among them. */
  websocketMessageBytesMax: 1024 * 1024,
  /** Bytes that wait for a client that sends pings: past them it gets no answers. */
  websocketPongBytesMax: 16 * 1024,
  /** A PROXY header of version 2 with its extensions: load balancers send some hundred bytes. */
  proxyHeaderBytesMax: 2_048,
  /** A password that an operator brings; those that the hub makes have 24 characters of 6 bits. */
  passwordCharsMin: 12,
  passwordCharsMax: 128,
  /** Passwords of an identity that connect at one time: the one in use, and what follows it or went before it. */
  passwordsStandingMax: 2,
  /** Slow comparisons of passwords at one time: each takes a thread and 16 MiB. */
  passwordChecksAtOnceMax: 2,
  /** Passwords that wait for that: at 40 ms each what a device has patience for. */
  passwordChecksWaitingMax: 500,
  /** Of them from one address (64 bits of an IPv6 one), as long as nothing was right there: no stranger fills the queue alone. */
  passwordChecksOfSourceMax: 8,
  /** Right passwords that are known without the slow comparison, and where they were right. */
  passwordsRememberedMax: 100_000,
  /** Listeners of one gate: as many as a person keeps apart, and each is a port. */
  listenersMax: 32,
  /** The name of a listener, which stands in every attempt. */
  listenerNameCharsMax: 32,
  /** The pattern of an identification rule, in characters. */
  namePatternCharsMax: 256,
  /** Instructions that it is compiled to: with the text it bounds the work, a quarter of a million steps at most. */
  namePatternStepsMax: 1_000,
  /** Groups in groups. */
  namePatternDepthMax: 16,
  /** A name in a certificate that a pattern is held against, in code units. */
  certificateNameCharsMax: 256,
  /** Trust anchors of a hub: authorities of makers and plants, not of devices. */
  anchorsMax: 64,
  /** A CRL that is given for a trust anchor: some 500,000 revocations. */
  anchorCrlBytesMax: 24 * 1024 * 1024,
  /** A part of a CRL: authorities cut theirs so that each stays small, and there are many. */
  anchorCrlPartBytesMax: 1024 * 1024,
  /** Certificates above a trust anchor, up to its root. */
  anchorChainMax: 4,
  /** Authorities of a trust anchor that stand between it and devices: those of a maker with a factory for each product. */
  anchorsBelowMax: 32,
  /** CRLs of one trust anchor that are kept: one for each authority and, where they are in parts, for each part. */
  anchorCrlsMax: 256,
  /** Addresses of CRLs that an operator names for one trust anchor: one for each authority. */
  anchorCrlUrlsMax: 32,
  /** Addresses of CRLs that certificates of one trust anchor have named, and that are fetched from then on. */
  anchorCrlUrlsLearnedMax: 128,
  /** Hosts on private networks that certificates of one trust anchor may name. */
  anchorHostsMax: 16,
  /** The address of a CRL or of a responder, in characters: longer ones break caches and proxies. */
  statusUrlCharsMax: 1_024,
  /** Redirects that are followed to a CRL. */
  statusRedirectsMax: 3,
  /** The whole fetching of a CRL: 24 MiB in that time come over 7 Mbit/s. */
  crlFetchMs: 30_000,
  /** The question to a responder of somebody else, while a device waits for its CONNACK. */
  ocspQuestionMs: 5_000,
  /** How long a device waits for a CRL whose address its certificate was the first to name. */
  crlLearnWaitMs: 5_000,
  /** Questions to responders of others at one time, in each gate. */
  ocspQuestionsMax: 32,
  /** Certificates whose status by OCSP is kept in memory, in each gate: some 200 bytes each. */
  ocspWordsKeptMax: 100_000,
  /** For how long word of a responder counts that says nothing about it, and how long it is kept at the most: an hour. */
  ocspWordAgeSec: 3_600,
  /** Responders that did not answer and are remembered for that. */
  ocspRespondersMax: 256,
  /** How long a responder that did not answer is not asked again, and a certificate not asked about of which none knew. */
  ocspRetryMs: 10_000,
  /** An answer of a responder of somebody else, with a certificate or two. */
  ocspAnswerBytesMax: 64 * 1024,
  /** Certificates in it. */
  ocspAnswerCertificatesMax: 4,
  /** How far the clock of a responder may be ahead. */
  statusClockSkewSec: 300,
  /** Live sessions whose certificates are asked about again in one sweep. */
  ocspSweptMax: 2_000,
  /** How often is looked which CRLs are due to be fetched. */
  crlFetchLookMs: 30_000,
  /** Identities that certificates of trust anchors may register in a minute: a plant that comes on line, and no flood. */
  firstConnectionsPerMinuteMax: 600,

  /** Trust anchors, networks, origins or protocols that one listener lists. */
  listenerEntriesMax: 64,
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
  /** Bytes that a session may have on their way to the broker before the gate stops reading from it. */
  upstreamCreditBytes: 64 * 1024,
  /** Time for a farewell packet to leave before the socket is destroyed. */
  farewellMs: 1_000,
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

  /** Time from the plan of a certificate to its last write; a busy registry answers within seconds. */
  intentCompletedMs: 5 * 60_000,
  /** Age at which an intent that nobody completed is revoked: beyond the above, with the clocks of two processes apart. */
  intentLapsesMs: 10 * 60_000,
  /** How often they are looked for. */
  intentsSweptEveryMs: 60_000,

  /** A session whose packets are denied again and again is an attempt that often for each kind of denial; all are counted. */
  denialSampledEveryMs: 60_000,
  /** Attempts kept in the registry; the oldest go first. */
  attemptsKeptMax: 100_000,
  /** Characters of a subject or issuer that an attempt keeps of a stranger's certificate, which may be 16 KiB of name. */
  attemptNameCharsMax: 256,
  /** Attempts that wait to be written; past it they are counted, not kept. */
  attemptsWaitingMax: 10_000,
  /** Attempts written in a second, a flood of refusals must not starve the registry. */
  attemptsPerSecondMax: 2_000,

  /** Time in which lines of one message are counted together, so that no flood of refusals becomes one of log lines. */
  logWindowMs: 10_000,
  /** Log lines of one message in that time; what is over is counted, and the count is told. */
  logLinesMax: 20,
  /** The same for lines of the level debug, where somebody wants to see more. */
  logDebugLinesMax: 500,
  /** Revocations whose way to a target is timed at one time; what is over is applied and not timed. */
  revocationsTimedMax: 10_000,
  /** Time for which a count of the whole registry is good: on half a million certificates it takes 60 ms of CPU. */
  countsKeptMs: 60_000,
  /** Time for which an answer of `/metrics` or `/readyz` is good, so that asking often costs no more. */
  answerKeptMs: 1_000,
  /** Time for the registry to answer when figures or readiness are asked for; after it they go without. */
  figuresMs: 2_000,

  /** Rows on one page of a list. */
  pageRowsMax: 1_000,
  pageRowsDefault: 100,
  /** Rows that are looked at for one page when several filters are given; the page ends there and the next one goes on. */
  pageRowsReadMax: 5_000,
  /** A cursor of a list. */
  cursorCharsMax: 256,
  /** Attributes that one list may ask for. */
  attributeFiltersMax: 4,
  /** Rows that one statement for many takes. */
  bulkRowsMax: 1_000,
  /** Time for a connection to PostgreSQL to stand, waiting for a free one of the pool included. */
  databaseConnectMs: 5_000,
  /** Time for one statement there, waiting for other writers included, and for a transaction that says nothing. */
  databaseStatementMs: 15_000,
  /** How long reads and writes are tried again while PostgreSQL is away: a restart or a failover fits, a device's patience too. */
  databaseRetryMs: 10_000,
  /** Connections of a process that read. */
  databaseReadersMax: 8,
  /** Connections of all gates on other machines together: four of them, with a gate's readers and one that listens. */
  gateRoleConnections: 40,
  /** What may be asked for instead; more than any PostgreSQL gives. */
  gateRoleConnectionsMax: 10_000,
  /** Problems of one kind that a check of the registry tells; the rest are counted. */
  findingsPerRuleMax: 20,
  /** A line of a backup: the longest rows are answers to bulk imports. */
  backupLineCharsMax: 16 * 1024 * 1024,
  /** Rows of a snapshot that are in memory at one time: credentials take 1 KiB each. */
  snapshotRowsMax: 1_000,
  /** Units of work that share one transaction. */
  transactionUnitsMax: 256,
  /** Units of work that wait for a transaction. */
  transactionsWaitingMax: 20_000,

  /** Entries of the journal that are written and synced together, 1 MiB of them at most. */
  journalGroupMax: 500,
  /** A file of the journal is read whole; past this length another is begun. */
  journalSegmentBytesMax: 16 * 1024 * 1024,

  /** Gate processes of a hub: more than the cores of a machine bring nothing. */
  gatesMax: 64,
  /** Time for a gate process to load and serve. */
  gateStartMs: 30_000,
  /** Pause before a gate process that has ended is started again; it doubles up to the longest until one has lived a while. */
  gateRestartMs: 100,
  gateRestartMsMax: 5_000,
  gateLivedMs: 30_000,
  /** Time for the hub to write the first use of a credential that a gate process tells of. */
  gateConfirmMs: 15_000,
  /** How often a gate process tells its figures. */
  gateFiguresMs: 500,

  /** Connections of one gate to the broker of its hub: its sessions, and those that are about to be. */
  sharedConnectionsMax: 110_000,
  /** Bytes of a connection that the hub has not passed on: more than a gate sends that heeds its credit, with the largest packet. */
  sharedOwedBytesMax: 1024 * 1024,
  /** A frame between a gate and its hub: consecutive packets of a connection that were joined, with the largest packet. */
  sharedFrameBytesMax: 1024 * 1024,
  /** What may be on its way to one gate before the broker is asked to wait; each session may have its credit beyond it. */
  sharedWaitingBytesMax: 8 * 1024 * 1024,

  /** Time that SIGTERM gives live sessions and requests. */
  drainMs: 3_000,
} as const
