/** The parts of a hub for tests of its use cases: a real store, real signatures, a clock that stands still. */
import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { parseIdentityId, parseRealm, type Realm } from '../../src/core/identity/id.ts'
import { Secret } from '../../src/core/secret.ts'
import type { AuthorityKeyType } from '../../src/core/x509/authority-key.ts'
import { certificateRequest, makeKey } from '../../src/device/certificate-request.ts'
import type { Authorities } from '../../src/hub/authorities.ts'
import type { Authority } from '../../src/hub/authority.ts'
import { statusPlaces } from '../../src/hub/crl-places.ts'
import { EnrolmentRates } from '../../src/hub/enrolment-rates.ts'
import { establishAuthorities } from '../../src/hub/establish-authorities.ts'
import type { Log, LogFields } from '../../src/hub/ports/log.ts'
import type { Observer } from '../../src/hub/ports/observer.ts'
import type { KeyStore, Signer } from '../../src/hub/ports/signer.ts'
import type { StatusPlaces } from '../../src/hub/ports/status-places.ts'
import type { Store } from '../../src/hub/ports/store.ts'
import { registerDevice, type TokenGrant } from '../../src/hub/register-device.ts'
import { openKeyRing } from '../../src/keys/key-ring.ts'
import { openSqliteStore } from '../../src/store/sqlite/sqlite-store.ts'
import { memoryFolder } from './temporary-folder.ts'

/** A clock that moves only when it is told to. */
export class StandingClock {
  #nowMs: number

  constructor(startMs: number) {
    this.#nowMs = startMs
  }

  nowMs(): number {
    return this.#nowMs
  }

  advance(ms: number): void {
    this.#nowMs += ms
  }
}

/** One ring for all tests of a process, because a passphrase takes a tenth of a second to become a key. */
const files = new Map<string, string>()
const ring = openKeyRing(
  {
    place: 'memory',
    read: async (name) => files.get(name) ?? null,
    names: async () => [...files.keys()],
    writeNew: async (name, text) => {
      if (files.has(name)) return false
      files.set(name, text)
      return true
    },
    remove: async (name) => void files.delete(name),
  },
  new Secret('of the tests'),
)
let keyRooms = 0

/** Keys in memory; each has a room of its own. */
export class MemoryKeys implements KeyStore {
  readonly #room = `room-${keyRooms++}`

