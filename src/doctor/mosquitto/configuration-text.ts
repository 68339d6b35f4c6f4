/** The lines of a configuration of Mosquitto, read as Mosquitto 2.0 reads them. */

import { tellingNames } from './options.ts'

/** Whether a text is a configuration of Mosquitto: at least one line sets what no other program sets. */
export function isConfiguration(text: string): boolean {
  if (text.includes('-----BEGIN')) return false
  return readSettings('', text).some(({ name, value }) => tellingNames.has(name) && value !== '')
}

/** One option as it stands. */
export interface Setting {
  /** The file as the person would name it. */
  readonly file: string
  /** Counted from 1. */
  readonly line: number
  readonly name: string
  /** What stands behind the name, without white space around it; empty where nothing does. */
  readonly value: string
}

/** Where a setting stands, as in `/etc/mosquitto/mosquitto.conf:12`. */
export function placeOf({ file, line }: Pick<Setting, 'file' | 'line'>): string {
  return `${file}:${line}`
}

/**
 * The settings of one file in their order. A line is a comment only where "#" is its first character; names end at a space, not at
 * a tab; lines end by LF, with or without CR.
 */
export function readSettings(file: string, text: string): readonly Setting[] {
  const settings: Setting[] = []
  for (const [index, raw] of text.split('\n').entries()) {
    if (raw.startsWith('#')) continue
    const line = raw.replace(/\s+$/, '').replace(/^ +/, '')
    if (line === '') continue
    const space = line.indexOf(' ')
    const name = space === -1 ? line : line.slice(0, space)
    const value = space === -1 ? '' : line.slice(space + 1).trim()
    settings.push({ file, line: index + 1, name, value })
  }
  return settings
}

/** The value of a flag: Mosquitto looks at its first word alone. Null for what is neither true nor false to it. */
export function flagOf(value: string): boolean | null {
  const [word = ''] = value.split(' ')
  if (word === 'true' || word === '1') return true
  return word === 'false' || word === '0' ? false : null
}
