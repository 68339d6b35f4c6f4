/**
 * `listeners:` of `handfast.yaml`: what else the gate listens on, and how. Each entry is read key by key, so that a mistake
 * is named with its line and the nearest word that would have been right.
 */
import { isMap, isNode, isScalar, isSeq, type Node } from 'yaml'
import { z } from 'zod'
import { quote, quoteValue } from '../core/errors.ts'
import { parseNetwork } from '../core/identity/network.ts'
import { limits } from '../core/limits.ts'
import {
  certificateModes,
  defaultListener,
  defaultListenerName,
  type ListenerSettings,
  tlsVersions,
} from '../core/listener/listener-settings.ts'
import { nearest } from '../core/nearest.ts'
import { host, port } from './settings.ts'

/** One entry as somebody wrote it, each value in its form already. */
export interface GivenListener {
  readonly place: string
  readonly values: { readonly [Key in ListenerKey]?: z.output<(typeof forms)[Key]['form']> }
}

interface Form {
  readonly form: z.ZodType
  /** Completes the sentence "… is not …". */
  readonly wanted: string
}

function listOf<T extends z.ZodType>(item: T): z.ZodArray<T> {
  return z.array(item).min(1).max(limits.listenerEntriesMax)
}

const path = z.string().regex(/^\/[A-Za-z0-9._~/-]{0,127}$/)
const origin = z
  .string()
  .regex(/^https?:\/\/[^/?#]+$/)
  .refine((text) => URL.canParse(text) && new URL(text).origin === text)
const network = z.string().refine((text) => parseNetwork(text) !== null)
const version = z.preprocess((value) => (typeof value === 'number' ? String(value) : value), z.enum(tlsVersions))
const count = z.number().int().min(1).max(limits.sessionsMax)

/** Keys of an entry, in the spelling of the file. */
const forms = {
  name: {
    form: z.string().regex(new RegExp(`^[a-z][a-z0-9-]{0,${limits.listenerNameCharsMax - 1}}$`)),
    wanted: `a name of 1 to ${limits.listenerNameCharsMax} characters of a-z 0-9 - that starts with a letter`,
  },
  host: { form: host, wanted: 'a host name or an IP address' },
  port: { form: port, wanted: 'a port from 0 to 65535' },
  'client-certificate': { form: z.enum(certificateModes), wanted: `one of ${certificateModes.join(', ')}` },
  anchors: {
    form: listOf(z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/)),
    wanted: 'a list of ids of trust anchors',
  },
  'tls-versions': { form: listOf(version), wanted: 'a list of 1.2 and 1.3' },
  alpn: {
    form: listOf(z.string().regex(/^[\x21-\x7e]{1,64}$/)),
    wanted: 'a list of ALPN protocols, as in [mqtt, x-amzn-mqtt-ca]',
  },
  websocket: {
    form: z.union([
      path.transform((text) => ({ path: text, origins: [] as string[] })),
      z.strictObject({ path, origins: listOf(origin).default([]) }),
    ]),
    wanted: 'a path, as in /mqtt, or {path: /mqtt, origins: [https://dash.plant.example]}',
  },
  'proxy-protocol': { form: listOf(network), wanted: 'a list of networks, as in [10.0.0.0/8]' },
  connections: { form: count, wanted: `a number from 1 to ${limits.sessionsMax}` },
} as const satisfies Record<string, Form>

type ListenerKey = keyof typeof forms
export const listenerKeys = Object.keys(forms) as readonly ListenerKey[]

/**
 * @param at says in words where an offset of the file is
 * @param problems gets a sentence for each mistake; entries with one are left out
 */
export function readListeners(
  node: unknown,
  at: (offset: number | undefined) => string,
  problems: string[],
): readonly GivenListener[] {
  const place = at(startOf(node))
  if (!isSeq(node)) {
    problems.push(`listeners in ${place} is not a list of listeners, each with a name and a port`)
    return []
  }
  if (node.items.length > limits.listenersMax) {
    problems.push(`listeners in ${place} has ${node.items.length} entries; ${limits.listenersMax} are allowed`)
    return []
  }
  return node.items.flatMap((item) => readListener(item, at, problems) ?? [])
}

function readListener(
  item: unknown,
  at: (offset: number | undefined) => string,
  problems: string[],
): GivenListener | null {
  const place = at(startOf(item))
  if (!isMap(item)) {
    problems.push(`an entry of listeners in ${place} is not of the form name: value`)
    return null
  }
  const before = problems.length
  const values: Record<string, unknown> = {}
  for (const { key, value } of item.items) {
    const word = isScalar(key) ? String(key.value) : String(key)
    const where = at(startOf(key))
    if (!isListenerKey(word)) {
      const meant = nearest(word.replaceAll('_', '-').toLowerCase(), listenerKeys)
      const hint = meant === null ? '' : `; did you mean ${quote(meant)}?`
      problems.push(`${quote(word)} of a listener in ${where} is not a setting${hint}`)
      continue
    }
    const plain: unknown = isNode(value) ? value.toJSON() : value
    const parsed = (forms[word] satisfies Form).form.safeParse(plain)
    if (parsed.success) values[word] = parsed.data
    else
      problems.push(
        `${word} of a listener in ${where}: ${quoteValue(plain)} is not ${forms[word].wanted}${meant(word, plain)}`,
      )
  }
  return problems.length === before ? { place, values } : null
}

/**
 * All listeners of the gate: the one that every hub has first. An entry of its name says how it works; its address is
 * that of `--host` and `--mqtt-port`.
 */
export function settleListeners(
  given: readonly GivenListener[],
  host: string,
  mqttPort: number,
  problems: string[],
): readonly ListenerSettings[] {
  const settled = new Map<string, ListenerSettings>([[defaultListenerName, defaultListener(host, mqttPort)]])
  const named = new Map<string, string>()
  for (const each of given) {
    const { name } = each.values
    if (name === undefined) problems.push(`a listener in ${each.place} has no name`)
    else if (named.has(name)) {
      problems.push(`a listener in ${each.place} has the name ${quote(name)} of the one in ${named.get(name)}`)
    } else {
      named.set(name, each.place)
      const fault = faultOf(each.values, name)
      if (fault === null) settled.set(name, settle(each.values, name, host, mqttPort))
      else problems.push(`listener ${quote(name)} in ${each.place}: ${fault}`)
    }
  }
  problems.push(...sharedAddresses([...settled.values()]))
  return [...settled.values()]
}

type Values = GivenListener['values']

function faultOf(values: Values, name: string): string | null {
  if (name === defaultListenerName && (values.port !== undefined || values.host !== undefined)) {
    return 'its address is the one of the settings host and mqtt-port; leave out host and port'
  }
  if (name !== defaultListenerName && values.port === undefined) return 'it has no port'
  if (reserved.includes(name)) return `${quote(name)} is the name of another listener of the hub`
  if (values['client-certificate'] === 'none' && values.anchors !== undefined) {
    return 'anchors mean nothing where no certificate is asked for (client-certificate: none)'
  }
  if (values.websocket !== undefined && values.alpn !== undefined) {
    return 'a WebSocket is opened with HTTP; leave out alpn'
  }
  return null
}

/** Names of listeners that are not the gate's, as they stand in attempts. */
const reserved: readonly string[] = ['est', 'api', 'gate-link']

function settle(values: Values, name: string, host: string, mqttPort: number): ListenerSettings {
  const proxies = values['proxy-protocol']
  const usual = defaultListener(values.host ?? host, name === defaultListenerName ? mqttPort : (values.port ?? 0))
  return {
    ...usual,
    name,
    clientCertificate: values['client-certificate'] ?? usual.clientCertificate,
    anchors: values.anchors ?? usual.anchors,
    tlsVersions: values['tls-versions'] ?? usual.tlsVersions,
    alpn: values.alpn ?? usual.alpn,
    websocket: values.websocket ?? usual.websocket,
    proxyProtocol: proxies === undefined ? null : { networks: proxies },
    limits: { connectionsMax: values.connections ?? usual.limits.connectionsMax },
  }
}

function sharedAddresses(all: readonly ListenerSettings[]): readonly string[] {
  return all.flatMap((one, index) =>
    all
      .slice(index + 1)
      .filter((other) => one.port !== 0 && one.port === other.port && one.host === other.host)
      .map((other) => `listeners ${quote(one.name)} and ${quote(other.name)} have the same host and port ${one.port}`),
  )
}

function isListenerKey(word: string): word is ListenerKey {
  return Object.hasOwn(forms, word)
}

/** The word of a closed list that was probably meant. */
function meant(key: ListenerKey, plain: unknown): string {
  const { form } = forms[key] satisfies Form
  const near = form instanceof z.ZodEnum && typeof plain === 'string' ? nearest(plain, form.options.map(String)) : null
  return near === null ? '' : `; did you mean ${quote(near)}?`
}

function startOf(node: unknown): number | undefined {
  return isNode(node) ? ((node as Node).range?.[0] ?? undefined) : undefined
}
