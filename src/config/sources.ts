/** Where settings come from, each with the way to name it in a message. */
import { readFileSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { isMap, isScalar, LineCounter, parseDocument } from 'yaml'
import { HubError, quote } from '../core/errors.ts'
import { nearest } from '../core/nearest.ts'
import { unreadable } from '../core/unreadable.ts'
import { type GivenListener, readListeners } from './listeners.ts'
import { isSettingName, type SettingName, setting, settingNames } from './settings.ts'

/** One value as somebody wrote it. */
export interface GivenValue {
  readonly name: SettingName
  readonly value: unknown
  /** How a message names it: `--mqtt-port`, `HANDFAST_MQTT_PORT`, `mqtt-port in handfast.yaml, line 3`. */
  readonly origin: string
  /** What a relative path in it is relative to. */
  readonly directory: string
}

/** All that one source says, and what is wrong with it already. */
export interface Source {
  readonly values: readonly GivenValue[]
  /** Further listeners of the gate; only a file has them. */
  readonly listeners?: readonly GivenListener[]
  readonly problems: readonly string[]
}

/** Variables that are no settings of the hub, with what the manual page says of them. */
export const otherVariables: Readonly<Record<string, string>> = {
  HANDFAST_PASSPHRASE: 'passphrase of the authority keys; a file is better, since other programs of the user see this',
  HANDFAST_DATABASE_URL: 'URL of a PostgreSQL database, with its password; a file is better, see above',
  HANDFAST_URL: 'origin of the admin API of a hub on another machine, as in https://hub.plant.example:9443',
  HANDFAST_KEY: 'API key for HANDFAST_URL',
  HANDFAST_KEY_FILE: 'file that holds the API key for HANDFAST_URL',
  HANDFAST_CERT: 'your client certificate for HANDFAST_URL instead of a key: PEM with its key, or a PFX',
  HANDFAST_CERT_KEY: 'file with the private key, where HANDFAST_CERT does not hold it',
  HANDFAST_CERT_PASSPHRASE: 'what opens that key or PFX; a file is better, see above',
  HANDFAST_CERT_PASSPHRASE_FILE: 'file with what opens that key or PFX',
  HANDFAST_CA: 'file with the root certificate that vouches for HANDFAST_URL; without it, those of the system do',
  HANDFAST_BOOTSTRAP: 'bootstrap string for handfast enrol',
  HANDFAST_DEVICE_DIR: 'on a device: folder of the credential that `node --import handfast/device/attach` shows',
  HANDFAST_ATTACH_HOSTS: 'on a device: hosts that it is shown to, instead of the hub',
  HANDFAST_CONFIG: 'file of settings, instead of handfast.yaml in the working directory',
  HANDFAST_DEBUG: 'if set, errors come with the place in the code where they arose',
}

/** @param flags values by setting name; `undefined` is not given */
export function settingsFromFlags(flags: Readonly<Record<string, unknown>>, directory: string): Source {
  const values = settingNames
    .filter((name) => flags[name] !== undefined)
    .map((name) => ({ name, value: flags[name], origin: `--${name}`, directory }))
  return { values, problems: [] }
}

/**
 * Reads the variables that settings have. Others that start with `HANDFAST_` are left alone, since container platforms
 * invent such names; only a slip of one letter away from one of ours is a problem.
 */
export function settingsFromEnvironment(env: Readonly<Record<string, string | undefined>>, directory: string): Source {
  const values: GivenValue[] = []
  const problems: string[] = []
  const variables = new Map(settingNames.map((name) => [setting(name).variable, name]))
  for (const [variable, value] of Object.entries(env)) {
    if (!variable.startsWith('HANDFAST_') || value === undefined || value === '') continue
    const name = variables.get(variable)
    if (name !== undefined) {
      values.push({ name, value, origin: variable, directory })
    } else if (!Object.hasOwn(otherVariables, variable)) {
      const meant = nearest(variable, [...variables.keys(), ...Object.keys(otherVariables)], 1)
      if (meant !== null)
        problems.push(`${quote(variable)} in the environment is not a setting; did you mean ${meant}?`)
    }
  }
  return { values, problems }
}

/** The longest configuration file that is read. */
const fileBytesMax = 64 * 1024

/**
 * Reads a YAML file of settings.
 *
 * @param path absolute
 * @param isRequired false takes a missing file for an empty one
 * @throws HubError `config-invalid` when the file cannot be read
 */
export function settingsFromFile(path: string, isRequired: boolean): Source {
  let text: string
  try {
    text = readFileSync(path, 'utf8')
  } catch (error) {
    if (!isRequired && (error as NodeJS.ErrnoException).code === 'ENOENT') return { values: [], problems: [] }
    const { words, hint } = unreadable(error)
    throw new HubError('config-invalid', `${quote(path)} ${words}`, { hint, cause: error })
  }
  if (text.length > fileBytesMax) {
    throw new HubError('config-invalid', `${quote(path)} is longer than ${fileBytesMax} bytes`)
  }
  return settingsFromYaml(text, path)
}

/** @param path absolute; names the file in messages and is what relative paths in it are relative to */
export function settingsFromYaml(text: string, path: string): Source {
  const lines = new LineCounter()
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false })
  const at = (offset: number | undefined): string => `${path}, line ${lines.linePos(offset ?? 0).line}`
  const values: GivenValue[] = []
  let listeners: readonly GivenListener[] = []
  const problems = document.errors.map((error) => `${at(error.pos[0])}: ${firstLine(error.message)}`)
  if (problems.length > 0 || document.contents === null) return { values, problems }
  if (!isMap(document.contents))
    return { values, problems: [`${path} is not a list of settings of the form name: value`] }
  for (const { key, value } of document.contents.items) {
    const word = isScalar(key) ? String(key.value) : String(key)
    const place = at(isScalar(key) ? key.range?.[0] : undefined)
    if (word === 'listeners') {
      listeners = readListeners(value, at, problems)
    } else if (isSettingName(word)) {
      const given = isScalar(value) ? value.value : value === null ? null : document.toJS()[word]
      values.push({ name: word, value: given, origin: `${word} in ${place}`, directory: dirname(resolve(path)) })
    } else {
      const words = [...settingNames, 'listeners']
      const meant = nearest(word.replaceAll('_', '-').toLowerCase(), words) ?? beginningWith(word)
      problems.push(
        `${quote(word)} in ${place} is not a setting${meant === null ? '' : `; did you mean ${quote(meant)}?`}`,
      )
    }
  }
  return { values, listeners, problems }
}

function beginningWith(word: string): string | null {
  return settingNames.find((name) => name.startsWith(`${word}-`)) ?? null
}

function firstLine(text: string): string {
  return text.split('\n')[0] ?? text
}
