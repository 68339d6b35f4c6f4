/** What stands behind the listeners of a hub: its folder, registry, journal, keys, names and authorities. */
import { existsSync } from 'node:fs'
import { sep } from 'node:path'
import type { HubConfig } from '../config/config.ts'
import type { Secret } from '../core/secret.ts'
import { writeDurably } from '../disk/durable-file.ts'
import type { Authorities } from '../hub/authorities.ts'
import { establishAuthorities } from '../hub/establish-authorities.ts'
import { establishNames, type HubNames } from '../hub/hub-names.ts'
import { listenerPurpose } from '../hub/listen-failure.ts'
import type { Log } from '../hub/ports/log.ts'
import type { KeyStore } from '../hub/ports/signer.ts'
import type { JournaledStore } from '../journal/journaled-store.ts'
import { openKeyFolder } from '../keys/file/key-folder.ts'
import { readPassphrase } from '../keys/file/passphrase.ts'
import { openKeyTable } from '../keys/registry/key-table.ts'
import { assertBroughtFiles } from '../machine/brought-files.ts'
import { type DataDirectory, prepareDataDirectory } from '../machine/data-directory.ts'
import { assertPortsFree, type WantedPort } from '../machine/free-ports.ts'
import { defaultPublicName, parsePublicName } from '../machine/host-names.ts'
import { finishRestore } from '../machine/pending-restore.ts'
import { systemClock as clock, systemRandom as random } from '../machine/system.ts'
import { lockDataDirectory } from '../store/sqlite/data-lock.ts'
import { ensureAdminKey } from './admin-key.ts'
import type { Closing } from './closing.ts'
import { openWatch, type Watch } from './figures.ts'
import { openHubJournal, openJournalFolder } from './journal.ts'
import { openRegistry } from './registry.ts'
import { assertBrokerUsable } from './upstream.ts'

export interface Foundation {
  readonly directory: DataDirectory
  readonly watch: Watch
  /** The registry, whose acts are acknowledged when the journal holds them. */
  readonly store: JournaledStore
  /** Where the registry is, in words. */
  readonly registryNote: string
  /** Null where this process is alone with its registry. */
  readonly instance: string | null
  /** The keys of this process's listeners. */
  readonly keys: KeyStore
  /** The keys of the authorities. */
  readonly authorityKeys: KeyStore
  readonly names: HubNames
  readonly authorities: Authorities
}

/**
 * Lays it, and makes what a first start must make.
 *
 * @throws HubError of the `hub` stage; what was opened until then is in `closing`
 */
export async function openFoundation(config: HubConfig, log: Log, closing: Closing): Promise<Foundation> {
  const given = await readGiven(config)
  // Of a second hub on one folder, its taken ports are not the news: where there is one already, the lock is first.
  const isNew = !existsSync(config.dataDirectory)
  if (isNew) {
    await assertPortsFree(portsOf(config))
    if (!isBelow(config.journal, config.dataDirectory)) await openJournalFolder(config.journal)
  }
  const directory = await prepareDataDirectory(config.dataDirectory, log)
  const lock = lockDataDirectory(directory.lock)
  closing.add('lock', () => lock.release())
  await finishRestore(directory)
  if (!isNew) await assertPortsFree(portsOf(config))
  const watch = await openWatch(config, log)
  const { observer } = watch
  closing.add('metrics', () => watch.close())

  const { store: registry, instance, note: registryNote } = await openRegistry(config, directory, log, observer)
  closing.add('registry', () => registry.close())
  const passphrase = given.passphrase ?? (await readPassphrase(null, directory.passphraseFile))
  // Keys of the listeners belong to this process; those of the authorities to all that share the registry.
  const keys = await openKeyFolder({ folder: directory.keys, passphrase })
  const authorityKeys = instance === null ? keys : await openKeyTable(registry, passphrase)

  const journal = await openHubJournal({ config, directory, registry, log })
  closing.add('journal', () => journal.close())
  const names = await establishNames(
    { store: registry, clock },
    { realm: config.realm, publicName: given.publicName },
    defaultPublicName,
  )
  const authorities = await establishAuthorities({
    store: registry,
    keys: authorityKeys,
    clock,
    random,
    realm: names.realm,
  })
  const writeRoots = (): void => writeDurably(directory.ca, authorities.rootsPem(), 0o644)
  writeRoots()
  authorities.onChange(writeRoots)
  const store = await journal.guard(authorities.firstRoot().fingerprint)
  closing.add('store', async () => {
    const head = await store.audit.head().catch(() => null)
    await store.close()
    if (head !== null) log.info('the audit log ends here', { ...head })
  })
  log.info('the audit log goes on from here', { ...(await store.audit.head()) })
  await ensureAdminKey(directory, store, instance)
  return { directory, watch, store, registryNote, instance, keys, authorityKeys, names, authorities }
}

function isBelow(path: string, folder: string): boolean {
  return path.startsWith(`${folder}${sep}`)
}

/**
 * What the operator names, read before anything is made: a first start that fails for it leaves nothing behind.
 *
 * @throws HubError `config-invalid`, `broker-program-unusable`, `broker-settings-unusable`, `server-certificate-unusable`
 */
async function readGiven(
  config: HubConfig,
): Promise<{ readonly publicName: string | null; readonly passphrase: Secret | null }> {
  const publicName = config.publicName === null ? null : parsePublicName(config.publicName)
  assertBrokerUsable(config.broker)
  if (config.tls !== null) assertBroughtFiles(clock, config.tls, publicName === null ? [] : [publicName])
  return { publicName, passphrase: config.passphrase === null ? null : await readPassphrase(config.passphrase, '') }
}

function portsOf({
  host,
  httpPort,
  httpsPort,
  listeners,
  apiListen,
  gateLink,
  metricsListen,
}: HubConfig): readonly WantedPort[] {
  return [
    { purpose: 'HTTP', host, port: httpPort },
    { purpose: 'HTTPS', host, port: httpsPort },
    ...listeners.map(({ name, ...at }) => ({ purpose: listenerPurpose(name), ...at })),
    ...(apiListen === null ? [] : [{ purpose: 'API', ...apiListen }]),
    ...(gateLink === null ? [] : [{ purpose: 'gate-link', ...gateLink }]),
    ...(metricsListen === null ? [] : [{ purpose: 'metrics', ...metricsListen }]),
  ]
}
