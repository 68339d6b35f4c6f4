/** Whether the conditions of a statement hold for somebody. */
import { isInNetwork, type Network, parseNetwork } from '../identity/network.ts'
import type { Proof } from '../identity/proof.ts'
import type { Conditions } from './model.ts'
import type { Subject } from './rights.ts'
import { isWithin } from './time-window.ts'

/**
 * `unknown`: what is asked for is not known of this subject, such as an attribute that it has not. It counts against the
 * subject: an allow does not match, a deny does.
 */
export type Held = 'yes' | 'no' | 'unknown'

/** What one condition says; `why` stands behind "because". */
interface Verdict {
  readonly held: Held
  readonly why: string
}

/** All conditions of a statement: `no` where one does not hold, else `unknown` where one is not known. */
export function conditionsHeld(when: Conditions, subject: Subject, nowMs: number): Verdict {
  let unknown: Verdict | null = null
  for (const verdict of verdicts(when, subject, nowMs)) {
    if (verdict.held === 'no') return verdict
    if (verdict.held === 'unknown') unknown ??= verdict
  }
  return unknown ?? { held: 'yes', why: '' }
}

function* verdicts(when: Conditions, subject: Subject, nowMs: number): Generator<Verdict> {
  const { identity, proof, connection } = subject
  if (when.kinds !== undefined) yield oneOf('the kind of identity', identity.kind, when.kinds)
  if (when.groups !== undefined) yield oneOf('the group', identity.group, when.groups)
  for (const [name, values] of when.attributes ?? []) {
    const value = Object.hasOwn(identity.attributes, name) ? (identity.attributes[name] ?? null) : null
    yield oneOf(`the attribute ${name}`, value, values)
  }
  if (when.proofs !== undefined) yield oneOf('the proof', proof.kind, when.proofs)
  if (when.issuers !== undefined) yield oneOf('the issuer', issuerOf(proof), when.issuers)
  if (when.profiles !== undefined) {
    yield oneOf('the profile', proof.kind === 'issued' ? proof.credential.profile : null, when.profiles)
  }
  if (when.keyStorages !== undefined) yield oneOf('the key storage', keyStorageOf(subject), when.keyStorages)
  if (when.tlsMin !== undefined) yield tlsVerdict(when.tlsMin, connection.tlsVersion)
  if (when.sources !== undefined) yield sourceVerdict(when.sources, connection.address)
  if (when.listeners !== undefined) yield oneOf('the listener', connection.listener, when.listeners)
  if (when.time !== undefined) {
    yield { held: isWithin(when.time, nowMs) ? 'yes' : 'no', why: 'it is not the time for it' }
  }
}

function oneOf(what: string, value: string | null, wanted: readonly string[]): Verdict {
  if (value === null) return { held: 'unknown', why: `${what} is not known` }
  return { held: wanted.includes(value) ? 'yes' : 'no', why: `${what} is ${value}` }
}

function issuerOf(proof: Proof): string | null {
  switch (proof.kind) {
    case 'issued':
      return proof.credential.authorityId
    case 'anchored':
      return proof.anchorId
    case 'pinned':
    case 'password':
      return null
  }
}

/** A key that the hub has made left it in a file, whatever the device can do. */
function keyStorageOf({ identity, proof }: Subject): string | null {
  if (proof.kind === 'password') return null
  return proof.kind === 'issued' && proof.credential.keyOrigin === 'hub' ? 'software' : identity.keyStorage
}

function tlsVerdict(wanted: '1.2' | '1.3', version: string | null): Verdict {
  if (version === null) return { held: 'unknown', why: 'the TLS version is not known' }
  // Two versions are spoken here, and their names sort as they follow each other.
  return { held: version >= `TLSv${wanted}` ? 'yes' : 'no', why: `the connection speaks ${version}` }
}

const networks = new Map<string, Network | null>()

function sourceVerdict(sources: readonly string[], address: string): Verdict {
  if (address === 'unknown') return { held: 'unknown', why: 'the address of the client is not known' }
  const isThere = sources.some((text) => {
    let network = networks.get(text)
    if (network === undefined) {
      network = parseNetwork(text)
      networks.set(text, network)
    }
    return network !== null && isInNetwork(address, network)
  })
  return { held: isThere ? 'yes' : 'no', why: `the client comes from ${address}` }
}
