/** A hub, put together from its concrete parts: what stands behind all listeners first, then the listeners. */
import type { HubView } from '../api-schema/views.ts'
import type { HubConfig } from '../config/config.ts'
import { assert } from '../core/errors.ts'
import type { ListenerAddress } from '../gate/gate.ts'
import { apiServer } from '../http/api/api-server.ts'
import { estServer } from '../http/est/est-server.ts'
import { listenOn } from '../http/listen.ts'
import { addRenewalInfo } from '../http/renewal-info.ts'
import { statusServer } from '../http/status/status-server.ts'
import { addVerifierRoutes } from '../http/verifier/verifier-routes.ts'
import { personAdmission, registryAdmission, verifierAdmission } from '../hub/admit.ts'
import { ocspAnswerer } from '../hub/answer-ocsp.ts'
import { statusPlaces } from '../hub/crl-places.ts'
import { endOverlaps } from '../hub/end-overlaps.ts'
import { EnrolmentRates } from '../hub/enrolment-rates.ts'
import { FailureLimiter } from '../hub/failure-limiter.ts'
import { keepAnchorCrls } from '../hub/fetch-anchor-crls.ts'
import { followEvents } from '../hub/follow-events.ts'
import { hubIdentityId } from '../hub/hub-credential.ts'
import type { HubNames } from '../hub/hub-names.ts'
import { limitLog } from '../hub/limit-log.ts'
import { keepIncidents } from '../hub/note-incidents.ts'
import { keepOcspResponders } from '../hub/ocsp-responders.ts'
import { ownAttempts } from '../hub/own-attempts.ts'
import { peopleOf } from '../hub/people.ts'
import type { Log } from '../hub/ports/log.ts'
import { profileNamed } from '../hub/profiles.ts'
import { fullScope } from '../hub/publish-crl.ts'
import { attemptRecorder } from '../hub/record-attempts.ts'
import { keepCrlsFresh } from '../hub/refresh-crls.ts'
import { keepAnswersFew } from '../hub/remove-old-answers.ts'
import { registryRenewal } from '../hub/renew.ts'
import { keepServerCertificate } from '../hub/renew-server-certificate.ts'
import { noteRoots } from '../hub/roll-over/acknowledge.ts'
import { keepAuthorities } from '../hub/roll-over/keep.ts'
import { currentServerCertificate } from '../hub/server-certificate.ts'
import { ShadowDifferences } from '../hub/shadow-differences.ts'
import { keepIntentsFew } from '../hub/sweep-intents.ts'
import { warnOfUnknownAnchors } from '../hub/unknown-anchors.ts'
import { VerifierChanges } from '../hub/verifiers/changes.ts'
import { keepRequestsFew } from '../hub/waiting-requests.ts'
import { type BroughtFiles, openBroughtFiles } from '../machine/brought-files.ts'
import type { DataDirectory } from '../machine/data-directory.ts'
import { serverNames } from '../machine/host-names.ts'
import { statusFetcher } from '../machine/status-fetcher.ts'
import { systemClock as clock, systemRandom as random } from '../machine/system.ts'
import { version } from '../version.ts'
import { openApiSocket } from './api-socket.ts'
import { Closing } from './closing.ts'
import { openFoundation } from './foundation.ts'
import { openHubGate } from './gates/hub-gate.ts'
import { exchangeCertificate } from './live-changes.ts'
import { startUpstream } from './upstream.ts'

export interface Endpoint {
  readonly host: string
  readonly port: number
}

/** A hub that serves. */
export interface RunningHub {
  readonly addresses: {
    readonly mqtt: Endpoint
    /** Of the gate, all of them. */
    readonly listeners: readonly ListenerAddress[]
    readonly https: Endpoint
    readonly http: Endpoint
    /** The admin API over TLS; null where only the unix socket serves it. */
    readonly api: Endpoint | null
    /** Where gates on other machines link themselves; null where none may. */
    readonly gateLink: Endpoint | null
    /** Metrics and health over HTTP; null where they are not asked for. */
    readonly metrics: Endpoint | null
  }
  readonly publicName: string
  /** SHA-256 of the root certificate, lower-case hexadecimal. */
  readonly rootFingerprint: string
  readonly caPath: string
  readonly adminKeyPath: string
  readonly socketPath: string
  readonly firstStart: boolean
  /** Devices that wait for adoption, because a backup was restored. */
  readonly adoptionsWaiting: number
  /** Where the registry is, in words. */
  readonly registryNote: string
  /** Where the passphrase of the authority keys comes from, in words. */
  readonly passphraseNote: string
  /** Which broker it is, and what of its sessions survives a restart, in words. */
  readonly upstreamNote: string
  /** Drains and ends within `limits.drainMs` and a little. */
  stop(): Promise<void>
}

