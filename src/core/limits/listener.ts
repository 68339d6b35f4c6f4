/** Listeners of the gate, up to the end of the TLS handshake. */
export const listenerLimits = {
  /** Time from TCP accept to the end of the TLS handshake; slow microcontrollers take 5 s with RSA. */
  tlsHandshakeMs: 20_000,
  /** Bytes of a ClientHello that are read to say why a handshake failed; with keys against quantum computers they have two thousand. */
  clientHelloBytesMax: 16 * 1024,
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
  /** Certificates whose sessions are taken over between addresses, as many as are remembered. */
  contestedCertificatesMax: 10_000,
  /** After what time such a takeover is forgotten: clones put each other out within seconds, a lorry changes its network in hours. */
  contestForgottenMs: 10 * 60_000,
  /** A message of a WebSocket: several packets in one, the largest among them. */
  websocketMessageBytesMax: 1024 * 1024,
  /** Bytes that wait for a client that sends pings: past them it gets no answers. */
  websocketPongBytesMax: 16 * 1024,
  /** A PROXY header of version 2 with its extensions: load balancers send some hundred bytes. */
  proxyHeaderBytesMax: 2_048,
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
  /** Trust anchors, networks, origins or protocols that one listener lists. */
  listenerEntriesMax: 64,
} as const
