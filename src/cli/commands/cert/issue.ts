/** `handfast cert issue`: a key made here, a certificate for it, and both as files. */
import type { Command } from 'commander'
import type { IdentityDetailView, IdentityView, RegisterIdentityRequest } from '../../../api-schema/identities.ts'
import { HubError, quote } from '../../../core/errors.ts'
import { isIdentityId } from '../../../core/identity/id.ts'
import { parseIdentityNames } from '../../../core/identity/names.ts'
import { readCertificate } from '../../../core/x509/certificate.ts'
import { decodePem } from '../../../core/x509/pem.ts'
import type { HubApi } from '../../api-client.ts'
import { handfast } from '../../how-called.ts'
import { addHubOptions, type HubOptions, hubOf, pathPart } from '../../hub-options.ts'
import {
  addFileOptions,
  addOrderOptions,
  type FileOptions,
  type Ordered,
  type OrderOptions,
  orderedJson,
  orderForNew,
  orderWithNewKey,
  prepareFiles,
} from '../../order-certificate.ts'
import { note, printFields, printJson, printLine, shellWord, shortTime } from '../../output.ts'
import { collected } from '../../values.ts'

interface IssueOptions extends HubOptions, OrderOptions, FileOptions {
  readonly profile?: string
  readonly id?: string
  readonly name?: readonly string[]
  readonly ip?: readonly string[]
}

export function defineIssue(command: Command): void {
  addHubOptions(command)
    .option('--profile <name>', 'what the certificate is made from (default server)')
    .option('--id <id>', 'whose it is (default: the first name, or the first address)')
    .option('--name <dns>', 'DNS name of the server, may be repeated', collected)
    .option('--ip <address>', 'IP address of the server, may be repeated', collected)
  addFileOptions(addOrderOptions(command), 'mosquitto for servers, pfx for people, else client')
  command.addHelpText('after', help).action(async (options: IssueOptions) => {
    const names = parseIdentityNames({ dnsNames: options.name ?? [], ipAddresses: options.ip ?? [] })
    const id = idOf(options)
    const profile = options.profile ?? 'server'
    const usual = profile === 'server' ? 'mosquitto' : profile === 'user' ? 'pfx' : 'client'
    const hub = hubOf(options)
    const files = await prepareFiles(id, options, usual)
    const owner = await ownerOf(hub, id, profile, names)
    const order = { id, profile, ...(owner.names === 'ordered' ? mutable(names) : {}) }
    const ordered = owner.isNew
      ? await orderForNew('a service', hub, order, options, files)
      : await orderWithNewKey(hub, order, options, files)
    if (options.json) return printJson(orderedJson(ordered))
    if (owner.isNew) printLine(`${id} is registered as a service`)
    printOrdered(ordered)
    if (files.bundle === 'mosquitto') noteMosquitto(ordered)
  })
}

const help = `
A service that is not registered yet is registered with these names. One that is
must have them already, because others trust its names, and its certificate has all
that it has: change them first with \`handfast service set\`.

The key is made here. It never goes to the hub, and its files are readable by you
alone. A device makes its own key: see \`handfast device add\`.`

/** @throws HubError `usage` */
function idOf({ id, name = [], ip = [] }: IssueOptions): string {
  const given = id ?? name[0] ?? ip[0]
  if (given === undefined) {
    throw new HubError('usage', 'nothing says whose certificate it is', { hint: 'give --name, --ip or --id' })
  }
  if (isIdentityId(given)) return given
  throw new HubError('identity-id-invalid', `${quote(given)} is not an identity id`, {
    hint: id === undefined ? 'give another one with --id' : 'use 1 to 64 characters of A-Z a-z 0-9 . _ -',
  })
}

type Names = ReturnType<typeof parseIdentityNames>

interface Owner {
  readonly isNew: boolean
  /** Who decides the names of the certificate: the registry, which has them, or the order. */
  readonly names: 'registered' | 'ordered'
}

/**
 * Finds whose certificate it will be, or registers a service.
 *
 * @throws HubError `names-differ`
 */
async function ownerOf(hub: HubApi, id: string, profile: string, names: Names): Promise<Owner> {
  const service = await found<IdentityDetailView>(hub, 'services', id)
  if (service !== null) {
    assertSameNames(service.identity, names)
    return { isNew: false, names: 'registered' }
  }
  if ((await found(hub, 'devices', id)) !== null || (await found(hub, 'users', id)) !== null) {
    return { isNew: false, names: 'ordered' }
  }
  if (profile === 'device' || profile === 'dual' || profile === 'user') throw notRegistered(id, profile)
  const request: RegisterIdentityRequest = { id, ...mutable(names), profiles: [profile] }
  await hub.post<IdentityView>('/services', request)
  return { isNew: true, names: 'registered' }
}

async function found<T>(hub: HubApi, kind: 'services' | 'devices' | 'users', id: string): Promise<T | null> {
  try {
    return await hub.get<T>(`/${kind}/${pathPart(id)}`)
  } catch (error) {
    if (error instanceof HubError && error.code === 'identity-not-found') return null
    throw error
  }
}

function notRegistered(id: string, profile: string): HubError {
  const command = profile === 'user' ? 'user add' : 'device add'
  return new HubError('identity-not-found', `${quote(id)} is not registered`, {
    hint: `register it first: \`${handfast} ${command} ${shellWord(id)}\``,
  })
}

function assertSameNames(identity: IdentityView, names: Names): void {
  const given = [...names.dnsNames, ...names.ipAddresses]
  const held = [...identity.dnsNames, ...identity.ipAddresses]
  const other = given.filter((name) => !held.includes(name))
  if (other.length === 0) return
  throw new HubError(
    'names-differ',
    `${quote(identity.id)} is registered with ${listed(held)}, and the order names ${listed(given)}`,
  )
}

function listed(names: readonly string[]): string {
  return names.length === 0 ? 'no name' : names.map(quote).join(', ')
}

function mutable({ dnsNames, ipAddresses }: Names): { dnsNames: string[]; ipAddresses: string[] } {
  return { dnsNames: [...dnsNames], ipAddresses: [...ipAddresses] }
}

/** What was ordered, in a sentence, and where it is. */
export function printOrdered({ issued, files, newPassphrase }: Ordered): void {
  const { credential } = issued
  const { dnsNames, ipAddresses, emails } = readCertificate(decodePem(issued.certificate)[0]?.der ?? new Uint8Array())
  const names = [...dnsNames, ...ipAddresses, ...emails]
  printLine(
    `${credential.deviceId} has a certificate of profile ${credential.profile}, until ${shortTime(credential.notAfter)}`,
  )
  printFields([
    ...files.map(({ purpose, path }): [string, string] => [purpose, path]),
    ...(newPassphrase === null ? [] : [['passphrase', newPassphrase] as const]),
    ...(names.length === 0 ? [] : [['names', names.join(' ')] as const]),
    ['serial', credential.serialNumber],
  ])
}

function noteMosquitto({ files }: Ordered): void {
  const path = (purpose: string): string => files.find((file) => file.purpose === purpose)?.path ?? ''
  note(
    `\nFor mosquitto.conf:\n  listener 8883\n  cafile ${path('CA')}\n  certfile ${path('certificate')}\n  keyfile ${path('key')}`,
  )
}
