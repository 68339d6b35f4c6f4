/** Where a PostgreSQL database is, from a URL that holds a password. */
import { readFileSync } from 'node:fs'
import { isIP } from 'node:net'
import type { ConnectionOptions } from 'node:tls'
import { HubError, quote } from '../../core/errors.ts'
import { Secret } from '../../core/secret.ts'
import { unreadable } from '../../core/unreadable.ts'

/** What a connection needs. */
export interface DatabaseAddress {
  readonly host: string
  readonly port: number
  readonly database: string
  readonly user: string
  readonly password: Secret | null
  /** False for none. */
  readonly tls: ConnectionOptions | false
  /** The address without its password, for messages. */
  readonly place: string
}

/** Where the URL comes from. */
export type DatabaseUrlSource = { readonly file: string } | { readonly value: Secret }

const urlCharsMax = 4_096

/** @throws HubError `config-invalid`; the message never repeats the URL, which may hold a password anywhere */
export function readDatabaseAddress(source: DatabaseUrlSource): DatabaseAddress {
  if ('value' in source) return parseDatabaseUrl(source.value, 'HANDFAST_DATABASE_URL')
  let text: Secret
  try {
    text = new Secret(readFileSync(source.file, 'utf8'))
  } catch (cause) {
    const { words, hint } = unreadable(cause)
    throw new HubError('config-invalid', `the database URL file ${quote(source.file)} ${words}`, { hint, cause })
  }
  return parseDatabaseUrl(text, `the file ${quote(source.file)}`)
}

/**
 * @param origin how messages name where it was written
 * @throws HubError `config-invalid`
 */
export function parseDatabaseUrl(secret: Secret, origin: string): DatabaseAddress {
  const text = secret.reveal().trim()
  const refusal = (fault: string, hint = form): HubError =>
    new HubError('config-invalid', `the database URL in ${origin} ${fault}`, { hint })
  if (text.length > urlCharsMax) throw refusal(`is longer than ${urlCharsMax} characters`)
  if (!/^postgres(?:ql)?:\/\//.test(text)) throw refusal('does not begin with postgresql://')
  const url = parsedUrl(text)
  if (url === null) throw refusal('is not a URL')
  const unknown = [...url.searchParams.keys()].find((name) => !parameters.includes(name))
  if (unknown !== undefined) {
    throw refusal(`has the parameter ${quote(unknown)}`, `use no other than ${parameters.join(', ')}`)
  }
  const user = decoded(url.username)
  const password = decoded(url.password)
  const name = decoded(url.pathname.slice(1))
  if (user === null || password === null || name === null) throw refusal('has a "%" that is no escape')
  const host = url.searchParams.get('host') ?? decoded(url.hostname.replace(/^\[(.*)\]$/, '$1')) ?? ''
  if (host === '' || host === noHost) throw refusal('names no host')
  if (user === '') throw refusal('names no user')
  if (name === '' || name.includes('/')) throw refusal('names no database')
  const port = url.port === '' ? 5432 : Number(url.port)
  return {
    host,
    port,
    database: name,
    user,
    password: password === '' ? null : new Secret(password),
    tls: tlsOf(host, url.searchParams, refusal),
    place: `postgresql://${user}@${host.includes(':') ? `[${host}]` : host}:${port}/${name}`,
  }
}

const form = 'write it as in postgresql://user:password@host:5432/database?sslmode=verify-full&sslrootcert=/path/ca.pem'
const parameters = ['host', 'sslmode', 'sslrootcert']

/** Stands in for a host that is left out; a name that no host has (RFC 6761 §6.4). */
const noHost = 'none.invalid'

/** URL wants a scheme that it knows, or it keeps no port and no host. */
function parsedUrl(text: string): URL | null {
  const whole = text.replace(/^postgres(?:ql)?:/, 'http:')
  // libpq lets the host be empty where ?host= names a folder of unix sockets.
  const withHost = whole.replace(/^(http:\/\/(?:[^/@]*@)?)(?=\/)/, `$1${noHost}`)
  if (!URL.canParse(withHost)) return null
  return new URL(withHost)
}

function decoded(text: string): string | null {
  try {
    return decodeURIComponent(text)
  } catch {
    return null
  }
}

/** A server on another machine is reached over verified TLS, unless it is said that it is not. */
function tlsOf(
  host: string,
  query: URLSearchParams,
  refusal: (fault: string, hint?: string) => HubError,
): ConnectionOptions | false {
  const mode = query.get('sslmode') ?? (isThisMachine(host) ? 'disable' : 'verify-full')
  if (mode === 'disable') return false
  if (mode !== 'verify-full') {
    throw refusal(`has sslmode=${quote(mode)}`, 'use verify-full, or disable on a network that nobody else can reach')
  }
  const file = query.get('sslrootcert')
  if (file === null) return { rejectUnauthorized: true }
  try {
    return { rejectUnauthorized: true, ca: readFileSync(file, 'utf8') }
  } catch (cause) {
    throw new HubError('config-invalid', `the file ${quote(file)} of sslrootcert cannot be read`, { cause })
  }
}

function isThisMachine(host: string): boolean {
  return host.startsWith('/') || host === 'localhost' || host === '::1' || (isIP(host) === 4 && host.startsWith('127.'))
}
