/** What a person handed to the doctor: files, an address, or what a program said. */
import { existsSync, readFileSync, statSync } from 'node:fs'
import { isIP } from 'node:net'
import { limits } from '../../core/limits.ts'
import { isConfiguration } from '../../doctor/mosquitto/configuration-text.ts'

export type Thing =
  | { readonly kind: 'path'; readonly path: string; readonly isThere: boolean }
  | { readonly kind: 'address'; readonly address: string }
  | { readonly kind: 'log'; readonly text: string }

const numeral = /^[-+]?(?:0x[0-9a-f]+|\d+)$/i
/** Of any scheme: whoever reads the address says which are none of MQTT. */
const url = /^[a-z][a-z0-9+.-]{0,30}:\/\/\S*$/i
const hostAndPort = /^(?:[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?|\[[0-9a-f:.]+\]):\d{1,5}$/i
const fileName = /\.(?:pem|crt|cer|der|key|csr|p12|pfx|p7b|p7c|conf|log|txt|acl|json)$/i
const hostName = /^(?:localhost|(?:[a-z0-9](?:[a-z0-9-]*[a-z0-9])?\.)+[a-z][a-z0-9-]*[a-z0-9])$/i

/**
 * Tells by its form what one word or line is. A file that is there is a file, whatever its name; a number is what a program printed;
 * a word that could be a file or a host is a file where its ending is that of one.
 */
export function thingOf(text: string, exists: (path: string) => boolean = existsSync): Thing {
  if (text !== '' && exists(text)) return { kind: 'path', path: text, isThere: true }
  if (numeral.test(text) || /\s/.test(text.trim()) || text === '') return { kind: 'log', text }
  if (url.test(text) || hostAndPort.test(text)) return { kind: 'address', address: text }
  if (/(?:Exception|Error)$/.test(text)) return { kind: 'log', text }
  if (/^\.{0,2}\//.test(text) || fileName.test(text)) return { kind: 'path', path: text, isThere: false }
  if (isIP(text) !== 0 || hostName.test(text)) return { kind: 'address', address: text }
  return { kind: 'log', text }
}

/** Whether a file that is there is the configuration of a Mosquitto; what cannot be read is none. */
export function isBrokerConfiguration(path: string): boolean {
  try {
    const stats = statSync(path)
    if (!stats.isFile() || stats.size > limits.brokerConfigurationBytesMax) return false
    return isConfiguration(readFileSync(path, 'utf8'))
  } catch {
    return false
  }
}
