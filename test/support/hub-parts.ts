/** The parts of a hub for tests of its use cases: a real store, real signatures, a clock that stands still. */
import { createPublicKey, generateKeyPairSync, type KeyObject, randomBytes, sign } from 'node:crypto'
import { join } from 'node:path'
import { HubError } from '../../src/core/errors.ts'
import { parseIdentityId, parseRealm, type Realm } from '../../src/core/identity/id.ts'
import { Secret } from '../../src/core/secret.ts'
import { certificateRequest, makeKey } from '../../src/device/certificate-request.ts'
import { type Authorities, type Authority, establishAuthorities } from '../../src/hub/authorities.ts'
import type { Log, LogFields } from '../../src/hub/ports/log.ts'
import type { Observer } from '../../src/hub/ports/observer.ts'
import type { KeyStore, Signer } from '../../src/hub/ports/signer.ts'
import type { Store } from '../../src/hub/ports/store.ts'
import { registerDevice, type TokenGrant } from '../../src/hub/register-device.ts'
import { openSqliteStore } from '../../src/store/sqlite/sqlite-store.ts'
import { temporaryFolder } from './temporary-folder.ts'

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

/** Keys in memory. */
export class MemoryKeys implements KeyStore {
  readonly #keys = new Map<string, KeyObject>()

  async create(name: string): Promise<Signer> {
    this.#keys.set(name, generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey)
    return this.open(name)
  }

  async has(name: string): Promise<boolean> {
    return this.#keys.has(name)
  }

  async open(name: string): Promise<Signer> {
    const key = this.#keys.get(name)
    if (key === undefined) throw new HubError('key-file-damaged', `there is no key ${name}`)
    return {
      publicKey: createPublicKey(key).export({ type: 'spki', format: 'der' }),
      sign: async (bytes) => sign('sha256', bytes, key),
    }
  }

  async exportPem(name: string): Promise<Secret> {
    const key = this.#keys.get(name)
    if (key === undefined) throw new HubError('key-file-damaged', `there is no key ${name}`)
    return new Secret(key.export({ type: 'pkcs8', format: 'pem' }).toString())
  }
}

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
  readonly actor: 'key:test'
  crlUrl(authorityId: string): string
}

/** 21 November 2026, noon. */
export const noonMs: number = Date.UTC(2026, 10, 21, 12)

export async function hubParts(
  context: { after(step: () => unknown): unknown },
  folder: string = temporaryFolder(context),
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
    issuing: authorities.issuing,
    instance: null,
    log: new LogBook(),
    observer: new ObserverBook(),
    actor: 'key:test',
    crlUrl: (authorityId) => `http://hub.plant.example:8080/crl/${authorityId}.crl`,
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
