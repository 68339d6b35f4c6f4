/** Why a listener could not be opened, in words that name the remedy. */
import { HubError, quote } from '../core/errors.ts'
import { defaultListenerName } from '../core/listener/listener-settings.ts'

/**
 * @param purpose what the listener is for, as in "MQTT"; its flag is `--mqtt-port`, or `--api-listen` for "API"
 * @returns `port-taken` or `address-unavailable`
 */
export function listenFailure(error: unknown, purpose: string, host: string, port: number): HubError {
  const errno = error instanceof Error && 'code' in error ? String(error.code) : ''
  const flag = portFlag(purpose)
  const hostFlag = flag.endsWith('-port') ? '--host' : flag
  switch (errno) {
    case 'EADDRINUSE':
      return new HubError('port-taken', `${purpose} port ${port} on ${host} is taken by another process`, {
        hint: `stop that process, or choose another port with ${flag} (0 picks a free one)`,
        cause: error,
      })
    case 'EACCES':
      return new HubError('address-unavailable', `${purpose} port ${port} may not be opened by this user`, {
        hint: `choose a port above 1023 with ${flag}`,
        cause: error,
      })
    case 'EADDRNOTAVAIL':
    case 'ENOTFOUND': {
      const what = errno === 'ENOTFOUND' ? 'is not found' : 'is no address of this machine'
      return new HubError('address-unavailable', `${quote(host)} ${what}`, {
        hint: `choose an address of this machine with ${hostFlag}`,
        cause: error,
      })
    }
    default:
      return new HubError('address-unavailable', `${purpose} cannot listen on ${quote(host)} port ${port}: ${errno}`, {
        hint: `choose an address of this machine with ${hostFlag}`,
        cause: error,
      })
  }
}

/** What the listener of a gate is for, by its name. */
export function listenerPurpose(name: string): string {
  return name === defaultListenerName ? 'MQTT' : `listener ${quote(name)}:`
}

/** The flag that chooses the port of a listener. Where some stand is one flag; the others share --host. */
export function portFlag(purpose: string): string {
  if (purpose.startsWith('listener ')) return `its entry of listeners in the settings`
  if (purpose === 'gate-link') return '--gate-link'
  return `--${purpose.toLowerCase()}-${['API', 'metrics'].includes(purpose) ? 'listen' : 'port'}`
}
