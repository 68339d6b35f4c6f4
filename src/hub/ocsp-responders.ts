/**
 * The keys that sign OCSP answers: one for each issuing authority, with a certificate that this authority has signed directly
 * (RFC 6960 §4.2.2.2). Nobody asks whether such a certificate is revoked, so it is short-lived, and each has a key of its own.
 */
import type { Credential } from '../core/identity/credential.ts'
import type { Realm } from '../core/identity/id.ts'
import { ocspProfile } from '../core/profile/built-in.ts'
import { certificateContent } from '../core/profile/certificate-content.ts'
import type { AuthorityKeyType } from '../core/x509/authority-key.ts'
import { type CertificateId, issuerHash, type OcspHash } from '../core/x509/ocsp-request.ts'
import { type ResponderForm, responderForm } from '../core/x509/ocsp-response.ts'
import { publicKeyHash } from '../core/x509/public-key.ts'
import type { Authorities } from './authorities.ts'
import type { Authority } from './authority.ts'
import { hubIdentity, hubIdentityId, takeIntoUse } from './hub-credential.ts'
import { type IssuingHub, issueCredential } from './issue-credential.ts'
import { nowSec } from './ports/clock.ts'
import type { HubEvent } from './ports/events.ts'
import type { Log } from './ports/log.ts'
import type { Observer } from './ports/observer.ts'
import type { KeyStore, Signer } from './ports/signer.ts'
import type { StatusPlaces } from './ports/status-places.ts'
import type { Store } from './ports/store.ts'

export interface OcspResponder {
  readonly authorityId: string
  readonly form: ResponderForm
  readonly notAfterSec: number
  /** False once its certificate has ended: nobody would believe it. */
  isGood(): boolean
  /** Signs the ResponseData. */
  sign(tbs: Uint8Array): Promise<Uint8Array>
}

export interface OcspResponders {
  /** Whether the issuer that a request names is one that this hub answers for. */
  isOurs(id: Pick<CertificateId, 'hash' | 'issuer'>): boolean
  /** Who answers for it now, or null. */
  for(id: Pick<CertificateId, 'hash' | 'issuer'>): OcspResponder | null
  /** Makes the responders that are missing or due. Never rejected. */
  look(): Promise<void>
  /** Tells of an event: a responder whose certificate was revoked is replaced. */
  noted(event: HubEvent): void
  stop(): Promise<void>
}

interface Hub extends Omit<IssuingHub, 'statusPlaces'> {
  readonly store: Store
  /** The keys of this process. */
  readonly keys: KeyStore
  /** Names this process where several share the registry, each with responders of its own; null where it is alone. */
  readonly instance: string | null
  readonly log: Log
  readonly observer: Pick<Observer, 'issuance' | 'renewal'>
  readonly realm: Realm
  readonly authorities: Authorities
}

/** How often it is looked at whether one is due; what failed is tried again. */
const lookEveryMs = 10 * 60_000

interface Responder extends OcspResponder {
  readonly renewAtSec: number
  readonly serialNumber: string
}

export function keepOcspResponders(hub: Hub): OcspResponders {
  /** By authority. */
  const responders = new Map<string, Responder>()
  /** The authorities that answer, by what requests name them with. */
  let byHash = authoritiesByHash()
  let work: Promise<void> = Promise.resolve()

  /** Roots sign nothing but authorities, whose status their CRL tells. */
  function issuing(): readonly Authority[] {
    return hub.authorities.signing().filter(({ role }) => role === 'issuing')
  }

  async function lookAt(authority: Authority): Promise<void> {
    const before = responders.get(authority.id) ?? (await keptResponder(hub, authority))
    if (before !== null && nowSec(hub.clock) < before.renewAtSec) {
      responders.set(authority.id, before)
      return
    }
    try {
      responders.set(authority.id, await newResponder(hub, authority))
      if (before !== null) hub.observer.renewal(ocspProfile.name, 'renewed')
    } catch (error) {
      // Until it ends the old one is as good.
      if (before !== null) responders.set(authority.id, before)
      hub.observer.renewal(ocspProfile.name, 'failed')
      hub.log.error('an OCSP responder could not be made', { authorityId: authority.id, error })
    }
  }

  async function lookAtAll(): Promise<void> {
    const authorities = issuing()
    for (const authority of authorities) {
      await lookAt(authority).catch((error: unknown) =>
        hub.log.error('an OCSP responder cannot be used', { authorityId: authority.id, error }),
      )
    }
    byHash = authoritiesByHash()
  }

  function authoritiesByHash(): ReadonlyMap<string, string> {
    return new Map(
      issuing().flatMap(({ id, fields }) =>
        (['sha1', 'sha256'] as const).map((hash) => [nameOf(hash, issuerHash(hash, fields)), id]),
      ),
    )
  }

  function authorityOf({ hash, issuer }: Pick<CertificateId, 'hash' | 'issuer'>): string | null {
    return hash === null ? null : (byHash.get(nameOf(hash, issuer)) ?? null)
  }

  function look(): Promise<void> {
    work = work.then(lookAtAll)
    return work
  }

  const timer = setInterval(() => void look(), lookEveryMs)
  timer.unref()
  const unlisten = hub.authorities.onChange(() => void look())

  return {
    isOurs: (id) => authorityOf(id) !== null,
    for(id) {
      const authorityId = authorityOf(id)
      return authorityId === null ? null : (responders.get(authorityId) ?? null)
    },
    look,
    noted(event) {
      if (event.type !== 'credential-revoked' || event.identityId !== hubIdentityId) return
      for (const each of responders.values()) {
        if (each.serialNumber !== event.serialNumber) continue
        // Its key may be in other hands: no answer is better than one that is signed with it.
        responders.set(each.authorityId, { ...each, renewAtSec: 0, isGood: () => false })
        void look()
      }
    },
    async stop() {
      clearInterval(timer)
      unlisten()
      await work
    },
  }
}

