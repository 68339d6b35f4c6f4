/** cfssl as a signing service over TLS, with a certificate database on SQLite. */
import { spawnSync } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import type { Closing } from '../closing.ts'
import type { Side, Target } from '../sides.ts'
import type { PemPair } from './hub-keys.ts'
import { answers, freeTarget, startProgram } from './program.ts'

export interface CfsslOptions {
  readonly name: 'cfssl' | 'cfssl-newer'
  readonly program: string
  /** A folder of its own. */
  readonly folder: string
  /** Certificate and key of the authority that signs, in PEM. */
  readonly authority: PemPair
  /** What it serves with. */
  readonly certificate: PemPair
}

export interface Cfssl extends Side {
  readonly https: Target
  /** Certificates in its database. */
  stored(): number
}

export async function startCfssl(closing: Closing, options: CfsslOptions): Promise<Cfssl> {
  const { name, program, folder, authority, certificate } = options
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  const put = (name: string, text: string): string => {
    const path = join(folder, name)
    writeFileSync(path, text, { mode: 0o600 })
    return path
  }
  const database = join(folder, 'certs.db')
  makeTables(database)
  const https = await freeTarget()
  const flags = {
    address: https.host,
    port: String(https.port),
    ca: put('ca.pem', authority.cert),
    'ca-key': put('ca.key', authority.key),
    config: put('config.json', JSON.stringify(signing)),
    'db-config': put(
      'db.json',
      JSON.stringify({ driver: 'sqlite3', data_source: `file:${database}?_busy_timeout=${busyMs}` }),
    ),
    'tls-cert': put('server.pem', certificate.cert),
    'tls-key': put('server.key', certificate.key),
    // Warnings and worse: a line for each request would be work that the hub does not do either.
    loglevel: '2',
  }
  const args = ['serve', ...Object.entries(flags).map(([name, value]) => `-${name}=${value}`)]
  const { pid, stop } = await startProgram(closing, {
    program,
    args,
    log: join(folder, 'output'),
    hasStarted: () => answers(https),
  })
  return {
    name,
    pids: [pid],
    https,
    stored: () => countCertificates(database),
    stop,
  }
}

/** The version that a cfssl names, and the Go that it was built with. */
export function cfsslVersion(program: string): { readonly version: string; readonly runtime: string } {
  const { stdout } = spawnSync(program, ['version'], { encoding: 'utf8', timeout: 10_000 })
  const field = (name: string): string => new RegExp(`^${name}: (.+)$`, 'm').exec(stdout)?.[1] ?? 'unknown'
  return { version: field('Version'), runtime: field('Runtime') }
}

/** Its writers wait for each other one by one: with the 5 s that the driver gives, some would give up. */
const busyMs = 30_000

/** Ten days, and the usages of a device's certificate. */
const signing = { signing: { default: { usages: ['digital signature', 'client auth'], expiry: '240h' } } }

/**
 * The tables that the migrations of cfssl 1.6 make; older ones leave the last columns empty. The write-ahead log, which the
 * hub has too, costs less than the journal that SQLite would take, and is as safe: commits are synced in both.
 */
function makeTables(path: string): void {
  const database = new DatabaseSync(path)
  database.exec(`
    pragma journal_mode = wal;
    create table certificates (
      serial_number blob not null, authority_key_identifier blob not null, ca_label blob, status blob not null,
      reason int, expiry timestamp, revoked_at timestamp, pem blob not null, issued_at timestamp,
      not_before timestamp, metadata text, sans text, common_name text,
      primary key (serial_number, authority_key_identifier));
    create table ocsp_responses (
      serial_number blob not null, authority_key_identifier blob not null, body blob not null, expiry timestamp,
      primary key (serial_number, authority_key_identifier),
      foreign key (serial_number, authority_key_identifier)
        references certificates (serial_number, authority_key_identifier));
  `)
  database.close()
}

function countCertificates(path: string): number {
  const database = new DatabaseSync(path, { readOnly: true })
  try {
    return Number(database.prepare('select count(*) as count from certificates').get()?.count)
  } finally {
    database.close()
  }
}
