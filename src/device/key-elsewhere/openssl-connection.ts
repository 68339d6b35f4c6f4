/**
 * A TLS connection that shows a certificate whose key is elsewhere. Node's TLS cannot use such a key, so the connection is that of
 * the `openssl` program of the machine, and bytes go through it. It verifies the server as Node does: name and chain, or no byte.
 */
import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { isIP } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Duplex } from 'node:stream'
import { HubError } from '../../core/errors.ts'
import { deviceLimits } from '../limits.ts'
import { tellingLine } from './key-program.ts'
import type { OpensslPlace } from './reference.ts'
import { opensslKey, opensslProgram } from './use-key.ts'

export interface OpensslConnection {
  readonly host: string
  readonly port: number
  /** In PEM. */
  readonly roots: string
  /** In PEM, the device's own certificate first. */
  readonly chain: string
  readonly key: OpensslPlace
}

/** Why there is no connection. */
export class NoOpensslConnection extends Error {
  readonly kind: 'unreachable' | 'untrusted' | 'key'

  constructor(kind: NoOpensslConnection['kind'], message: string) {
    super(message)
    this.kind = kind
  }
}

/**
 * Connects, with TLS 1.2 or later.
 *
 * @returns the bytes of the application, after the server has proved itself; its end ends the program
 * @throws NoOpensslConnection
 */
export function openByOpenssl(connection: OpensslConnection): Promise<Duplex> {
  const folder = mkdtempSync(join(tmpdir(), 'handfast-tls-'))
  const [ca, chain] = [join(folder, 'ca.pem'), join(folder, 'chain.pem')]
  writeFileSync(ca, connection.roots, { mode: 0o600 })
  writeFileSync(chain, connection.chain, { mode: 0o600 })
  const child = spawn(opensslProgram, argumentsOf(connection, ca, chain), {
    stdio: ['pipe', 'pipe', 'pipe'],
    env: { ...process.env, ...opensslKey(connection.key).env },
  })
  child.once('close', () => rmSync(folder, { recursive: true, force: true }))
  return established(child)
}

function argumentsOf({ host, port, key }: OpensslConnection, ca: string, chain: string): readonly string[] {
  const { loading, form, uri } = opensslKey(key)
  const isName = isIP(host) === 0
  return [
    's_client',
    ...['-connect', `${host.includes(':') ? `[${host}]` : host}:${port}`],
    // An address has no place in SNI (RFC 6066 §3).
    ...(isName ? ['-servername', host, '-verify_hostname', host] : ['-noservername', '-verify_ip', host]),
    ...['-CAfile', ca, '-no-CApath', '-no-CAstore'],
    // Without a depth nothing is verified, without the other what fails is only told.
    ...['-verify', String(deviceLimits.intermediatesMax + 1), '-verify_return_error'],
    ...['-min_protocol', 'TLSv1.2'],
    ...['-cert', chain, '-cert_chain', chain, ...loading, ...form.flatMap((each) => ['-keyform', each]), '-key', uri],
    // Tells when the handshake has ended, and takes no byte of ours for a command of its own.
    ...['-brief', '-ign_eof'],
  ]
}

function established(child: ChildProcessWithoutNullStreams): Promise<Duplex> {
  return new Promise((resolve, reject) => {
    let said = ''
    const fail = (kind: NoOpensslConnection['kind'], message: string): void => {
      clearTimeout(deadline)
      child.kill('SIGKILL')
      reject(new NoOpensslConnection(kind, message))
    }
    const deadline = setTimeout(
      () => fail('unreachable', `no answer within ${deviceLimits.connectMs / 1000} s`),
      deviceLimits.connectMs,
    )
    child.once('error', (error: NodeJS.ErrnoException) =>
      fail('key', `the program ${opensslProgram} cannot be run (${error.code})`),
    )
    const ended = (): void => {
      const { kind, message } = whyNot(said)
      fail(kind, message)
    }
    child.once('close', ended)
    child.stdin.on('error', () => {})
    const listen = (chunk: Buffer): void => {
      said = (said + chunk.toString('utf8')).slice(-deviceLimits.hookTextCharsMax)
      if (!/^CONNECTION ESTABLISHED\s*$/m.test(said)) return
      clearTimeout(deadline)
      child.off('close', ended)
      child.stderr.off('data', listen).resume()
      resolve(bytesOf(child))
    }
    child.stderr.on('data', listen)
  })
}

function bytesOf(child: ChildProcessWithoutNullStreams): Duplex {
  const bytes = Duplex.from({ readable: child.stdout, writable: child.stdin })
  bytes.on('error', () => {})
  bytes.once('close', () => {
    // A server that has answered closes the connection, and the program ends by itself: it gives a small TPM its memory back then.
    const deadline = setTimeout(() => child.kill('SIGKILL'), deviceLimits.closeMs)
    child.once('exit', () => clearTimeout(deadline))
  })
  return bytes
}

/** What the program said, as a failure. The key is read before anything is connected. */
function whyNot(said: string): { readonly kind: NoOpensslConnection['kind']; readonly message: string } {
  const doubt = /^verify error:num=\d+:(.*)$/m.exec(said)?.[1]
  if (doubt !== undefined) return { kind: 'untrusted', message: doubt.trim() }
  if (
    /could not (?:read|find|open|load)|unable to load|invalid engine|PKCS11_|PKCS#11|^ERROR:(?:esys|tcti|sys)/im.test(
      said,
    )
  ) {
    return { kind: 'key', message: tellingLine(said) }
  }
  return { kind: 'unreachable', message: connectReason(said) }
}

function connectReason(said: string): string {
  if (/connection refused/i.test(said)) return 'connection refused; nothing listens on that port'
  if (/name or service not known|no address associated/i.test(said)) return 'the name does not resolve'
  if (/wrong version number|packet length too long/i.test(said)) {
    return 'what listens on that port does not speak TLS'
  }
  return `the TLS handshake failed (${tellingLine(said) || 'the connection was closed'})`
}

/** For whoever may not come here: the key is not one that openssl can use. */
export function noConnection(): HubError {
  return new HubError(
    'key-elsewhere',
    'the key of this device is elsewhere, and no connection can be made with it from here',
    { hint: 'enrol with --key-uri as well, where the openssl program of this machine can use the key' },
  )
}