  async create(name: string, type?: AuthorityKeyType): Promise<Signer> {
    return (await ring).create(this.#named(name), type)
  }

  async has(name: string): Promise<boolean> {
    return (await ring).has(this.#named(name))
  }

  async open(name: string): Promise<Signer> {
    return (await ring).open(this.#named(name))
  }

  async exportPem(name: string): Promise<Secret> {
    return (await ring).exportPem(this.#named(name))
  }

  async exportEncrypted(name: string, passphrase: Secret): Promise<string> {
    return (await ring).exportEncrypted(this.#named(name), passphrase)
  }

  async importPem(name: string, ...rest: Tail<Parameters<KeyStore['importPem']>>): Promise<Signer> {
    return (await ring).importPem(this.#named(name), ...rest)
  }

  async assertOpens(...asked: Parameters<KeyStore['assertOpens']>): Promise<void> {
    return (await ring).assertOpens(...asked)
  }

  async remove(name: string): Promise<void> {
    return (await ring).remove(this.#named(name))
  }

  #named(name: string): string {
    return `${this.#room}-${name}`
  }
}

type Tail<T extends readonly unknown[]> = T extends readonly [unknown, ...infer Rest] ? Rest : never

/** A log that keeps its lines. */
export class LogBook implements Log {
  readonly lines: { readonly level: keyof Log; readonly message: string; readonly fields: LogFields }[] = []
  debug(message: string, fields: LogFields = {}): void {
    this.lines.push({ level: 'debug', message, fields })
  }
  info(message: string, fields: LogFields = {}): void {
    this.lines.push({ level: 'info', message, fields })
  }
  warn(message: string, fields: LogFields = {}): void {
    this.lines.push({ level: 'warn', message, fields })
  }
  error(message: string, fields: LogFields = {}): void {
    this.lines.push({ level: 'error', message, fields })
  }
}

/** An observer that keeps what it is told, each as a line: `renewal device renewed`. */
export class ObserverBook implements Observer {
  readonly lines: string[] = []
  attempt({ listener, outcome, stage, code }: Parameters<Observer['attempt']>[0]): void {
    this.#tell('attempt', listener, outcome, stage, code)
  }
  attemptDropped(): void {
    this.#tell('attemptDropped')
  }
  packetDenied(...args: Parameters<Observer['packetDenied']>): void {
    this.#tell('packetDenied', ...args)
  }
  shadowDiffered(...args: Parameters<Observer['shadowDiffered']>): void {
    this.#tell('shadowDiffered', ...args)
  }
  sessionEnded(...args: Parameters<Observer['sessionEnded']>): void {
    this.#tell('sessionEnded', ...args)
  }
  issuance(...args: Parameters<Observer['issuance']>): void {
    this.#tell('issuance', ...args)
  }
  enrolmentRefused(...args: Parameters<Observer['enrolmentRefused']>): void {
    this.#tell('enrolmentRefused', ...args)
  }
  renewal(...args: Parameters<Observer['renewal']>): void {
    this.#tell('renewal', ...args)
  }
  renewalContested(...args: Parameters<Observer['renewalContested']>): void {
    this.#tell('renewalContested', ...args)
  }
  revocationApplied(...args: Parameters<Observer['revocationApplied']>): void {
    this.#tell('revocationApplied', ...args)
  }
  actRefused(...args: Parameters<Observer['actRefused']>): void {
    this.#tell('actRefused', ...args)
  }
  committed(units: number): void {
    this.#tell('committed', units)
  }
  writesRefused(...args: Parameters<Observer['writesRefused']>): void {
    this.#tell('writesRefused', ...args)
  }
  #tell(...words: readonly unknown[]): void {
    this.lines.push(words.join(' '))
  }
}

export interface HubParts {
  readonly store: Store
  readonly databasePath: string
  readonly keys: MemoryKeys
  readonly clock: StandingClock
  readonly random: { bytes(count: number): Uint8Array }
  readonly realm: Realm
  readonly authorities: Authorities
  readonly issuing: Authority
  readonly instance: null
  readonly log: LogBook
  readonly observer: ObserverBook
  readonly rates: EnrolmentRates
  readonly actor: 'key:test'
  readonly statusPlaces: StatusPlaces
}

/** Where the hubs of tests would tell the status of certificates. */
export const statusBase = 'http://hub.plant.example:8080'

/** 21 November 2026, noon. */
export const noonMs: number = Date.UTC(2026, 10, 21, 12)

export async function hubParts(
  context: { after(step: () => unknown): unknown },
  folder: string = memoryFolder(context),
): Promise<HubParts> {
  const clock = new StandingClock(noonMs)
  const databasePath = join(folder, 'hub.db')
  const store = await openSqliteStore({ path: databasePath, clock })
  context.after(() => store.close())
  const keys = new MemoryKeys()
  const random = { bytes: (count: number) => randomBytes(count) }
  const realm = parseRealm('plant.example')
  const authorities = await establishAuthorities({ store, keys, clock, random, realm })
  return {
    store,
    databasePath,
    keys,
    clock,
    random,
    realm,
    authorities,
    issuing: authorities.issuing(),
    instance: null,
    log: new LogBook(),
    observer: new ObserverBook(),
    rates: new EnrolmentRates(clock),
    actor: 'key:test',
    statusPlaces: statusPlaces({ store }, statusBase),
  }
}

/** A device that has just been registered, with a token of a day. */
export function registered(hub: HubParts, id: string): Promise<TokenGrant> {
  return registerDevice(hub, hub.actor, { id, group: null, attributes: {}, tokenLifetimeSec: 86_400 })
}

/** A key on the device and a request made with it. */
export function deviceRequest(id: string): { key: Secret; certificateRequest: Uint8Array } {
  const key = makeKey()
  return { key, certificateRequest: certificateRequest(parseIdentityId(id), key) }
}
