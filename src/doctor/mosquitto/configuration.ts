/** A configuration of Mosquitto as it takes effect: its listeners, each with the settings that hold for it, and its bridges. */
import { flagOf, type Setting } from './configuration-text.ts'
import { optionOf } from './options.ts'

export interface Listener {
  /** The `listener` line; null for the default listener. */
  readonly at: Setting | null
  /** 0 for a unix socket. */
  readonly port: number
  /** The address that it is bound to, the path of a unix socket, or null for all addresses. */
  readonly address: string | null
  /** What holds for it, the last where several stand. */
  readonly settings: ReadonlyMap<string, Setting>
  readonly plugins: readonly Setting[]
}

export interface Bridge {
  /** The `connection` line. */
  readonly at: Setting
  readonly settings: ReadonlyMap<string, Setting>
}

export interface Configuration {
  readonly settings: readonly Setting[]
  /** Of the broker as a whole, the last where several stand. */
  readonly broker: ReadonlyMap<string, Setting>
  readonly isPerListener: boolean
  readonly listeners: readonly Listener[]
  readonly bridges: readonly Bridge[]
  /** True where nothing says where to listen: Mosquitto 2 serves its own machine alone then. */
  readonly isLocalOnly: boolean
  /** Settings above the first `listener` that hold for a default listener beside it, which nobody may have meant. */
  readonly strayed: readonly Setting[]
}

/** @param settings of the file and what it includes, in the order in which Mosquitto reads them */
export function arrange(settings: readonly Setting[]): Configuration {
  const broker = new Map<string, Setting>()
  const ofAll = new Map<string, Setting>()
  const pluginsOfAll: Setting[] = []
  const bridges: { at: Setting; settings: Map<string, Setting> }[] = []
  const first = draft(null)
  const drafts: Draft[] = []
  const isPerListener = settings.some(({ name, value }) => name === 'per_listener_settings' && flagOf(value) === true)
  for (const setting of settings) {
    const { name } = setting
    const scope = optionOf(name)?.scope
    const current = drafts.at(-1) ?? first
    if (name === 'listener') drafts.push(draft(setting))
    else if (name === 'connection') bridges.push({ at: setting, settings: new Map() })
    else if (scope === 'bridge') bridges.at(-1)?.settings.set(name, setting)
    else if (scope === 'listener') current.settings.set(name, setting)
    else if (scope === 'security' && name.endsWith('plugin'))
      (isPerListener ? current.plugins : pluginsOfAll).push(setting)
    else if (scope === 'security') (isPerListener ? current.settings : ofAll).set(name, setting)
    else if (name === 'global_plugin') pluginsOfAll.push(setting)
    else broker.set(name, setting)
  }
  const isDefaultAsked = broker.has('port') || broker.has('bind_address')
  const strayed = isDefaultAsked || drafts.length === 0 ? [] : [...first.settings.values(), ...first.plugins]
  const isDefaultThere = isDefaultAsked || drafts.length === 0 || strayed.length > 0
  const listeners = [...(isDefaultThere ? [first] : []), ...drafts].map(({ at, settings: own, plugins }) => ({
    at,
    ...(at === null ? defaultPlace(broker) : placeIn(at.value)),
    settings: new Map([...ofAll, ...own]),
    plugins: [...pluginsOfAll, ...plugins],
  }))
  const isLocalOnly = drafts.length === 0 && !isDefaultAsked
  return { settings, broker, isPerListener, listeners, bridges, isLocalOnly, strayed }
}

interface Draft {
  readonly at: Setting | null
  readonly settings: Map<string, Setting>
  readonly plugins: Setting[]
}

function draft(at: Setting | null): Draft {
  return { at, settings: new Map(), plugins: [] }
}

function defaultPlace(broker: ReadonlyMap<string, Setting>): Pick<Listener, 'port' | 'address'> {
  const port = Number(broker.get('port')?.value ?? '1883')
  return { port, address: broker.get('bind_address')?.value ?? null }
}

function placeIn(value: string): Pick<Listener, 'port' | 'address'> {
  const [port = '', ...address] = value.split(/ +/)
  return { port: Number(port), address: address.length === 0 ? null : address.join(' ') }
}

/** Whether only programs of its own machine reach it. */
export function isOnLoopback({ port, address }: Listener): boolean {
  if (port === 0 && address !== null) return true
  return address !== null && /^(?:127\.|::1$|localhost$)/.test(address)
}

/** A flag that holds for a listener; `otherwise` where it is not set. */
export function flag({ settings }: Listener, name: string, otherwise = false): boolean {
  const setting = settings.get(name)
  return setting === undefined ? otherwise : (flagOf(setting.value) ?? otherwise)
}

/** As people name it: "listener 8883", "listener 8883 127.0.0.1", "the default listener 1883". */
export function listenerName({ at, port, address }: Listener): string {
  const place = address === null ? `${port}` : `${port} ${address}`
  return at === null ? `the default listener ${place}` : `listener ${place}`
}