/**
 * Starts a hub. What was opened is closed again when a later step fails.
 *
 * @throws HubError of the `hub` stage, with the remedy as its hint
 */
export async function startHub(config: HubConfig, log: Log): Promise<RunningHub> {
  const limited = limitLog(log, clock)
  const closing = new Closing(limited)
  closing.add('log', () => limited.flush())
  try {
    return await open(config, limited, closing)
  } catch (error) {
    await closing.run()
    throw error
  }
}

async function open(config: HubConfig, log: Log, closing: Closing): Promise<RunningHub> {
  const { apiListen } = config
  const foundation = await openFoundation(config, log, closing)
  const { directory, watch, store, instance, keys, authorityKeys, names, authorities } = foundation
  const { observer, readiness } = watch

  const attempts = attemptRecorder({ store, clock, log, observer })
  closing.add('attempts', () => attempts.stop())
  const incidents = keepIncidents({ store, clock, log }, instance ?? 'alone')
  closing.add('incidents', () => incidents.stop())
  // Read before the first connection is judged and the first answer is kept: what is revoked from here on ends both.
  const lastEvent = await store.events.last()
  const crls = keepCrlsFresh({ store, clock, authorities, log, observer })
  closing.add('CRLs', () => crls.stop())
  const responders = keepOcspResponders({
    ...{ store, keys, instance, clock, random, log, observer, authorities, realm: names.realm },
  })
  closing.add('OCSP responders', () => responders.stop())
  const ocsp = ocspAnswerer({ store, clock, log, responders })
  const status = statusServer({
    authorities,
    crl: (scope) => crls.current(scope),
    ocsp,
    readiness,
    clock,
    log,
  })
  closing.add('http', () => status.close())
  const http = await listenOn(status, 'HTTP', config.host, config.httpPort)
  const places = statusPlaces({ store }, `http://${urlHost(names.publicName)}:${http.port}`)
  const oldAnswers = keepAnswersFew({ store, clock, log }, instance ?? 'alone')
  closing.add('old answers', () => oldAnswers.stop())
  const oldRequests = keepRequestsFew({ store, clock, log }, instance ?? 'alone')
  closing.add('old requests', () => oldRequests.stop())
  const intents = keepIntentsFew({ store, clock, log }, instance ?? 'alone')
  closing.add('intents', () => intents.stop())
  const overlaps = endOverlaps({ store, clock, log }, instance ?? 'alone')
  closing.add('overlaps', () => overlaps.stop())

  const { realm } = names
  const issuer = {
    ...{ store, keys, instance, clock, random, observer, realm, authorities },
    rates: new EnrolmentRates(clock),
    statusPlaces: places,
  }
  const certificate = await currentServerCertificate(
    { ...issuer, log },
    serverNames(names.publicName, names.formerNames),
  )
  await responders.look()
  const brought = openBrought(config, names, log, closing)
  const certificateFor = (serverName: string) => brought?.forName(serverName) ?? null

  const limiter = new FailureLimiter(clock)
  const est = estServer({
    hub: issuer,
    caCertificates: () => authorities.caCertificates(),
    renewal: registryRenewal({ ...issuer, attempts, log }),
    rootsKept: { noteRoots: (id, roots) => noteRoots({ store, clock, authorities }, id, roots) },
    ownAttempts: (shown, onKnown) =>
      ownAttempts({ store }, registryAdmission({ store, clock, authorities }), shown, onKnown),
    profileNamed: (name) => profileNamed(store, name),
    limiter,
    attempts,
    log,
    tls: { ...certificate, forName: certificateFor },
  })
  closing.add('https', () => est.close())
  addRenewalInfo(est, issuer)
  const verifiers = new VerifierChanges(Buffer.from(random.bytes(12)).toString('hex'))
  closing.add('verifiers', () => verifiers.stop())
  const admission = verifierAdmission({ store, clock, authorities })
  addVerifierRoutes(est, { hub: { store, clock, authorities }, admission, changes: verifiers, attempts, limiter })
  const https = await listenOn(est, 'HTTPS', config.host, config.httpsPort)

  const broker = await startUpstream(config.broker, directory.path, log)
  const { upstream } = broker
  closing.add('upstream', () => upstream.stop())
  const anchorCrls = keepAnchorCrls({ store, clock, log, fetcher: statusFetcher }, instance ?? 'alone')
  closing.add('CRLs of trust anchors', () => anchorCrls.stop())
  const differences = new ShadowDifferences()
  const gate = await openHubGate(
    {
      ...{ config, directory, names, store, authorities, attempts, observer, log },
      certificate,
      certificateFor,
      upstream,
      differences,
      wantCrl: (anchorId, certificate) => void anchorCrls.want(anchorId, certificate),
    },
    closing,
  )

  await warnOfUnknownAnchors({ store, log }, config.listeners)
  const desk = { store, keys: authorityKeys, clock, random, realm, authorities, proceed: () => roller.round() }
  const roller = keepAuthorities({ ...desk, log, ensureCrl: (id) => crls.current(fullScope(id)) }, instance ?? 'alone')
  closing.add('authorities', () => roller.stop())

  const { host, port } = firstOf(gate.addresses)
  const addresses = { mqtt: { host, port }, listeners: gate.addresses, https, http }
  let api: Endpoint | null = null
  const describeHub = (): HubView => ({
    version,
    realm: names.realm,
    publicName: names.publicName,
    ...addresses,
    listeners: [...addresses.listeners],
    api,
    gateLink: gate.link?.address ?? null,
    gates: [...(gate.link?.gates() ?? [])],
    rootFingerprint: authorities.root().fingerprint,
    ca: authorities.rootsPem(),
    sessions: gate.sessionCount(),
    upstream: { kind: broker.kind, available: upstream.isAvailable() },
  })
  const apiOptions = {
    hub: issuer,
    desk,
    anchorCrls,
    log,
    flushAttempts: () => attempts.flush(),
    differences,
    describeHub,
  }
  const tlsApps = [est]
  const socketPath = await openApiSocket(apiServer(apiOptions), directory, closing)
  if (apiListen !== null) {
    const remote = apiServer({
      ...apiOptions,
      limiter: new FailureLimiter(clock),
      tls: { ...certificate, forName: certificateFor },
      entrance: {
        people: peopleOf({
          store,
          keys: foundation.authorityKeys,
          admission: personAdmission({ store, clock, authorities }),
        }),
        attempts,
      },
    })
    closing.add('API', () => remote.close())
    api = await listenOn(remote, 'API', apiListen.host, apiListen.port)
    tlsApps.push(remote)
  }

  const renewal = keepServerCertificate({ clock, log, observer }, certificate, {
    current: () => currentServerCertificate({ ...issuer, log }, serverNames(names.publicName, names.formerNames)),
    use: (renewed) => exchangeCertificate(renewed, gate, tlsApps),
  })
  closing.add('server certificate', renewal.stop)

  authorities.onChange(() => void renewal.exchange())
  void roller.round()
  void anchorCrls.round()
  void incidents.round()
  // Another process may have changed them, and may have left the next step to this one.
  const authoritiesChanged = (): Promise<unknown> =>
    authorities
      .refresh()
      .then(() => roller.round())
      .catch((error: unknown) => log.error('the authorities could not be read', { error }))
  const follower = followEvents({ store, log }, lastEvent, (event) => {
    gate.apply(event)
    verifiers.noted(event)
    if (event.type === 'authority-changed') void authoritiesChanged()
    if (event.type === 'anchor-changed' && event.terms !== undefined) void anchorCrls.round()
    crls.noted(event)
    ocsp.noted(event)
    responders.noted(event)
    if (event.type !== 'credential-revoked') return
    if (event.identityId === hubIdentityId) void renewal.exchange()
  })
  closing.add('events', () => follower.stop())
  gate.sweep(follower)
  watch.begin({
    ...{ store, journal: store, authorities, gate, broker: upstream, crls },
    serverCertificate: renewal,
    followers: { gate: gate.following(follower) },
  })

  return {
    addresses: { ...addresses, api, gateLink: gate.link?.address ?? null, metrics: watch.address },
    publicName: names.publicName,
    rootFingerprint: authorities.root().fingerprint,
    caPath: directory.ca,
    adminKeyPath: directory.adminKey,
    socketPath,
    firstStart: names.firstStart,
    adoptionsWaiting: await store.adoptions.count(),
    registryNote: foundation.registryNote,
    passphraseNote: passphraseNote(config, directory),
    upstreamNote: broker.note,
    stop() {
      readiness.stop()
      return closing.run()
    },
  }
}

function firstOf(addresses: readonly ListenerAddress[]): ListenerAddress {
  const [first] = addresses
  assert(first !== undefined, 'a gate has a listener')
  return first
}

/** The certificate that the operator brings, beside our own: devices that enrolled know our names and our root. */
function openBrought(config: HubConfig, names: HubNames, log: Log, closing: Closing): BroughtFiles | null {
  if (config.tls === null) return null
  const brought = openBroughtFiles({ clock, log }, config.tls, [names.publicName, ...names.formerNames])
  closing.add('brought certificate', () => brought.stop())
  return brought
}

function passphraseNote(config: HubConfig, directory: DataDirectory): string {
  if (config.passphrase === null) return `encrypted with the generated key file ${directory.passphraseFile}`
  return 'file' in config.passphrase
    ? `encrypted with the passphrase in ${config.passphrase.file}`
    : 'encrypted with the passphrase in HANDFAST_PASSPHRASE'
}

function urlHost(name: string): string {
  return name.includes(':') ? `[${name}]` : name
}
