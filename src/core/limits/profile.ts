/** Profiles of certificates. */
export const profileLimits = {
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
} as const
