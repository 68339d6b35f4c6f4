/**
 * Attachment: outgoing TLS connections of this process show the certificate of the device where the server asks for one, without
 * a line about it in the application.
 *
 * All of them go through `tls.connect`: those of node:https, node:http2, fetch and undici, ws and MQTT.js too. It is replaced by one
 * that adds key, certificate and roots to connections that go to the hosts named, and leaves all others as they were.
 */
import { syncBuiltinESMExports } from 'node:module'
import tls, { type ConnectionOptions, type SecureContext, type SecureContextOptions } from 'node:tls'
import { HubError, quote } from '../../core/errors.ts'
import { failure } from '../../core/failure/catalogue.ts'
import type { CredentialSource, PresentedCredential } from '../credential-source.ts'
import { type ConnectArguments, readConnectArguments } from './connect-arguments.ts'
import { canonicalHost, isNamed, type NamedHost } from './hosts.ts'

export interface AttachOptions {
  readonly source: CredentialSource
  /** Where the certificate is shown; null for the hub that issued it, on every port. */
  readonly hosts: readonly NamedHost[] | null
  /** Told of what keeps a connection from being given the certificate, once until it changes. */
  warn(problem: HubError): void
}

type Connect = typeof tls.connect

const installed = Symbol.for('handfast.attached')

/**
 * Replaces `tls.connect` in this thread. A second call changes nothing.
 *
 * @returns false where an attachment was there already
 */
export function attach(options: AttachOptions): boolean {
  const original = tls.connect
  if (Object.hasOwn(original, installed)) return false
  const connect = attachedConnect(original, options)
  Object.defineProperty(connect, 'name', { value: 'connect' })
  Object.defineProperty(connect, installed, { value: true })
  Object.assign(tls, { connect })
  // For `import { connect } from 'node:tls'`.
  syncBuiltinESMExports()
  return true
}

/** `tls.connect` with the credential added where it belongs. */
export function attachedConnect(original: Connect, options: AttachOptions): Connect {
  const identified = identifier(options)
  return ((...args: readonly unknown[]) => {
    const read = readConnectArguments(args)
    if (read === null) return Reflect.apply(original, tls, args)
    const given = identified.look(read)
    if (given === null) {
      // An agent of the application may still hold a session in which the device has shown itself.
      if (!identified.isOfDevice(read.options.session)) return Reflect.apply(original, tls, args)
      const { session: _, ...options } = read.options
      return original(options, read.callback)
    }
    const socket = original(given.options, read.callback)
    socket.on('session', (session: Buffer) => given.keep(session))
    return socket
  }) as Connect
}

interface Identified {
  readonly options: ConnectionOptions
  /** Remembers a TLS session with the credential that it was made with. */
  keep(session: Buffer): void
}

/** Options that say who connects; an application that gives one of them speaks for itself. */
const ownIdentity = ['key', 'cert', 'pfx', 'secureContext', 'privateKeyIdentifier', 'pskCallback'] as const

interface Identifier {
  /** The options that a connection gets, or null for one to which nothing is added. */
  look(read: ConnectArguments): Identified | null
  /** Whether a TLS session was made with a credential of the device. */
  isOfDevice(session: Buffer | undefined): boolean
}

function identifier({ source, hosts, warn }: AttachOptions): Identifier {
  const contexts = contextMaker()
  const madeWith = new WeakMap<Buffer, PresentedCredential>()
  const tell = once(warn)
  const look = ({ options }: ConnectArguments): Identified | null => {
    if (ownIdentity.some((name) => options[name] !== undefined && options[name] !== null)) return null
    const { host, port } = destination(options)
    if (hosts !== null && !isNamed(hosts, host, port)) return null
    const credential = currentOf(source, tell)
    if (credential === null) return null
    const isHub = credential.hub !== null && canonicalHost(credential.hub.host) === canonicalHost(host)
    if (hosts === null && credential.hub === null) return tell('hub', noHost(source))
    if (hosts === null && !isHub) return null
    if (options.rejectUnauthorized === false) return tell(host, unverified(host))
    tell(host, null)
    const secureContext = contexts(options, credential, isHub)
    const { session, ...rest } = options
    return {
      options: {
        ...rest,
        // Whatever NODE_TLS_REJECT_UNAUTHORIZED says: the roots are at hand.
        rejectUnauthorized: true,
        secureContext,
        // Who resumes a session is whoever began it, and believes whom that one believed.
        ...(session !== undefined && madeWith.get(session) === credential ? { session } : {}),
      },
      keep: (made) => madeWith.set(made, credential),
    }
  }
  return { look, isOfDevice: (session) => session !== undefined && madeWith.has(session) }
}

