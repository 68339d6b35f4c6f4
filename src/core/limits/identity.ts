/** Identities, their names and attributes. */
export const identityLimits = {
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
  /** The longest name of an identity: a mailbox address. */
  identityNameCharsMax: 254,
  /** Profiles that one identity is granted. */
  identityProfilesMax: 32,
} as const
