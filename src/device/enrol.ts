/** Enrolment as a device does it: from a bootstrap string to a key and certificate in a store. */

import type { X509Certificate } from 'node:crypto'
import { HubError, quote } from '../core/errors.ts'
import type { Bootstrap } from '../core/identity/bootstrap.ts'
import { parseTokenText } from '../core/identity/token.ts'
import { Secret } from '../core/secret.ts'
import { certificateFingerprint, readCertificate } from '../core/x509/certificate.ts'
import { publicKeyHash } from '../core/x509/public-key.ts'
import { certificateRequestBy, publicKeyOf } from './certificate-request.ts'
import { type EnrolmentKey, keyForEnrolment } from './enrolment-key.ts'
import { fetchAuthority, simpleEnrol } from './est-client.ts'
import { checkIssued } from './issued-certificate.ts'
import { placeText } from './key-elsewhere/reference.ts'
import { deviceLimits } from './limits.ts'
import { rootsToKeep } from './root-succession.ts'
import type {
  CredentialFiles,
  CredentialStore,
  CredentialStoreOptions,
  HeldCredential,
  HubRecord,
} from './store/credential.ts'
import { credentialOf } from './store/credential-of.ts'
import { openCredentialStore } from './store/open.ts'

export interface EnrolOptions extends CredentialStoreOptions {
  readonly bootstrap: Bootstrap
  /** The folder of the credential store; it is made if it is not there. */
  readonly directory: string
  /** Replace a credential that the folder holds already. */
  readonly force?: boolean
  /** The key; one on P-256 is made here if not given. */
  readonly key?: EnrolmentKey
  /** Milliseconds since the epoch; this machine's clock if not given. */
  readonly nowMs?: () => number
  /**
   * Waits so many milliseconds before a request that an operator has not decided about is sent again. Without it the failure
   * `enrolment-waits` is thrown at once.
   */
  readonly wait?: (ms: number) => Promise<void>
  /** Told at each step and where something is odd but no obstacle. */
  readonly onProgress?: (progress: EnrolProgress) => void
}

export interface EnrolProgress {
  /** `words`: an operator is to compare `text` with what the hub shows. */
  readonly kind: 'step' | 'warning' | 'words'
  readonly text: string
}

export interface EnrolResult {
  /** `kept` when this same token has filled the folder before: nothing was asked of the hub. */
  readonly outcome: 'enrolled' | 'kept'
  readonly id: string
  readonly host: string
  readonly mqttPort: number
  readonly files: CredentialFiles
  /** Where the key is, in words; null where it is in the folder. */
  readonly keyPlace: string | null
  readonly serialNumber: string
  /** Lower-case hexadecimal SHA-256 of the certificate. */
  readonly fingerprint: string
  /** ISO 8601, UTC. */
  readonly notBefore: string
  readonly notAfter: string
}

/**
 * Enrols this device. A key that is made here is on disk before it is used; after a power cut the same call goes on with the
 * same key, and the hub gives the same answer. Nothing in the folder is replaced before the new certificate has passed its
 * checks.
 *
 * @throws HubError `credential-exists` when the folder holds another credential and `force` is not set; `store-unwritable`;
 *   whatever {@link keyForEnrolment}, {@link fetchAuthority} and {@link simpleEnrol} throw; `hub-answer-unexpected` when the certificate is not the one
 *   that was asked for
 */
export async function enrol(options: EnrolOptions): Promise<EnrolResult> {
  const { bootstrap, force = false, nowMs = Date.now } = options
  const report = (kind: EnrolProgress['kind'], text: string): void => options.onProgress?.({ kind, text })
  const store = openCredentialStore(options.directory, options)
  const held = store.current()
  if (held !== null && !force) {
    if (isFromThisToken(held, bootstrap, nowMs())) return resultOf('kept', bootstrap, store, held.certificate)
    assertReplaceable(held, bootstrap, store)
  }
  const onStep = (text: string): void => report('step', text)
  const { key, request } = await keyForEnrolment(options.key ?? { kind: 'new' }, bootstrap.id, store, onStep)
  const publicKey = publicKeyOf(key)
  report('step', `asking ${bootstrap.host} for its root certificate`)
  const authority = await fetchAuthority(bootstrap)
  report('step', 'the root is the one in the bootstrap string; asking for a certificate')
  const issued = await askUntilDecided(
    options,
    authority.root,
    request ?? (await certificateRequestBy(bootstrap.id, key)),
    publicKey,
  )
  const { chain, warnings } = checkIssued({
    certificates: [...issued, ...authority.others],
    root: authority.root,
    id: bootstrap.id,
    publicKey,
    nowMs: nowMs(),
  })
  for (const warning of warnings) report('warning', warning)
  const [leaf] = chain
  const roots = rootsToKeep([authority.root], [authority.root, ...authority.others])
  const certificate = { chain, roots, hub: hubRecord(bootstrap, leaf) }
  store.install(credentialOf(key, certificate))
  return resultOf('enrolled', bootstrap, store, leaf)
}

