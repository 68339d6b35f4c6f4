/** The broker behind the gate, as the operator chose it. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { HubError, quote } from '../core/errors.ts'
import { limits } from '../core/limits.ts'
import { Secret } from '../core/secret.ts'
import { brokerAddressText } from '../core/upstream/broker-address.ts'
import type { BrokerSettings } from '../core/upstream/broker-settings.ts'
import { startEmbeddedUpstream } from '../gate/upstream/embedded/embedded-upstream.ts'
import { findMosquitto } from '../gate/upstream/managed/find-mosquitto.ts'
import { startManagedMosquitto } from '../gate/upstream/managed/managed-mosquitto.ts'
import type { BrokerLogin } from '../gate/upstream/remote/introduction.ts'
import { startRemoteUpstream } from '../gate/upstream/remote/remote-upstream.ts'
import type { Log } from '../hub/ports/log.ts'
import type { Upstream } from '../hub/ports/upstream.ts'
import { systemRandom as random } from '../machine/system.ts'

export interface ChosenUpstream {
  readonly upstream: Upstream & { restarts(): number }
  readonly kind: 'embedded' | 'mosquitto' | 'remote'
  /** What it is and what of its sessions survives a restart, in words. */
  readonly note: string
}

/**
 * @param dataDirectory where a broker that the hub runs keeps its own
 * @throws HubError `broker-program-unusable`, `broker-settings-unusable`, `upstream-unavailable`
 */
export async function startUpstream(
  settings: BrokerSettings,
  dataDirectory: string,
  log: Log,
): Promise<ChosenUpstream> {
  const { choice } = settings
  if (choice === 'embedded') return embedded(log, 'as asked')
  if (choice === 'automatic' || choice === 'mosquitto') return ownBroker(choice, dataDirectory, log)
  const upstream = await startRemoteUpstream({
    addresses: choice,
    login: readLogin(settings.loginFile),
    clientIds: settings.clientIds,
    tls: readTls(settings),
    ...{ random, log },
  })
  const note = `${choice.map(brokerAddressText).join(', ')}; sessions and messages are kept there`
  return { upstream, kind: 'remote', note }
}

async function ownBroker(choice: 'automatic' | 'mosquitto', dataDirectory: string, log: Log): Promise<ChosenUpstream> {
  const program = findMosquitto(process.env.PATH ?? '')
  if (typeof program === 'string') {
    if (choice === 'mosquitto') throw new HubError('broker-program-unusable', program)
    return embedded(log, program)
  }
  const folder = join(dataDirectory, 'broker')
  try {
    const upstream = await startManagedMosquitto({ program, folder, random, log })
    const note = `Mosquitto ${program.version}, run by the hub; sessions and messages are kept in ${folder}`
    return { upstream, kind: 'mosquitto', note }
  } catch (error) {
    // Nobody has asked for it: a hub that served before Mosquitto was installed still does.
    if (choice === 'mosquitto' || !(error instanceof HubError)) throw error
    log.warn('Mosquitto is installed but cannot be used; the embedded broker serves', { why: error.message })
    return embedded(log, error.message)
  }
}

async function embedded(log: Log, why: string): Promise<ChosenUpstream> {
  const note = `the embedded one, for a trial (${why}): its sessions and messages end with the hub`
  return { upstream: await startEmbeddedUpstream({ log }), kind: 'embedded', note }
}

function readLogin(file: string | null): BrokerLogin | null {
  if (file === null) return null
  const [username = '', password = '', ...rest] = readText(file).split(/\r?\n/)
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what this refuses
  const isText = (text: string) => Buffer.byteLength(text) <= 0xffff && !/[\u0000-\u001f\u007f]/.test(text)
  if (username === '' || !isText(username) || !isText(password) || rest.some((line) => line !== '')) {
    throw unusable(
      `${quote(file)} does not hold a user name in its first line and a password in its second, and nothing else`,
    )
  }
  return { username, password: password === '' ? null : new Secret(password) }
}

function readTls({ caFile, tls }: BrokerSettings): Parameters<typeof startRemoteUpstream>[0]['tls'] {
  return {
    ca: caFile === null ? null : readCertificates(caFile),
    own: tls === null ? null : { certificate: readCertificates(tls.certificate), key: new Secret(readText(tls.key)) },
  }
}

/** Node takes a text without certificates for no CA at all, and says nothing. */
function readCertificates(file: string): string {
  const text = readText(file)
  if (text.includes('-----BEGIN CERTIFICATE-----')) return text
  throw unusable(`${quote(file)} holds no certificate in PEM`)
}

function readText(file: string): string {
  try {
    const text = readFileSync(file, 'utf8')
    if (text.length <= limits.brokerFileBytesMax) return text
  } catch (error) {
    const errno = error instanceof Error && 'code' in error ? ` (${String(error.code)})` : ''
    throw unusable(`${quote(file)} cannot be read${errno}`)
  }
  throw unusable(`${quote(file)} is longer than ${limits.brokerFileBytesMax} bytes`)
}

function unusable(sentence: string): HubError {
  return new HubError('broker-settings-unusable', sentence)
}