/** The name that Node verifies the certificate of the server for, and the port. */
function destination(options: ConnectionOptions): { host: string; port: number | null } {
  const socket = options.socket as { _host?: string; remotePort?: number } | undefined
  const host = options.servername || options.host || socket?._host || 'localhost'
  const port = Number(options.port ?? socket?.remotePort ?? Number.NaN)
  return { host, port: Number.isNaN(port) ? null : port }
}

function currentOf(source: CredentialSource, tell: Teller): PresentedCredential | null {
  try {
    const credential = source.current()
    tell('credential', null)
    return credential
  } catch (error) {
    if (!(error instanceof HubError)) throw error
    return tell('credential', error)
  }
}

/** What goes into a context besides the credential; a context is made anew where an application gives any of these. */
const contextOptions: readonly (keyof SecureContextOptions)[] = [
  ...(['allowPartialTrustChain', 'ca', 'ciphers', 'crl', 'dhparam', 'ecdhCurve', 'maxVersion', 'minVersion'] as const),
  ...(['passphrase', 'secureOptions', 'secureProtocol', 'sessionIdContext', 'sessionTimeout', 'sigalgs'] as const),
  ...(['honorCipherOrder', 'ticketKeys'] as const),
]

/**
 * Makes TLS contexts, so that the key stands in no options that an application might print. The servers of the hub are verified
 * with its roots alone: no authority of the public can speak for them. Others may have a certificate of either.
 */
function contextMaker() {
  let kept: { readonly credential: PresentedCredential; readonly contexts: Map<boolean, SecureContext> } | null = null
  return (options: ConnectionOptions, credential: PresentedCredential, isHub: boolean): SecureContext => {
    if (kept?.credential !== credential) kept = { credential, contexts: new Map() }
    const isPlain = contextOptions.every((name) => options[name] === undefined)
    const ready = isPlain ? kept.contexts.get(isHub) : undefined
    if (ready !== undefined) return ready
    const { identity, roots } = credential
    const ownRoots = roots === '' ? [] : [roots]
    const context = tls.createSecureContext({
      ...pick(options),
      key: identity.key.reveal(),
      cert: identity.chain,
      ca: options.ca ?? (isHub && roots !== '' ? ownRoots : [...tls.getCACertificates('default'), ...ownRoots]),
    })
    if (isPlain) kept.contexts.set(isHub, context)
    return context
  }
}

function pick(options: ConnectionOptions): SecureContextOptions {
  return Object.fromEntries(
    contextOptions.filter((name) => options[name] !== undefined).map((name) => [name, options[name]]),
  )
}

/** Tells of a problem of a subject when it is new, and forgets it when it is told that there is none. */
type Teller = (subject: string, problem: HubError | null) => null

/** Subjects that are kept; hosts come from the application, so their number is bounded. */
const subjectsMax = 256

function once(warn: (problem: HubError) => void): Teller {
  const told = new Map<string, string>()
  return (subject, problem) => {
    if (problem === null) told.delete(subject)
    else if (told.get(subject) !== problem.message) {
      if (told.size >= subjectsMax) told.clear()
      told.set(subject, problem.message)
      warn(problem)
    }
    return null
  }
}

function noHost({ path }: CredentialSource): HubError {
  return new HubError('attachment-host-unknown', `the credential in ${quote(path)} names no hub`)
}

function unverified(host: string): HubError {
  const { cause } = failure('attachment-unverified')
  return new HubError('attachment-unverified', `${cause}: ${quote(host)}`)
}
