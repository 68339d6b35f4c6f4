/**
 * One renewal: roots first, then a key, a certificate for it, and the proof that it works; only then does it take the place of the
 * one that worked until now. Each step finds what an earlier run has left, so that a power cut anywhere, or a hub that lost its
 * answer, costs a repetition.
 */
import type { X509Certificate } from 'node:crypto'
import { HubError } from '../../core/errors.ts'
import { failure } from '../../core/failure/catalogue.ts'
import type { IdentityId } from '../../core/identity/id.ts'
import { Secret } from '../../core/secret.ts'
import { certificateFingerprint } from '../../core/x509/certificate.ts'
import { certificateRequestBy, makeKey, makeKeyOf, publicKeyOf } from '../certificate-request.ts'
import { fetchCertificates, tellRoots } from '../est-client.ts'
import { checkIssued, type IssuedAnswer } from '../issued-certificate.ts'
import type { DeviceIdentity, DeviceKey } from '../key-elsewhere/reference.ts'
import type { NewKeyKind } from '../private-key.ts'
import { rootsToKeep } from '../root-succession.ts'
import type { CredentialStore, HeldCredential, HubRecord } from '../store/credential.ts'
import type { HubAddress } from '../tls-exchange.ts'
import { confirmUse, simpleReenrol } from './est-renewal.ts'
import { tryConnect } from './proof.ts'

/** What a renewal needs of a credential store. */
export type RenewalStore = Pick<
  CredentialStore,
  | 'path'
  | 'current'
  | 'next'
  | 'deviceIdentity'
  | 'roots'
  | 'replaceRoots'
  | 'waitingKey'
  | 'keepWaitingKey'
  | 'prepareNext'
  | 'promote'
  | 'rollBack'
>

export interface RenewOptions {
  readonly store: RenewalStore
  readonly nowMs: () => number
  /** `confirm` where the device talks to other brokers: the hub's word is taken instead of a connection to its gate. */
  readonly proof: 'connect' | 'confirm'
  /** Ask again with the key that is there, where it cannot be made anew. */
  readonly isKeyKept: boolean
  /** Kind of the new key; ECDSA on P-256 where none is said. */
  readonly keyKind: NewKeyKind | null
  onStep?(text: string): void
  /** What went wrong and is no obstacle. */
  onWarning?(text: string): void
}

export interface Renewed {
  /** The certificate that is in use now. */
  readonly certificate: X509Certificate
  /** Whether it had come before and was only proved now. */
  readonly wasWaiting: boolean
}

/**
 * Renews the credential of a store.
 *
 * @throws HubError `credential-missing`; `agent-proof-refused` and `credential-changed` when the new certificate was given up; `enrolment-waits`,
 *   `hub-unreachable`, `enrolment-tls-untrusted`, `hub-answer-unexpected` or the hub's own code: the present one stays then
 */
export async function renew(options: RenewOptions): Promise<Renewed> {
  const { store, nowMs } = options
  const { held, hub, identity } = presentOf(store)
  const address = { host: hub.host, port: hub.httpsPort }
  const authorities = await takeUpRoots(options, address, hub.estPath)
  const waiting = store.next()
  const isOfThisHub = waiting?.hub?.id === hub.id && waiting.hub.rootFingerprint === hub.rootFingerprint
  const isUsable = waiting !== null && isOfThisHub && waiting.certificate.validToDate.getTime() > nowMs()
  if (waiting !== null && !isUsable) store.rollBack()
  if (!isUsable) await fetchNext(options, { held, hub, identity, address, authorities })
  const next = store.next()
  if (next === null) throw new HubError('internal', 'a certificate came and is not in the store')
  if (hub.estPath === undefined) await prove(options, hub, address)
  else await proveElsewhere(options, hub.estPath, address)
  store.promote(certificateFingerprint(held.certificate.raw))
  if (hub.estPath === undefined) await tellKeptRoots(options, address)
  return { certificate: next.certificate, wasWaiting: isUsable }
}

interface Present {
  readonly held: HeldCredential
  readonly hub: HubRecord
  readonly identity: DeviceIdentity
}

interface Asking extends Present {
  readonly address: HubAddress
  /** CA certificates of the hub. */
  readonly authorities: readonly X509Certificate[]
}

function presentOf(store: RenewalStore): Present {
  const held = store.current()
  const hub = held?.hub ?? null
  const identity = store.deviceIdentity('current')
  if (held === null || hub === null || identity === null) {
    throw new HubError(
      'credential-missing',
      `${JSON.stringify(store.path)} holds no credential with the hub that it is for`,
    )
  }
  return { held, hub, identity }
}

/**
 * New roots are taken up over the trust in the old ones; while the hub changes them both are good.
 *
 * @returns all that the hub showed: an answer with a certificate need not bring those above it
 */
async function takeUpRoots(
  { store, onStep }: RenewOptions,
  address: HubAddress,
  estPath: string | undefined,
): Promise<readonly X509Certificate[]> {
  const held = store.roots()
  const shown = await fetchCertificates(address, pem(held), estPath)
  // Another server may prove itself with a root that it does not show here: none that is held is given up.
  const kept = rootsToKeep(held, estPath === undefined ? shown : [...held, ...unheld(held, shown)])
  const isSame = kept.length === held.length && kept.every((root) => held.some((each) => each.raw.equals(root.raw)))
  if (isSame) return shown
  store.replaceRoots(kept)
  onStep?.(`the hub has other roots: ${kept.length} ${kept.length === 1 ? 'is' : 'are'} kept now`)
  return shown
}

