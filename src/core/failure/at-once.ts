/**
 * What a failure means when it befalls many at once. One device whose certificate has expired has a fault of its own; fifty in a
 * quarter of an hour have not: the fault is with the hub or with whoever runs it, and there is where to look.
 */
import { type FailureName, failure } from './catalogue.ts'
import type { Owner } from './failure.ts'

/** Whose it probably is, and what to do about all of them together. */
interface AtOnce {
  readonly owner: Owner
  /** In place of the cause of one; `issuer` is the name of the authority that their certificates share. */
  readonly because?: (issuer: string) => string
  readonly cure: string
}

const changedPolicy: AtOnce = {
  owner: 'operator',
  cure: 'see what the policy changed last: `handfast policy list`; `handfast policy rollback` takes it back',
}

const changedHub: AtOnce = {
  owner: 'hub',
  cure: 'see whether root, names and dates of the hub are those that the devices know: `handfast status`; a new root comes to devices by `handfast ca rotate root`',
}

const narrowTls: AtOnce = {
  owner: 'operator',
  cure: 'see TLS versions and key of the listener in the settings; devices that know RSA alone need the chain for it: `handfast ca create --chain rsa --key-type RSA-3072`',
}

const copiedDevice: AtOnce = {
  owner: 'operator',
  cure: 'find out whether one image with one certificate was copied to several devices; give each its own: `handfast device add`',
}

const byName: Partial<Record<FailureName, AtOnce>> = {
  'tls-client-rejected-hub': changedHub,
  // Many clients say nothing when they do not accept the certificate of the hub.
  'tls-closed-early': changedHub,
  'closed-before-connect': changedHub,
  'hub-untrusted': changedHub,
  'hub-certificate-not-yet-valid': {
    owner: 'operator',
    cure: 'see the time server that these devices ask: after a power cut many begin with a wrong clock; then compare the clock of the hub',
  },
  'hub-certificate-expired': {
    owner: 'hub',
    cure: 'compare the clock of the hub with another one, as many devices are seldom wrong; then look for a list of revocations that they hold',
  },
  'hub-name-mismatch': {
    owner: 'operator',
    cure: 'put the name that the devices dial into the certificate of the hub: `--public-name`, or one of your own with `--tls-cert`',
  },
  'tls-version-unsupported': narrowTls,
  'tls-no-shared-cipher': narrowTls,
  'tls-no-shared-group': narrowTls,
  'tls-no-shared-signature': narrowTls,
  'tls-client-needs-rsa': narrowTls,
  'hub-certificate-unsupported': narrowTls,
  'certificate-missing': {
    owner: 'operator',
    cure: 'see that no proxy before the hub ends TLS, and that these devices have the address of the right listener',
  },
  'certificate-foreign-authority': {
    owner: 'operator',
    because: (issuer) => `the authority ${issuer} is not trusted there`,
    cure: 'if it is an authority of yours, make it a trust anchor and name it in the listener: `handfast anchor list`; else the devices have the address of another hub',
  },
  'anchor-not-on-listener': {
    owner: 'operator',
    because: (issuer) => `the authority ${issuer} is a trust anchor and not trusted there`,
    cure: 'add the anchor to `anchors` of the listener in the settings, or give the devices the address of the one that names it',
  },
  'anchor-unproved': {
    owner: 'operator',
    because: (issuer) => `the trust anchor of ${issuer} still waits for the proof of its key`,
    cure: 'bring the proof: `handfast anchor list` shows which waits, `handfast anchor prove <id> <file>` takes it',
  },
  'foreign-issuer-rekeyed': {
    owner: 'operator',
    because: (issuer) => `${issuer} signs with another key than the trust anchor knows`,
    cure: 'add the new certificate of that authority: `handfast anchor edit <id> --below <file>`',
  },
  'foreign-issuer-unlisted': {
    owner: 'operator',
    because: (issuer) => `${issuer} signs for a trust anchor that does not list it`,
    cure: 'add the certificate of that authority: `handfast anchor edit <id> --below <file>`',
  },
  'foreign-authority-out-of-date': {
    owner: 'operator',
    because: (issuer) => `the authority ${issuer} is itself not in date`,
    cure: 'compare the clock of the hub with another one; then give the anchor the renewed certificate of that authority',
  },
  'foreign-not-yet-valid': {
    owner: 'hub',
    because: (issuer) => `the certificates of ${issuer} begin in the future by the clock of the hub`,
    cure: 'compare the clock of the hub with another one; where it is right, have that authority set its own',
  },
  'foreign-chain-invalid': {
    owner: 'operator',
    because: (issuer) => `the certificates of ${issuer} do not hold up to a trust anchor`,
    cure: 'give the trust anchor with the authorities below it that sign the devices: `handfast anchor show <id>`',
  },
  'certificate-of-namesake': {
    owner: 'operator',
    because: (issuer) => `the authority ${issuer} that issued their certificates has the name of ours and another key`,
    cure: 'if this hub was set up anew, put the old registry back (docs/backup.md) or enrol them again; else they have the address of another hub',
  },
  'certificate-of-retired-authority': {
    owner: 'operator',
    because: (issuer) => `the authority ${issuer} is retired, and they have no certificate of the one after it`,
    cure: 'give them new tokens, `handfast device token <id>`; next time, cut over only when all have renewed: `handfast ca rotate status`',
  },
  'certificate-unknown-serial': {
    owner: 'operator',
    because: (issuer) => `certificates of ${issuer} are in no row of the registry`,
    cure: 'find out whether a backup was restored without its journal, or two hubs have one authority; else the key of the authority is stolen',
  },
  'certificate-expired': {
    owner: 'operator',
    cure: 'compare the clock of the hub with another one; then see why they were not renewed: `handfast attempts --cases --listener est`',
  },
  'certificate-not-yet-valid': { owner: 'hub', cure: 'set the clock of the hub (NTP); the devices need no change' },
  'certificate-revoked': {
    owner: 'operator',
    cure: 'see who revoked them: `handfast audit`; they come back with new tokens: `handfast device token <id>`',
  },
  'identity-disabled': {
    owner: 'operator',
    cure: 'see who disabled them: `handfast audit`; `handfast device enable <id>` lets them in again',
  },
  'password-wrong': {
    owner: 'operator',
    cure: 'see whether one address tries all of them, `handfast attempts --cause password-wrong`: then somebody guesses; else see who changed their passwords: `handfast audit`',
  },
  'connect-denied': changedPolicy,
  'publish-denied': changedPolicy,
  'subscribe-denied': changedPolicy,
  'will-denied': changedPolicy,
  'retain-denied': changedPolicy,
  'session-taken-over': copiedDevice,
  'certificate-in-two-places': copiedDevice,
}

