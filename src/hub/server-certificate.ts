/** The certificate of the hub's own listeners: issued below its own authority, renewed before it ends. */
import type { Credential } from '../core/identity/credential.ts'
import type { Realm } from '../core/identity/id.ts'
import { serverProfile } from '../core/profile/built-in.ts'
import { certificateContent } from '../core/profile/certificate-content.ts'
import { emptyOrder } from '../core/profile/order.ts'
import type { Secret } from '../core/secret.ts'
import { readCertificate } from '../core/x509/certificate.ts'
import { encodePem } from '../core/x509/pem.ts'
import { publicKeyHash } from '../core/x509/public-key.ts'
import { type Authorities, mainChain } from './authorities.ts'
import type { Authority } from './authority.ts'
import { hubIdentity, hubIdentityId, takeIntoUse } from './hub-credential.ts'
import { issueCredential } from './issue-credential.ts'
import { type Clock, nowSec } from './ports/clock.ts'
import type { Log } from './ports/log.ts'
import type { Observer } from './ports/observer.ts'
import type { Random } from './ports/random.ts'
import type { KeyStore } from './ports/signer.ts'
import type { StatusPlaces } from './ports/status-places.ts'
import type { Store } from './ports/store.ts'

/** One certificate with its key. */
interface ServedCertificate {
  /** Private key, PKCS#8 PEM. */
  readonly key: Secret
  /** Leaf, then what leads to a root that devices may know, in PEM; the root itself is not sent. */
  readonly chain: string
}

/** What a TLS listener needs. */
export interface ServerCertificate extends ServedCertificate {
  /** For clients that verify RSA alone: the same of a chain of RSA, where the hub has one. */
  readonly forRsa: ServedCertificate | null
  /** The first end of them. */
  readonly notAfterSec: number
  /** When one of them should be replaced: at two thirds of its life. */
  readonly renewAtSec: number
}

/** Names and addresses that clients may use for this hub. */
export interface ServerNames {
  /** The first is the public name. */
  readonly dnsNames: readonly string[]
  readonly ipAddresses: readonly string[]
}

interface Hub {
  readonly store: Store
  /** The keys of this process's listeners. */
  readonly keys: KeyStore
  /** Names this process where several share the registry, each with a key and a certificate of its own; null where it is alone. */
  readonly instance: string | null
  readonly clock: Clock
  readonly random: Random
  readonly observer: Pick<Observer, 'issuance'>
  readonly log: Log
  readonly realm: Realm
  readonly authorities: Authorities
  readonly statusPlaces: StatusPlaces
}

/**
 * The certificate in use, or a new one when there is none, it is due, was revoked, or lacks one of the names.
 *
 * @throws HubError as `issueCredential`
 */
export async function currentServerCertificate(hub: Hub, names: ServerNames): Promise<ServerCertificate> {
  const main = await currentOf(hub, names, hub.authorities.issuing())
  const rsaIssuer = rsaIssuerOf(hub.authorities)
  const rsa = rsaIssuer === null ? null : await currentOrNone(hub, names, rsaIssuer)
  const all = rsa === null ? [main] : [main, rsa]
  return {
    ...(await asServed(hub, main)),
    forRsa: rsa === null ? null : await asServed(hub, rsa),
    notAfterSec: Math.min(...all.map(({ credential }) => credential.notAfterSec)),
    renewAtSec: Math.min(...all.map(({ credential }) => renewAtSec(credential))),
  }
}

/** OpenSSL holds one certificate for each kind of key, so one chain of RSA is served: the first of them that issues. */
function rsaIssuerOf(authorities: Authorities): Authority | null {
  const isRsa = ({ keyType }: Authority): boolean => keyType.startsWith('RSA-')
  if (isRsa(authorities.issuing())) return null
  return authorities.all().find((each) => each.role === 'issuing' && each.state === 'active' && isRsa(each)) ?? null
}

/** A certificate of the hub, and the name of its key. */
interface Current {
  readonly keyName: string
  readonly credential: Credential
}

/**
 * The same of a chain beside the main one. Where it cannot be had, because that chain has ended for instance, all clients but
 * those of that chain are served.
 */
