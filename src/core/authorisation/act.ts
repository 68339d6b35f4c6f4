/**
 * The closed list of what can be done through the admin API, and who may. Every operation names one of these acts, so that
 * nothing is served that nobody has thought about.
 *
 * How to choose for a new operation: take the act whose sentence fits. Is there none, add one here, and name only the roles
 * that need it: an admin may do everything, and whoever is not named may not.
 */
import type { Role } from './role.ts'

export interface ActRule {
  /**
   * What it is done to. `identity`: a device or a service, of which owners and requesters reach those of their groups; `access`:
   * a role that somebody has or gets, of which nobody reaches more than less of their own; `hub`: what belongs to no group.
   */
  readonly subject: 'identity' | 'access' | 'hub'
  /** Who may beside an admin. `registering`: requesters whose grant says that they may register. */
  readonly roles: readonly (Exclude<Role, 'admin'> | 'registering')[]
}

function act(subject: ActRule['subject'], ...roles: ActRule['roles']): ActRule {
  return { subject, roles }
}

const rules = {
  /** Seeing devices and their certificates. */
  'device.read': act('identity', 'owner', 'requester', 'auditor'),
  /** A new device in a group. Its profiles and names are those of its kind: others are `profile.grant`. */
  'device.register': act('identity', 'owner', 'registering'),
  /** Group and attributes. */
  'device.edit': act('identity', 'owner'),
  /** Asking for a right to enrol: a token. */
  'device.request': act('identity', 'owner', 'requester'),
  /** Letting in what waits for approval: never whoever asked for it. */
  'device.approve': act('identity', 'owner'),
  /** Passwords, for clients without a certificate: that they are there, and giving and ending them. */
  'password.read': act('identity', 'owner', 'auditor'),
  'password.change': act('identity', 'owner'),
  /** Calling devices to renew. */
  'device.renew': act('identity', 'owner'),
  /** Disabling and enabling. */
  'device.control': act('identity', 'owner'),
  'device.retire': act('identity', 'owner'),
  'device.revoke': act('identity', 'owner'),
  /** After a restore: taking what the journal gave back. */
  'device.adopt': act('hub'),
  'adoption.read': act('hub', 'auditor'),

  /** Seeing certificates of devices and services. */
  'certificate.read': act('identity', 'owner', 'requester', 'auditor'),
  /** A certificate for an identity that is there, with the profiles and names that the registry grants it. */
  'certificate.issue': act('identity', 'owner', 'requester'),
  'certificate.revoke': act('identity', 'owner'),
  /** Out of quarantine. */
  'certificate.release': act('identity', 'owner'),

  /** Registering services and changing them: their names are what others trust. */
  'service.change': act('hub'),
  /** Registering people, their certificates, and ending both. */
  'user.change': act('hub'),
  /** People and services as the registry holds them. */
  'user.read': act('hub', 'auditor'),

  /** Which certificates that a device made itself speak for it: certificates are public, and whoever pins one takes its device. */
  'pin.change': act('hub'),

  /** Authorities of others whose certificates are taken. */
  'anchor.read': act('hub', 'owner', 'auditor'),
  'anchor.change': act('hub'),

  /** The versions of the policy, and what it decides. */
  'policy.read': act('hub', 'owner', 'auditor'),
  /** What the policy that is tried would decide otherwise, with the identities that it is about. */
  'shadow.read': act('hub', 'auditor'),
  /** What everybody may do with topics. */
  'policy.change': act('hub'),

  'profile.read': act('hub', 'owner', 'requester', 'auditor'),
  'profile.change': act('hub'),
  /** Which profiles and names an identity has: what its certificates may say. */
  'profile.grant': act('hub'),
  'authority.read': act('hub', 'owner', 'requester', 'auditor'),
  /** Roll-over, other roots, keys of authorities, CRLs on demand. */
  'authority.change': act('hub'),

  /** Who tried to connect: owners see what their devices did. */
  'attempt.read': act('identity', 'owner', 'auditor'),
  /** What keeps several from connecting at once: its numbers are about all groups. */
  'incident.read': act('hub', 'auditor'),
  /** The audit log is one chain: it is seen whole or not at all. */
  'audit.read': act('hub', 'auditor'),
  /** Names and addresses of the hub. */
  'hub.read': act('hub', 'owner', 'requester', 'auditor'),
  /** Who one is oneself. */
  'caller.read': act('hub', 'owner', 'requester', 'auditor'),

  /** API keys and roles of people. */
  'access.read': act('access', 'owner', 'auditor'),
  'key.add': act('access', 'owner'),
  'key.remove': act('access', 'owner'),
  'role.grant': act('access', 'owner'),
  'role.withdraw': act('access', 'owner'),
} as const satisfies Record<string, ActRule>

/** The name of an act. */
export type Act = keyof typeof rules

/** Every act by name. */
export const acts: Readonly<Record<Act, ActRule>> = rules

export const actNames: readonly Act[] = Object.keys(rules) as Act[]
