/** The one place where a hub is put together from its concrete parts. */
import { rm, writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import type { FastifyInstance } from 'fastify'
import type { HubView } from './api-schema/views.ts'
import { Closing } from './compose-closing.ts'
import { openWatch } from './compose-figures.ts'
import { openHubJournal } from './compose-journal.ts'
import { openRegistry } from './compose-registry.ts'
import type { HubConfig } from './config/config.ts'
import { HubError } from './core/errors.ts'
import type { FailureName } from './core/failure/catalogue.ts'
import { Secret } from './core/secret.ts'
import { encodePem } from './core/x509/pem.ts'
import { writeDurably } from './disk/durable-file.ts'
import { type Gate, startGate } from './gate/gate.ts'
import { startEmbeddedUpstream } from './gate/upstream/embedded/embedded-upstream.ts'
import { apiServer } from './http/api/api-server.ts'
import { estServer } from './http/est/est-server.ts'
import { listenOn, tlsOptions } from './http/listen.ts'
import { crlPath, statusServer } from './http/status/status-server.ts'
import { registryAdmission } from './hub/admit.ts'
import { authenticateApiKey, createApiKey } from './hub/api-keys.ts'
import { establishAuthorities } from './hub/authorities.ts'
import { FailureLimiter } from './hub/failure-limiter.ts'
import { followEvents } from './hub/follow-events.ts'
import { establishNames } from './hub/hub-names.ts'
import { limitLog } from './hub/limit-log.ts'
import type { HubEvent } from './hub/ports/events.ts'
import type { Log } from './hub/ports/log.ts'
import type { Store } from './hub/ports/store.ts'
import { currentCrl } from './hub/publish-crl.ts'
import { attemptRecorder } from './hub/record-attempts.ts'
import { keepCrlsFresh } from './hub/refresh-crls.ts'
import { keepAnswersFew } from './hub/remove-old-answers.ts'
import { keepServerCertificate } from './hub/renew-server-certificate.ts'
import { currentServerCertificate, hubIdentityId, type ServerCertificate } from './hub/server-certificate.ts'
import { sweepSessions } from './hub/sweep-sessions.ts'
import { openKeyFolder } from './keys/file/key-folder.ts'
import { readPassphrase } from './keys/file/passphrase.ts'
import { openKeyTable } from './keys/registry/key-table.ts'
import { apiSocketPath, type DataDirectory, prepareDataDirectory, readIfThere } from './machine/data-directory.ts'
import { assertPortsFree } from './machine/free-ports.ts'
import { defaultPublicName, parsePublicName, serverNames } from './machine/host-names.ts'
import { finishRestore } from './machine/pending-restore.ts'
import { systemClock as clock, systemRandom as random } from './machine/system.ts'
import { lockDataDirectory } from './store/sqlite/data-lock.ts'
import { version } from './version.ts'

export interface Endpoint {
  readonly host: string
  readonly port: number
}

/** A hub that serves. */
export interface RunningHub {
  readonly addresses: {
    readonly mqtt: Endpoint
    readonly https: Endpoint
    readonly http: Endpoint
    /** The admin API over TLS; null where only the unix socket serves it. */
    readonly api: Endpoint | null
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
  /** What of the broker's sessions survives a restart, in words. */
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
  const { host, apiListen, metricsListen } = config
  const directory = await prepareDataDirectory(config.dataDirectory, log)
  // Before the ports: of a second hub on one folder, its taken ports are not the news.
  const lock = lockDataDirectory(directory.lock)
  closing.add('lock', () => lock.release())
  await finishRestore(directory)
  await assertPortsFree([
    { purpose: 'HTTP', host, port: config.httpPort },
    { purpose: 'HTTPS', host, port: config.httpsPort },
    { purpose: 'MQTT', host, port: config.mqttPort },
    ...(apiListen === null ? [] : [{ purpose: 'API', ...apiListen }]),
    ...(metricsListen === null ? [] : [{ purpose: 'metrics', ...metricsListen }]),
  ])
  const watch = await openWatch(config, log)
  const { observer, readiness } = watch
  closing.add('metrics', () => watch.close())

  const { store: registry, instance, note: registryNote } = await openRegistry(config, directory, log, observer)
  closing.add('registry', () => registry.close())
  const passphrase = await readPassphrase(config.passphrase, directory.passphraseFile)
  // Keys of the listeners belong to this process; those of the authorities to all that share the registry.
  const keys = await openKeyFolder({ folder: directory.keys, passphrase })
  const authorityKeys = instance === null ? keys : await openKeyTable(registry, passphrase)

  const journal = await openHubJournal({ config, directory, registry, log })
  closing.add('journal', () => journal.close())
  const names = await establishNames(
    { store: registry, clock },
    { realm: config.realm, publicName: config.publicName === null ? null : parsePublicName(config.publicName) },
    defaultPublicName,
  )
  const authorities = await establishAuthorities({
    store: registry,
    keys: authorityKeys,
    clock,
    random,
    realm: names.realm,
  })
  const rootsPem = encodePem('CERTIFICATE', authorities.root.certificate)
  writeDurably(directory.ca, rootsPem, 0o644)
  const store = await journal.guard(authorities.root.fingerprint)
  closing.add('store', async () => {
    const head = await store.audit.head().catch(() => null)
    await store.close()
    if (head !== null) log.info('the audit log ends here', { ...head })
  })
  log.info('the audit log goes on from here', { ...(await store.audit.head()) })
  await ensureAdminKey(directory, store, instance)

  const attempts = attemptRecorder({ store, clock, log, observer })
  closing.add('attempts', () => attempts.stop())
  const status = statusServer({
    caCertificates: new Map([authorities.root, authorities.issuing].map((ca) => [ca.id, ca.certificate])),
    rootsPem,
    crl: (authorityId) => currentCrl({ store, clock, authorities }, authorityId),
    readiness,
    clock,
    log,
  })
  closing.add('http', () => status.close())
  const http = await listenOn(status, 'HTTP', config.host, config.httpPort)
  const crlUrl = (authorityId: string): string =>
    `http://${urlHost(names.publicName)}:${http.port}${crlPath(authorityId)}`
  const crls = keepCrlsFresh({ store, clock, authorities, log, observer })
  closing.add('CRLs', () => crls.stop())
  const oldAnswers = keepAnswersFew({ store, clock, log }, instance ?? 'alone')
  closing.add('old answers', () => oldAnswers.stop())

  const { realm } = names
  const issuer = {
    ...{ store, keys, instance, clock, random, observer, realm, authorities },
    issuing: authorities.issuing,
    crlUrl,
  }
  const certificate = await currentServerCertificate(issuer, serverNames(names.publicName, names.formerNames))

  const est = estServer({
    hub: issuer,
    caCertificates: [authorities.root.certificate, authorities.issuing.certificate],
    limiter: new FailureLimiter(clock),
    attempts,
    log,
    tls: certificate,
  })
  closing.add('https', () => est.close())
  const https = await listenOn(est, 'HTTPS', config.host, config.httpsPort)

  // Read before the first connection is judged: what is revoked from here on closes sessions.
  const lastEvent = await store.events.last()
  const upstream = await startEmbeddedUpstream({ log })
  closing.add('upstream', () => upstream.stop())
  const gate = await startGate({
    listenerName: 'mqtt',
    host: config.host,
    port: config.mqttPort,
    certificate,
    sessionTickets: config.sessionTickets,
    admission: registryAdmission({ store, clock, authorities }),
    attempts,
    observer,
    upstream,
    clock,
    random,
    log,
  })
  closing.add('gate', () => gate.stop())

  const addresses = { mqtt: gate.address, https, http }
  let api: Endpoint | null = null
  const describeHub = (): HubView => ({
    version,
    realm: names.realm,
    publicName: names.publicName,
    ...addresses,
    api,
    rootFingerprint: authorities.root.fingerprint,
    ca: rootsPem,
    sessions: gate.sessionCount(),
    upstream: { kind: 'embedded', available: upstream.isAvailable() },
  })
  const apiOptions = {
    hub: { store, clock, random },
    log,
    flushAttempts: () => attempts.flush(),
    describeHub,
  }
  const tlsApps = [est]
  const socketPath = await openApiSocket(apiServer(apiOptions), directory, closing)
  if (apiListen !== null) {
    const remote = apiServer({ ...apiOptions, limiter: new FailureLimiter(clock), tls: certificate })
    closing.add('API', () => remote.close())
    api = await listenOn(remote, 'API', apiListen.host, apiListen.port)
    tlsApps.push(remote)
  }

  const renewal = keepServerCertificate({ clock, log, observer }, certificate, {
    current: () => currentServerCertificate(issuer, serverNames(names.publicName, names.formerNames)),
    use: (renewed) => exchangeCertificate(renewed, gate, tlsApps),
  })
  closing.add('server certificate', renewal.stop)

  const follower = followEvents({ store, log }, lastEvent, (event) => {
    closeSessions(gate, event)
    if (event.type !== 'credential-revoked') return
    observer.revocationApplied('gate', clock.nowMs() - event.atMs)
    crls.revoked(event.authorityId, event.number, event.atMs)
    if (event.identityId === hubIdentityId) void renewal.exchange()
  })
  closing.add('events', () => follower.stop())
  const sweep = sweepSessions({ store, log }, gate, follower)
  closing.add('sweep', () => sweep.stop())
  watch.begin({
    ...{ store, journal: store, authorities, gate, broker: upstream, crls },
    serverCertificate: renewal,
    followers: { gate: follower },
  })

  return {
    addresses: { ...addresses, api, metrics: watch.address },
    publicName: names.publicName,
    rootFingerprint: authorities.root.fingerprint,
    caPath: directory.ca,
    adminKeyPath: directory.adminKey,
    socketPath,
    firstStart: names.firstStart,
    adoptionsWaiting: await store.adoptions.count(),
    registryNote,
    passphraseNote: passphraseNote(config, directory),
    upstreamNote:
      'sessions, queued and retained messages of the embedded broker do not survive a restart; all else does',
    stop() {
      readiness.stop()
      return closing.run()
    },
  }
}

/**
 * The key of the command line on this machine. It is made again when its file is gone or holds a key of another life of the
 * registry, since the folder's owner may do anything.
 */
async function ensureAdminKey(directory: DataDirectory, store: Store, instance: string | null): Promise<void> {
  const kept = await readIfThere(directory.adminKey)
  if (kept !== null && (await opensApi(store, kept))) return
  // Each process that shares a registry has a key of its own: one that is made anew ends no other.
  const key = await createApiKey({ store, clock, random }, instance === null ? 'admin' : `admin-${instance}`)
  writeDurably(directory.adminKey, `${key.reveal()}\n`, 0o600)
}

async function opensApi(store: Store, key: string): Promise<boolean> {
  try {
    await authenticateApiKey({ store }, new Secret(key.trim()))
    return true
  } catch (error) {
    if (error instanceof HubError && error.code === 'key-invalid') return false
    throw error
  }
}

function closeSessions(gate: Gate, event: HubEvent): void {
  switch (event.type) {
    case 'credential-revoked':
      gate.closeCredential(event.fingerprint, 'certificate-revoked')
      return
    case 'identity-state-changed': {
      const code = closingCode[event.state]
      if (code !== null) gate.closeIdentity(event.identityId, code)
      return
    }
    default:
  }
}

const closingCode: Readonly<Record<'pending' | 'active' | 'disabled' | 'retired', FailureName | null>> = {
  pending: 'identity-pending',
  active: null,
  disabled: 'identity-disabled',
  retired: 'identity-retired',
}

async function openApiSocket(app: FastifyInstance, directory: DataDirectory, closing: Closing): Promise<string> {
  const path = await apiSocketPath(directory)
  closing.add('API socket', async () => {
    await app.close()
    await rm(directory.apiPointer, { force: true })
    if (dirname(dirname(path)) !== directory.path) await rm(dirname(path), { recursive: true, force: true })
  })
  // The socket must never be open to others, not even for the moment between listen and chmod.
  const umask = process.umask(0o177)
  try {
    await app.listen({ path })
  } finally {
    process.umask(umask)
  }
  await writeFile(directory.apiPointer, `${JSON.stringify({ socket: path })}\n`, { mode: 0o600 })
  return path
}

function exchangeCertificate(certificate: ServerCertificate, gate: Gate, apps: readonly FastifyInstance[]): void {
  gate.setCertificate(certificate)
  for (const app of apps) {
    const { server } = app
    if ('setSecureContext' in server && typeof server.setSecureContext === 'function') {
      server.setSecureContext(tlsOptions(certificate))
    }
  }
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
