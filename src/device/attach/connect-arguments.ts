/** The arguments of `tls.connect` in all the forms that it takes. */
import type { ConnectionOptions } from 'node:tls'

export interface ConnectArguments {
  readonly options: ConnectionOptions
  readonly callback: (() => void) | undefined
}

/**
 * Reads `(options, callback?)`, `(path, options?, callback?)` and `(port, host?, options?, callback?)` into one form, as Node does.
 *
 * @returns null for what is none of these, which is Node's to refuse
 */
export function readConnectArguments(args: readonly unknown[]): ConnectArguments | null {
  const last = args.at(-1)
  const callback = typeof last === 'function' ? (last as () => void) : undefined
  const [first, ...rest] = callback === undefined ? args : args.slice(0, -1)
  // Options that follow win over the place in front of them.
  const more = rest.find(isOptions)
  if (isOptions(first)) return { options: { ...first, ...more }, callback }
  if (typeof first === 'string' && !isPort(first)) return { options: { path: first, ...more }, callback }
  if (!isPort(first)) return null
  const [host] = rest
  const place = typeof host === 'string' ? { port: Number(first), host } : { port: Number(first) }
  return { options: { ...place, ...more }, callback }
}

function isOptions(value: unknown): value is ConnectionOptions {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function isPort(value: unknown): boolean {
  return typeof value === 'number' || (typeof value === 'string' && value !== '' && Number(value) >= 0)
}