async function currentOrNone(hub: Hub, names: ServerNames, issuer: Authority): Promise<Current | null> {
  try {
    return await currentOf(hub, names, issuer)
  } catch (error) {
    hub.log.error('the listeners have no certificate of the chain', { chain: issuer.chain, error })
    return null
  }
}

async function currentOf(hub: Hub, names: ServerNames, issuer: Authority): Promise<Current> {
  const keyName = await serverKeyName(hub, issuer)
  const { publicKey } = await hub.keys.open(keyName)
  const keyHash = publicKeyHash(publicKey)
  const active = await hub.store.credentials.ofIdentityIn(hubIdentityId, ['active'])
  const newest = active.findLast((each) => each.publicKeyHash === keyHash && each.authorityId === issuer.id)
  if (newest !== undefined && nowSec(hub.clock) < renewAtSec(newest) && covers(newest, names)) {
    return { keyName, credential: newest }
  }
  try {
    const credential = await issueServerCredential(hub, names, issuer, keyName)
    hub.observer.issuance(serverProfile.name, 'issued')
    return { keyName, credential }
  } catch (error) {
    hub.observer.issuance(serverProfile.name, 'failed')
    throw error
  }
}

async function issueServerCredential(
  hub: Hub,
  names: ServerNames,
  authority: Authority,
  keyName: string,
): Promise<Credential> {
  const { publicKey } = await hub.keys.open(keyName)
  const identity = hubIdentity(hub.clock.nowMs())
  const content = certificateContent(serverProfile, identity, hub.realm, { ...emptyOrder, ...names })
  const credential = await issueCredential(hub, {
    authority,
    content,
    tokenId: null,
    publicKey,
    actor: 'hub',
  })
  await hub.store.write((tx) => takeIntoUse(tx, hub.clock, credential, credential.publicKeyHash))
  return credential
}

/** The key of the listeners is kept over renewals, until it is compromised; its name stands in the settings. */
async function serverKeyName(hub: Hub, issuer: Authority): Promise<string> {
  const kind = issuer.keyType.startsWith('RSA-') ? 'RSA-2048' : 'P-256'
  const ofChain = issuer.chain === mainChain ? 'server-key' : `server-key/${issuer.chain}`
  const setting = hub.instance === null ? ofChain : `${ofChain}.${hub.instance}`
  const kept = await hub.store.settings.find(setting)
  // After a restore the registry may name a key that this machine never had: another one is as good.
  if (kept !== null && (await hub.keys.has(kept)) && !(await isCompromised(hub, kept))) return kept
  const name = `server-${Buffer.from(hub.random.bytes(4)).toString('hex')}`
  await hub.keys.create(name, kind)
  await hub.store.write(async (tx) => {
    if ((await tx.identities.find(hubIdentityId)) === null) await tx.identities.insert(hubIdentity(hub.clock.nowMs()))
    await tx.settings.set(setting, name)
  })
  return name
}

async function isCompromised(hub: Hub, keyName: string): Promise<boolean> {
  const hash = publicKeyHash((await hub.keys.open(keyName)).publicKey)
  const revoked = await hub.store.credentials.ofIdentityIn(hubIdentityId, ['revoked'])
  return revoked.some((old) => old.publicKeyHash === hash && old.revocationReason === 'keyCompromise')
}

function renewAtSec(credential: Credential): number {
  return credential.notBeforeSec + Math.floor(((credential.notAfterSec - credential.notBeforeSec) * 2) / 3)
}

function covers(credential: Credential, names: ServerNames): boolean {
  const fields = readCertificate(credential.certificate)
  return (
    names.dnsNames.every((name) => fields.dnsNames.includes(name)) &&
    names.ipAddresses.every((address) => fields.ipAddresses.includes(address))
  )
}

async function asServed(hub: Hub, { keyName, credential }: Current): Promise<ServedCertificate> {
  const issuer = hub.authorities.byId(credential.authorityId)
  const path = issuer === null ? [] : hub.authorities.pathFrom(issuer)
  return {
    key: await hub.keys.exportPem(keyName),
    chain: [credential.certificate, ...path].map((der) => encodePem('CERTIFICATE', der)).join(''),
  }
}