async function fetchNext(options: RenewOptions, { held, hub, identity, address, authorities }: Asking): Promise<void> {
  const { store, nowMs, onStep, onWarning } = options
  const id = hub.id as IdentityId
  const key = await keyForNext(options, held, identity, id)
  onStep?.(`asking ${hub.host} for the next certificate`)
  const asked = { address, roots: pem(store.roots()), identity }
  const answer = await simpleReenrol(asked, await certificateRequestBy(id, key), hub.estPath)
  const certificates = [...answer, ...authorities]
  const { chain, warnings } = checkBelowAnyRoot(store.roots(), (root) =>
    checkIssued({ certificates, root, id, publicKey: publicKeyOf(key), nowMs: nowMs() }),
  )
  for (const warning of warnings) onWarning?.(warning)
  const [leaf] = chain
  const fingerprint = certificateFingerprint(leaf.raw)
  if (fingerprint === certificateFingerprint(held.certificate.raw)) {
    throw new HubError('hub-answer-unexpected', 'the hub answered with the certificate that is in use already')
  }
  const certificate = { chain, roots: store.roots(), hub: { ...hub, fingerprint } }
  store.prepareNext(key instanceof Secret ? { ...certificate, keyPem: key } : { ...certificate, keyReference: key })
}

/** A key that was made for an earlier try is used again: the hub has perhaps signed for it, and gives the same answer. */
async function keyForNext(
  { store, isKeyKept, keyKind, nowMs, onStep }: RenewOptions,
  held: HeldCredential,
  identity: DeviceIdentity,
  id: IdentityId,
): Promise<DeviceKey> {
  // Whoever keeps it elsewhere makes another one there, and enrols with it.
  if (!(identity.key instanceof Secret)) return identity.key
  const hasEnded = held.certificate.validToDate.getTime() <= nowMs()
  if (hasEnded) onStep?.('the certificate has ended: asking with its own key, as a hub wants it then')
  if (isKeyKept || hasEnded) return identity.key
  const waiting = store.waitingKey(id)
  if (waiting !== null) return waiting
  const keyPem = keyKind === null ? makeKey() : await makeKeyOf(keyKind)
  store.keepWaitingKey(id, keyPem)
  return keyPem
}

/** Which of several roots it chains to is the hub's choice; that it does is not. */
function checkBelowAnyRoot(
  roots: readonly X509Certificate[],
  check: (root: X509Certificate) => IssuedAnswer,
): IssuedAnswer {
  let last: unknown = new HubError('credential-missing', 'no root certificate is held')
  for (const root of roots) {
    try {
      return check(root)
    } catch (error) {
      last = error
    }
  }
  throw last
}

/**
 * Tries what waits in the store. A refusal that concerns the connection alone, such as a policy that fixes the client id, is no
 * verdict about the certificate; the hub is asked for that.
 */
async function prove({ store, proof, onStep }: RenewOptions, hub: HubRecord, address: HubAddress): Promise<void> {
  const identity = store.deviceIdentity('next')
  if (identity === null) throw new HubError('internal', 'what waits in the store cannot be read')
  const roots = pem(store.roots())
  if (proof === 'connect') {
    onStep?.(`trying the new certificate on ${hub.host}:${hub.mqttPort}`)
    const answer = await tryConnect({ address: { host: hub.host, port: hub.mqttPort }, roots, identity })
    if (answer.admitted) return
    onStep?.(
      `the gate let no connection in (${answer.sentence || `reason ${answer.reasonCode}`}); asking the hub about the certificate`,
    )
  }
  try {
    await confirmUse({ address, roots, identity })
  } catch (error) {
    if (!isVerdict(error)) throw error
    store.rollBack()
    throw new HubError('agent-proof-refused', `the hub does not let the new certificate in: ${error.message}`, {
      cause: error,
      ...(error.hint === '' ? {} : { hint: error.hint }),
    })
  }
}

/**
 * Another EST server knows no more of a certificate than that it accepts it. One that refuses it in the handshake breaks the
 * connection, which says nothing for certain: the certificate waits, and is tried again.
 */
async function proveElsewhere({ store, onStep }: RenewOptions, estPath: string, address: HubAddress): Promise<void> {
  const identity = store.deviceIdentity('next')
  if (identity === null) throw new HubError('internal', 'what waits in the store cannot be read')
  onStep?.(`showing the new certificate to ${address.host}:${address.port}`)
  await fetchCertificates(address, pem(store.roots()), estPath, identity)
}

function unheld(held: readonly X509Certificate[], shown: readonly X509Certificate[]): readonly X509Certificate[] {
  return shown.filter((each) => !held.some((known) => known.raw.equals(each.raw)))
}

/** Whether the hub has judged: that it cannot be reached, has no time or has trouble of its own says nothing about a certificate. */
function isVerdict(error: unknown): error is HubError {
  if (!(error instanceof HubError) || error.code === 'enrolment-tls-untrusted') return false
  const { kind } = failure(error.code)
  return kind === 'unauthenticated' || kind === 'forbidden'
}

/** The hub learns by it when an old root can go. It asks for nothing in return, so a failure here is no failure to renew. */
async function tellKeptRoots({ store, onWarning }: RenewOptions, address: HubAddress): Promise<void> {
  const identity = store.deviceIdentity('current')
  if (identity === null) return
  try {
    for (const root of store.roots()) {
      await tellRoots(address, root.toString(), identity, [certificateFingerprint(root.raw)])
    }
  } catch (error) {
    if (!(error instanceof HubError)) throw error
    onWarning?.(`the hub was not told which roots are kept: ${error.message}`)
  }
}

function pem(certificates: readonly X509Certificate[]): string {
  return certificates.map(String).join('')
}