/**
 * Asks for the certificate and, where an operator must approve the key first, tells its words and asks again. The hub says how
 * long to wait, within bounds of this device's own.
 */
async function askUntilDecided(
  { bootstrap, wait, nowMs = Date.now, onProgress }: EnrolOptions,
  root: X509Certificate,
  request: Uint8Array,
  publicKey: Uint8Array,
): Promise<readonly X509Certificate[]> {
  const untilMs = nowMs() + deviceLimits.approvalWaitMs
  for (let asked = 1; ; asked += 1) {
    try {
      return await simpleEnrol(bootstrap, root, request)
    } catch (error) {
      if (!(error instanceof HubError) || error.code !== 'enrolment-waits') throw error
      if (asked === 1) onProgress?.({ kind: 'words', text: await wordsOf(publicKey) })
      if (wait === undefined || nowMs() >= untilMs) throw error
      const { approvalPollSecMin: least, approvalPollSecMax: most } = deviceLimits
      await wait(Math.min(Math.max(error.retryAfterSec ?? least, least), most) * 1000)
    }
  }
}

/** The list of words is a package, which a device without it does not miss until it needs them. */
async function wordsOf(publicKey: Uint8Array): Promise<string> {
  const { keyWords } = await import('../core/identity/key-words.ts')
  return keyWords(publicKeyHash(publicKey))
}

/** The command was run before and ended well: running it again changes nothing. */
function isFromThisToken(held: HeldCredential, bootstrap: Bootstrap, nowMs: number): boolean {
  const { hub } = held
  return (
    hub !== null &&
    hub.id === bootstrap.id &&
    hub.rootFingerprint === bootstrap.rootFingerprint &&
    hub.tokenId === tokenIdOf(bootstrap) &&
    !isExpired(held, nowMs)
  )
}

function assertReplaceable(held: HeldCredential, bootstrap: Bootstrap, store: CredentialStore): void {
  // Another string for the same device at the same hub: its operator wants it to enrol again.
  if (held.hub?.id === bootstrap.id && held.hub.rootFingerprint === bootstrap.rootFingerprint) return
  const whose = held.hub === null ? 'a credential' : `the credential of ${quote(held.hub.id)} at ${held.hub.host}`
  const until = held.certificate.validToDate.toISOString()
  throw new HubError('credential-exists', `${quote(store.path)} holds ${whose}, good until ${until}`)
}

function isExpired(held: HeldCredential, nowMs: number): boolean {
  return held.certificate.validToDate.getTime() < nowMs
}

function hubRecord(bootstrap: Bootstrap, certificate: X509Certificate): HubRecord {
  const { id, host, httpsPort, mqttPort, rootFingerprint } = bootstrap
  const fingerprint = certificateFingerprint(certificate.raw)
  return { id, host, httpsPort, mqttPort, rootFingerprint, tokenId: tokenIdOf(bootstrap), fingerprint }
}

function tokenIdOf(bootstrap: Bootstrap): string {
  return parseTokenText(bootstrap.token)?.id ?? ''
}

function resultOf(
  outcome: EnrolResult['outcome'],
  bootstrap: Bootstrap,
  store: CredentialStore,
  certificate: X509Certificate,
): EnrolResult {
  const key = store.deviceIdentity()?.key
  return {
    outcome,
    id: bootstrap.id,
    host: bootstrap.host,
    mqttPort: bootstrap.mqttPort,
    files: store.files,
    keyPlace: key instanceof Secret || key === undefined ? null : placeText(key.place),
    serialNumber: readCertificate(certificate.raw).serialNumber,
    fingerprint: certificateFingerprint(certificate.raw),
    notBefore: certificate.validFromDate.toISOString(),
    notAfter: certificate.validToDate.toISOString(),
  }
}
