/** `handfast agent proxy`: plain MQTT or TCP in on this machine, TLS with the certificate of the device out. */
import { setTimeout as delay } from 'node:timers/promises'
import type { Command } from 'commander'
import { HubError, quote } from '../../../core/errors.ts'
import { failure } from '../../../core/failure/catalogue.ts'
import { decodePem } from '../../../core/x509/pem.ts'
import { type CredentialSource, credentialSource } from '../../../device/credential-source.ts'
import { deviceLimits } from '../../../device/limits.ts'
import { localAddressText, parseLocalAddress } from '../../../device/proxy/local-address.ts'
import { type ProxyEvent, startProxy } from '../../../device/proxy/proxy.ts'
import { tellSystemd } from '../../../device/tell-systemd.ts'
import type { HubAddress } from '../../../device/tls-exchange.ts'
import { hostAndPort } from '../../addresses.ts'
import { asTyped } from '../../how-called.ts'
import { note, printJsonLine, printLine, shortTime, warn } from '../../output.ts'
import { parseServer } from '../../server-option.ts'
import { onStopSignal } from '../../stop-signal.ts'
import { collected, oneOf, wholeNumber } from '../../values.ts'
import { readSmallFile } from '../../whole-file.ts'

interface ProxyCommandOptions {
  readonly dir?: string
  readonly listen?: readonly string[]
  readonly to?: HubAddress
  readonly ca?: string
  readonly socketMode: (typeof socketModes)[number]
  readonly connections: number
  readonly json?: boolean
}

const socketModes = ['600', '660', '666'] as const

export function defineProxy(command: Command): void {
  command
    .option('--dir <dir>', 'folder that holds the credential of this device (default HANDFAST_DEVICE_DIR)')
    .option(
      '--listen <address>',
      'where programs of this machine connect to: 127.0.0.1:1883, [::1]:1883 or unix:/run/mqtt.sock; may be repeated (default 127.0.0.1:1883)',
      collected,
    )
    .option('--to <server>', 'host:port of the server, instead of the MQTT port of the hub', parseServer)
    .option('--ca <file>', 'root certificates that the server is verified with, instead of those in the folder')
    .option(
      '--socket-mode <mode>',
      'who may use a unix socket: 600 this user, 660 its group too, 666 everybody',
      oneOf('--socket-mode', socketModes),
      '600',
    )
    .option(
      '--connections <n>',
      'connections at one time',
      wholeNumber('--connections', 1, deviceLimits.proxyConnectionsMax),
      deviceLimits.proxyConnectionsDefault,
    )
    .option('--json', 'print each event as a line of JSON')
    .addHelpText('after', help)
    .action(run)
}

const help = `
Programs connect without TLS, and without user name and password; the hub sees
the device. Its name and its certificate are verified for every connection, and a
renewed certificate of the device is used from the next connection on. Whoever may
connect here acts as this device: on the loopback address that is every user of
this machine, on a unix socket those whom its mode lets in.`

async function run(options: ProxyCommandOptions): Promise<void> {
  const directory = options.dir ?? process.env.HANDFAST_DEVICE_DIR
  if (!directory) {
    throw new HubError('usage', 'the folder of the credential is missing', {
      hint: 'name the folder that `handfast enrol` was given: --dir <dir>',
    })
  }
  const texts = options.listen ?? ['127.0.0.1:1883']
  if (texts.length > deviceLimits.proxyAddressesMax) {
    throw new HubError('usage', `--listen is given more than ${deviceLimits.proxyAddressesMax} times`)
  }
  const source = credentialSource(directory, warn)
  const stop = new AbortController()
  onStopSignal(() => stop.abort())
  const proxy = await startProxy({
    source,
    addresses: texts.map(parseLocalAddress),
    socketMode: Number.parseInt(options.socketMode, 8),
    server: options.to ?? null,
    roots: options.ca === undefined ? null : rootsIn(options.ca),
    connectionsMax: options.connections,
    delay: (ms) => delay(ms, undefined, { ref: false }),
    report: options.json ? printEvent : tellEvent,
  })
  const addresses = proxy.addresses.map(localAddressText)
  if (options.json) printJsonLine({ kind: 'listening', addresses })
  else tellStart(addresses, source, options.to)
  tellSystemd('READY=1', `STATUS=open at ${addresses.join(', ')}`)
  await new Promise<void>((resolve) => stop.signal.addEventListener('abort', () => resolve(), { once: true }))
  tellSystemd('STOPPING=1')
  proxy.close()
}

/** A device that is not enrolled yet may become so while this runs. */
function tellStart(addresses: readonly string[], source: CredentialSource, to: HubAddress | undefined): void {
  try {
    const { hub } = source.current()
    const server = to ?? (hub === null ? null : { host: hub.host, port: hub.mqttPort })
    if (server === null) warn(`the credential in ${quote(source.path)} names no hub; name a server with --to`)
    else printLine(`${addresses.join(', ')} leads to ${hostAndPort(server)}${hub === null ? '' : ` as ${hub.id}`}`)
  } catch (error) {
    if (!(error instanceof HubError)) throw error
    printLine(`${addresses.join(', ')} is open`)
    warn(`${error.message}: connections fail until it is; ${asTyped(error.hint)}`)
  }
  note('Ctrl-C ends it.')
}

function printEvent(event: ProxyEvent): void {
  const at = new Date().toISOString()
  if (event.kind === 'failed' || event.kind === 'full') printJsonLine({ at, ...event, problem: plain(event.problem) })
  else if (event.kind === 'closed') printJsonLine({ at, ...event, cause: event.cause && plain(event.cause) })
  else printJsonLine({ at, ...event })
}

function plain({ code, message, hint }: HubError) {
  return { code, failureId: failure(code).id, message, hint }
}

function tellEvent(event: ProxyEvent): void {
  const number = event.kind === 'full' ? '-' : String(event.connection)
  printLine(`${shortTime(new Date().toISOString())}  ${number.padStart(5)}  ${textOf(event)}`)
}

function textOf(event: ProxyEvent): string {
  switch (event.kind) {
    case 'opened':
      return `connected to ${hostAndPort(event.server)}`
    case 'failed':
    case 'full':
      return sentence(event.problem)
    case 'refused': {
      const what = event.packet === 'CONNACK' ? 'the server refused the client' : 'the server ended the session'
      return `${what}: ${event.sentence} (${event.packet} ${event.code})`
    }
    case 'closed': {
      const bytes = `${event.sentBytes} bytes sent, ${event.receivedBytes} received`
      if (event.cause !== null) return `${sentence(event.cause)}; ${bytes}`
      const isUnanswered = event.sentBytes > 0 && event.receivedBytes === 0
      return `${isUnanswered ? 'closed without an answer' : 'closed'}; ${bytes}`
    }
  }
}

function sentence({ code, message, hint }: HubError): string {
  return `${message} (${failure(code).id}); ${asTyped(hint)}`
}

function rootsIn(file: string): string {
  const text = readSmallFile(file, deviceLimits.fileBytesMax)
  if (decodePem(text).some(({ label }) => label === 'CERTIFICATE')) return text
  throw new HubError('usage', `--ca ${quote(file)} holds no certificate`, {
    hint: 'name a file of certificates in PEM',
  })
}