function nameOf(hash: OcspHash, issuer: string): string {
  return `${hash}:${issuer}`
}

/** The responder that this process used before, or null where it has to make another. */
async function keptResponder(hub: Hub, authority: Authority): Promise<Responder | null> {
  const keyName = await hub.store.settings.find(settingOf(hub, authority))
  if (keyName === null || !(await hub.keys.has(keyName))) return null
  const signer = await hub.keys.open(keyName)
  const keyHash = publicKeyHash(signer.publicKey)
  const active = await hub.store.credentials.ofIdentityIn(hubIdentityId, ['active'])
  const newest = active.findLast(
    (each) => each.publicKeyHash === keyHash && each.authorityId === authority.id && each.profile === ocspProfile.name,
  )
  return newest === undefined ? null : responderOf(hub, signer, newest)
}

async function newResponder(hub: Hub, authority: Authority): Promise<Responder> {
  const setting = settingOf(hub, authority)
  const before = await hub.store.settings.find(setting)
  const hasKeyBefore = before !== null && (await hub.keys.has(before))
  const keyHashBefore = hasKeyBefore ? publicKeyHash((await hub.keys.open(before)).publicKey) : null
  const keyName = `ocsp-${Buffer.from(hub.random.bytes(8)).toString('hex')}`
  const signer = await hub.keys.create(keyName, responderKeyType(authority.keyType))
  try {
    const credential = await issued(hub, authority, signer)
    await hub.store.write(async (tx) => {
      await takeIntoUse(tx, hub.clock, credential, keyHashBefore)
      await tx.settings.set(setting, keyName)
    })
    hub.observer.issuance(ocspProfile.name, 'issued')
    if (hasKeyBefore) await hub.keys.remove(before)
    return responderOf(hub, signer, credential)
  } catch (error) {
    hub.observer.issuance(ocspProfile.name, 'failed')
    throw error
  }
}

/** Its profile names no place. */
const nowhere: StatusPlaces = {
  placeFor: async () => ({ crlShard: null, crlUrl: null, ocspUrl: null, caIssuersUrl: null }),
}

function issued(hub: Hub, authority: Authority, { publicKey }: Signer): Promise<Credential> {
  const content = certificateContent(ocspProfile, hubIdentity(hub.clock.nowMs()), hub.realm)
  const order = { authority, content, tokenId: null, keyOrigin: 'hub', publicKey, actor: 'hub' } as const
  return issueCredential({ ...hub, statusPlaces: nowhere }, order)
}

/** A device that knows only RSA reads no other signature; the strength of 2048 bits is enough for a week. */
function responderKeyType(keyType: AuthorityKeyType): AuthorityKeyType {
  return keyType.startsWith('RSA-') ? 'RSA-2048' : keyType
}

function settingOf({ instance }: Hub, { id }: Authority): string {
  return instance === null ? `ocsp-key.${id}` : `ocsp-key.${id}.${instance}`
}

function responderOf({ clock }: Hub, signer: Signer, credential: Credential): Responder {
  const { authorityId, serialNumber, notBeforeSec, notAfterSec, certificate } = credential
  return {
    ...{ authorityId, serialNumber, notAfterSec },
    form: responderForm(certificate, signer.publicKey),
    renewAtSec: notBeforeSec + Math.floor(((notAfterSec - notBeforeSec) * 2) / 3),
    isGood: () => nowSec(clock) < notAfterSec,
    sign: (tbs) => signer.sign(tbs),
  }
}
