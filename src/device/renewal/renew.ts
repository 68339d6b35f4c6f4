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
import { certificateRequestBy, publicKeyOf } from '../certificate-request.ts'
import { newKey, waitingOrNewKey } from '../enrolment-key.ts'
import { fetchCertificates, tellRoots } from '../est-client.ts'
import { checkIssuedBelow } from '../issued-certificate.ts'
import type { DeviceIdentity, DeviceKey } from '../key-elsewhere/reference.ts'
import type { NewKeyKind } from '../private-key.ts'
import { rootsToKeep } from '../root-succession.ts'
import type { CredentialStore, HeldCredential, HubRecord } from '../store/credential.ts'
import { credentialOf } from '../store/credential-of.ts'
import type { HubAddress } from '../tls-exchange.ts'
import { type AskedHub, confirmUse, simpleReenrol } from './est-renewal.ts'
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
  /** Called last before the new certificate takes its place: what must not be lost by a power cut behind it. */
  beforeSwitch?(): void
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
  const present = presentOf(store)
  const { held, hub } = present
  const address = { host: hub.host, port: hub.httpsPort }
  const authorities = await takeUpRoots(options, address, hub.estPath)
  const waiting = store.next()
  const isOfThisHub = waiting?.hub?.id === hub.id && waiting.hub.rootFingerprint === hub.rootFingerprint
  const isUsable = waiting !== null && isOfThisHub && waiting.certificate.validToDate.getTime() > nowMs()
  if (waiting !== null && !isUsable) store.rollBack()
  if (!isUsable) await fetchNext(options, { ...present, address, authorities })
  const next = store.next()
  if (next === null) throw new HubError('internal', 'a certificate came and is not in the store')
  if (hub.estPath === undefined) await prove(options, present, address)
  else await proveElsewhere(options, hub.estPath, address)
  options.beforeSwitch?.()
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

async function fetchNext(options: RenewOptions, asking: Asking): Promise<void> {
  const { store, nowMs, onStep, onWarning } = options
  const { held, hub, identity, address, authorities } = asking
  const id = hub.id as IdentityId
  const key = await keyForNext(options, asking, id)
  onStep?.(`asking ${hub.host} for the next certificate`)
  const asked = { address, roots: pem(store.roots()), identity }
  const request = await certificateRequestBy(id, key)
  const answer = await simpleReenrol(asked, request, hub.estPath).catch(async (error: unknown) => {
    await giveUpKey(options, id, error)
    throw error
  })
  const certificates = [...answer, ...authorities]
  const question = { certificates, id, publicKey: publicKeyOf(key), nowMs: nowMs() }
  const { chain, warnings } = checkIssuedBelow(store.roots(), question)
  for (const warning of warnings) onWarning?.(warning)
  const [leaf] = chain
  const fingerprint = certificateFingerprint(leaf.raw)
  if (fingerprint === certificateFingerprint(held.certificate.raw)) {
    throw new HubError('hub-answer-unexpected', 'the hub answered with the certificate that is in use already')
  }
  const certificate = { chain, roots: store.roots(), hub: { ...hub, fingerprint } }
  store.prepareNext(credentialOf(key, certificate))
}

async function keyForNext(
  { store, isKeyKept, keyKind, nowMs, onStep }: RenewOptions,
  { held, identity }: Present,
  id: IdentityId,
): Promise<DeviceKey> {
  // Whoever keeps it elsewhere makes another one there, and enrols with it.
  if (!(identity.key instanceof Secret)) return identity.key
  const isOver = hasEnded(held, nowMs())
  if (isOver) onStep?.('the certificate has ended: asking with its own key, as a hub wants it then')
  if (isKeyKept || isOver) return identity.key
  return await waitingOrNewKey(keyKind, id, store, (text) => onStep?.(text))
}

function hasEnded({ certificate }: HeldCredential, nowMs: number): boolean {
  return certificate.validToDate.getTime() <= nowMs
}

/** Refusals that last for as long as the same key asks. */
const keyRefusals: ReadonlySet<string> = new Set([
  'certificate-revoked',
  'csr-key-unacceptable',
  'renewal-key-compromised',
])

/**
 * Has the next try made with another key, where the hub will not take the one that waits. In all other cases it must be the same:
 * the hub may have signed for it, and another key beside it raises an alarm.
 */
async function giveUpKey({ store, isKeyKept, keyKind }: RenewOptions, id: IdentityId, refusal: unknown): Promise<void> {
  if (isKeyKept || !(refusal instanceof HubError) || !keyRefusals.has(refusal.code)) return
  if (store.waitingKey(id) !== null) await newKey(keyKind, id, store)
}

/**
 * Tries what waits in the store. A refusal that concerns the connection alone, such as a policy that fixes the client id, is no
 * verdict about the certificate; the hub is asked for that.
 */
async function prove(options: RenewOptions, { held, hub }: Present, address: HubAddress): Promise<void> {
  const { store, proof, nowMs, onStep } = options
  const identity = store.deviceIdentity('next')
  if (identity === null) throw new HubError('internal', 'what waits in the store cannot be read')
  const roots = pem(store.roots())
  if (proof === 'connect') {
    onStep?.(`trying the new certificate on ${hub.host}:${hub.mqttPort}`)
    const why = await refusalOfGate({ address: { host: hub.host, port: hub.mqttPort }, roots, identity }, (error) => {
      // Where nothing is left to go back to, a gate that cannot be reached must not keep the device out for ever.
      if (!hasEnded(held, nowMs())) throw error
      return error.message
    })
    if (why === null) return
    onStep?.(`the gate let no connection in (${why}); asking the hub about the certificate`)
  }
  try {
    await confirmUse({ address, roots, identity })
  } catch (error) {
    if (!isVerdict(error)) throw error
    store.rollBack()
    await giveUpKey(options, hub.id as IdentityId, error)
    throw new HubError('agent-proof-refused', `the hub does not let the new certificate in: ${error.message}`, {
      cause: error,
      ...(error.hint === '' ? {} : { hint: error.hint }),
    })
  }
}

/**
 * Why the gate lets no connection in, or null.
 *
 * @param onUnreachable says why instead, or throws
 */
async function refusalOfGate(asked: AskedHub, onUnreachable: (error: HubError) => string): Promise<string | null> {
  try {
    const answer = await tryConnect(asked)
    return answer.admitted ? null : answer.sentence || `reason ${answer.reasonCode}`
  } catch (error) {
    if (error instanceof HubError && error.code === 'hub-unreachable') return onUnreachable(error)
    throw error
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
