/** Where the hub is and which key opens its API. */
import { X509Certificate } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { isIP } from 'node:net'
import { join, resolve } from 'node:path'
import { resolveConfig } from '../config/resolve.ts'
import { HubError, quote } from '../core/errors.ts'
import { Secret } from '../core/secret.ts'
import { unreadable } from '../core/unreadable.ts'
import { type ClientCertificate, clientCertificate } from './client-certificate.ts'

export interface WhereToLook {
  /** The data directory named with --data, or undefined. */
  readonly data: string | undefined
  readonly env: Readonly<Record<string, string | undefined>>
  /** The current directory, absolute. */
  readonly directory: string
}

export type HubLocation = (
  | { readonly kind: 'socket'; readonly socketPath: string }
  | {
      readonly kind: 'url'
      readonly url: URL
      /** The certificates that are trusted, with the file that holds them; null for those of the system. */
      readonly ca: { readonly pem: string; readonly file: string } | null
      /** In place of a key. */
      readonly certificate: ClientCertificate | null
    }
) & {
  /** Null where a certificate says who asks. */
  readonly key: Secret | null
  /** How messages name it. */
  readonly place: string
}

/**
 * --data comes first, then HANDFAST_URL with HANDFAST_KEY, HANDFAST_KEY_FILE or HANDFAST_CERT, then the data directory of the settings,
 * read as the hub reads them: HANDFAST_DATA, `handfast.yaml`, `./data`.
 *
 * @throws HubError `hub-not-found`, `data-directory-unusable`, `usage`, `config-invalid`
 */
export function locateHub({ data, env, directory }: WhereToLook): HubLocation {
  const { dataDirectory } = resolveConfig({ flags: { data }, env, file: env.HANDFAST_CONFIG || null, directory })
  if (data === undefined && env.HANDFAST_URL) return fromUrl(env.HANDFAST_URL, env, directory)
  return fromDataDirectory(dataDirectory)
}

function fromUrl(text: string, env: WhereToLook['env'], directory: string): HubLocation {
  const url = parseHubUrl(text)
  const file = env.HANDFAST_KEY_FILE
  const key = env.HANDFAST_KEY || (file ? readRequired(resolve(directory, file), 'HANDFAST_KEY_FILE') : '')
  const certificate = clientCertificate(env, directory)
  if (key === '' && certificate === null) {
    throw new HubError('key-missing', 'HANDFAST_URL is set, and neither a key nor a certificate is', {
      hint: 'set HANDFAST_KEY, HANDFAST_KEY_FILE to a file that holds the key, or HANDFAST_CERT to your certificate',
    })
  }
  if (key !== '' && certificate !== null) {
    throw new HubError('usage', 'both a key and HANDFAST_CERT are set, and only one of them can say who asks', {
      hint: 'unset HANDFAST_CERT, or HANDFAST_KEY and HANDFAST_KEY_FILE',
    })
  }
  const ca = env.HANDFAST_CA ? readCa(resolve(directory, env.HANDFAST_CA)) : null
  if (certificate !== null && url.protocol !== 'https:') {
    throw new HubError('usage', `a certificate cannot be shown to ${quote(url.origin)}, which has no TLS`, {
      hint: 'write https:// in HANDFAST_URL',
    })
  }
  return { kind: 'url', url, ca, certificate, key: key === '' ? null : checkedKey(key), place: url.origin }
}

/** Only an origin is taken: the key must not be sent in the clear, and a path is a mistake. */
function parseHubUrl(text: string): URL {
  const refusal = (fault: string, hint: string): HubError =>
    new HubError('usage', `HANDFAST_URL ${quote(text)} ${fault}`, { hint })
  const isFull = /^[a-z][a-z0-9+.-]*:\/\//i.test(text)
  const whole = isFull ? text : `https://${text}`
  if (!URL.canParse(whole)) throw refusal('is not a URL', 'write it as in https://hub.example:9443')
  const url = new URL(whole)
  if (url.username !== '' || url.password !== '') {
    // The message must not repeat what may be a secret.
    throw new HubError('usage', 'HANDFAST_URL holds a user name or a password', {
      hint: `write https://${url.host} and put the key into HANDFAST_KEY`,
    })
  }
  const isSafe = url.protocol === 'https:' || (url.protocol === 'http:' && isLoopback(url.hostname))
  const port = url.port === '' ? ':<port>, with the port of --api-listen' : ''
  if (!isFull || !isSafe) throw refusal('does not begin with https://', `write https://${url.host}${port}`)
  if (url.pathname !== '/' || url.search !== '' || url.hash !== '') {
    throw refusal('has more than a host and a port', `write ${url.origin}`)
  }
  return url
}

function readCa(path: string): { readonly pem: string; readonly file: string } {
  const pem = readRequired(path, 'HANDFAST_CA')
  try {
    new X509Certificate(pem)
  } catch (error) {
    throw new HubError('usage', `the file ${quote(path)} of HANDFAST_CA holds no certificate`, {
      hint: 'give a copy of the file ca.pem of the hub',
      cause: error,
    })
  }
  return { pem, file: path }
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '[::1]' || (isIP(host) === 4 && host.startsWith('127.'))
}

function fromDataDirectory(path: string): HubLocation {
  const place = `data directory ${quote(path)}`
  const pointer = readPrivate(join(path, 'run', 'api.json'), place)
  const key = readPrivate(join(path, 'admin.key'), place)
  const socketPath = socketOf(pointer)
  if (socketPath === null) throw new HubError('hub-not-found', `no hub runs on the ${place}`)
  return { kind: 'socket', socketPath, key: checkedKey(key.trim()), place }
}

/** A key goes into a header: anything else in it than printable ASCII is a wrong file. */
function checkedKey(key: string): Secret {
  if (/^[\x21-\x7e]{1,256}$/.test(key)) return new Secret(key)
  throw new HubError('key-invalid', 'what was given as the API key does not have the form of one')
}

function socketOf(pointer: string): string | null {
  try {
    const value: unknown = JSON.parse(pointer)
    const socket: unknown = typeof value === 'object' && value !== null ? Reflect.get(value, 'socket') : null
    return typeof socket === 'string' ? socket : null
  } catch {
    return null
  }
}

/** A file of the data directory; one that is not there means that no hub runs. */
function readPrivate(path: string, place: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'ENOENT' || code === 'ENOTDIR') throw new HubError('hub-not-found', `no hub runs on the ${place}`)
    throw new HubError('data-directory-unusable', `this user may not read ${quote(path)} (${code})`, {
      hint: 'run this as the user that runs the hub, or set HANDFAST_URL and HANDFAST_KEY',
      cause: error,
    })
  }
}

function readRequired(path: string, variable: string): string {
  try {
    return readFileSync(path, 'utf8').trim()
  } catch (error) {
    const { words, hint } = unreadable(error)
    throw new HubError('usage', `the file ${quote(path)} of ${variable} ${words}`, { hint, cause: error })
  }
}