/** Who is refused, how many of each. */
export interface RefusedCounts {
  readonly identities: number
  readonly certificates: number
  readonly networks: number
}

export interface RefusedTogether {
  readonly code: FailureName
  readonly listener: string
  /** What the certificates name as their issuer, where the cause is about that. */
  readonly issuer: string | null
  readonly parties: RefusedCounts
  /** Most of them began a moment ago. */
  readonly isSudden: boolean
  /** When it was over, or null. */
  readonly endedAtMs: number | null
}

export interface Explanation {
  /** Who is refused where, and why. */
  readonly sentence: string
  /** Who can probably mend it. */
  readonly owner: Owner
  /** What tells that it is theirs. */
  readonly likelihood: string
  readonly cure: string
}

/** Whether a failure says something about the hub where it befalls many: not what networks do to connections, and scanners. */
export function meansSomethingAtOnce(code: FailureName): boolean {
  return failure(code).owner !== 'network' || byName[code] !== undefined
}

/** One sentence about all of them, whose it is, and what to do. */
export function explainAtOnce(refused: RefusedTogether): Explanation {
  const { code, listener, issuer, parties, isSudden } = refused
  const entry = failure(code)
  const known = byName[code]
  const because = known?.because !== undefined && issuer !== null ? known.because(issuer) : causeOf(entry.cause, issuer)
  const verb = refused.endedAtMs === null ? 'are' : 'were'
  const sentence = `${whoText(parties, listener)} ${verb} refused on the listener ${listener}: ${because}`
  // Anybody can give the name of a device with a wrong password.
  const isProved = parties.identities > 0 && code !== 'password-wrong'
  if (!isSudden) {
    const likelihood = 'they began at different times, so that each may have a reason of its own'
    return { sentence, owner: entry.owner, likelihood, cure: entry.cure }
  }
  const owner = known?.owner ?? (entry.owner === 'device' ? 'operator' : entry.owner)
  const strangers = isProved ? '' : '; none of them has proved who it is, so that they may be strangers'
  const likelihood = `most began within a quarter of an hour: ${faultOf(owner)} is likelier than as many of devices${strangers}`
  return { sentence, owner, likelihood, cure: known?.cure ?? entry.cure }
}

function causeOf(cause: string, issuer: string | null): string {
  return issuer === null ? cause : `${cause} (issued by ${issuer})`
}

function faultOf(owner: Owner): string {
  switch (owner) {
    case 'hub':
      return 'one fault of the hub'
    case 'operator':
      return 'one fault of the hub or its settings'
    default:
      return 'one cause'
  }
}

/** "14 devices, 3 unknown certificates and clients of 2 networks". */
function whoText({ identities, certificates, networks }: RefusedCounts, listener: string): string {
  const known = listener === 'api' ? ['person', 'people'] : ['device', 'devices']
  const parts = [
    ...(identities > 0 ? [`${identities} ${identities === 1 ? known[0] : known[1]}`] : []),
    ...(certificates > 0 ? [`${certificates} unknown certificate${certificates === 1 ? '' : 's'}`] : []),
    ...(networks > 0 ? [`clients of ${networks} network${networks === 1 ? '' : 's'}`] : []),
  ]
  const last = parts.at(-1) ?? 'nobody'
  return parts.length < 2 ? last : `${parts.slice(0, -1).join(', ')} and ${last}`
}
