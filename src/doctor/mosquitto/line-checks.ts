/** What keeps Mosquitto from starting, or a setting from holding where it was meant to: judged line by line. */
import { quote } from '../../core/errors.ts'
import { nearest } from '../../core/nearest.ts'
import { type Finding, finding } from '../finding.ts'
import { type Configuration, listenerName } from './configuration.ts'
import { flagOf, placeOf, type Setting } from './configuration-text.ts'
import { optionNames, optionOf } from './options.ts'

export function checkLines(configuration: Configuration): readonly Finding[] {
  return [
    ...configuration.settings.flatMap(checkLine),
    ...repeated(configuration),
    ...lateMode(configuration),
    ...strayed(configuration),
  ]
}

function checkLine(setting: Setting): readonly Finding[] {
  const { name, value } = setting
  const option = optionOf(name)
  if (option === undefined) return [unknownOption(setting)]
  if (option.form === 'flag' && flagOf(value) === null) return [invalid(setting, 'neither true nor false')]
  if (name === 'tls_version' && !/^tlsv1(?:\.[0-3])?$/.test(value)) {
    return [invalid(setting, 'none of tlsv1.1, tlsv1.2 and tlsv1.3')]
  }
  if (name === 'listener' && !isPlace(value)) return [invalid(setting, 'no port from 1 to 65535')]
  if (name === 'protocol' && !/^(?:mqtt|mqttsn|websockets|http_api)$/.test(value)) {
    return [invalid(setting, 'neither mqtt nor websockets')]
  }
  if (option.form === 'text' && / #/.test(value)) return [invalid(setting, 'a path with a comment in it')]
  return []
}

function isPlace(value: string): boolean {
  const [port = '', ...address] = value.split(/ +/)
  if (port === '0') return address.length > 0
  return /^\d{1,5}$/.test(port) && Number(port) <= 65_535
}

function invalid(setting: Setting, why: string): Finding {
  return finding('mosquitto-value-invalid', placeOf(setting), {
    evidence: `the value of ${setting.name} is ${quote(setting.value)}, which is ${why}`,
  })
}

/** Versions after 2.1 may know more, so a name is certainly wrong only where its form is. */
function unknownOption(setting: Setting): Finding {
  const { name } = setting
  const place = placeOf(setting)
  if (name.startsWith('\t')) {
    return finding('mosquitto-option-unknown', place, {
      evidence: `the line begins with a tab, which Mosquitto takes for a part of the name ${quote(name.trim())}`,
      cure: 'put spaces or nothing in place of the tab',
    })
  }
  const [bare = ''] = name.split(/[=:\t]/)
  if (bare !== name && optionOf(bare) !== undefined) {
    return finding('mosquitto-option-unknown', place, {
      evidence: `between ${bare} and its value stands something else than a space`,
      cure: `write ${bare}, a space and the value`,
    })
  }
  const meant = nearest(name.toLowerCase(), optionNames) ?? begunOption(name.toLowerCase())
  return finding('mosquitto-option-unknown', place, {
    certainty: meant === null ? 'likely' : 'certain',
    evidence: `${quote(name)} is no option of Mosquitto 2.0 or 2.1`,
    ...(meant === null ? {} : { cure: `write ${meant}` }),
  })
}

/** Letters of a name that are enough to complete it. */
const begunCharsMin = 6

/** The one option of which this is the beginning; null where there is none, or more than one. */
function begunOption(name: string): string | null {
  const [only, another] = name.length < begunCharsMin ? [] : optionNames.filter((each) => each.startsWith(name))
  return another === undefined ? (only ?? null) : null
}

/** Texts that may be given once for each listener, and once for all where they hold for all. */
function repeated({ settings, isPerListener }: Configuration): readonly Finding[] {
  const findings: Finding[] = []
  let seen = new Map<string, Setting>()
  const seenForAll = new Map<string, Setting>()
  for (const setting of settings) {
    if (setting.name === 'listener') seen = new Map()
    const option = optionOf(setting.name)
    if (option?.form !== 'text') continue
    const known = option.scope === 'security' && !isPerListener ? seenForAll : seen
    const before = known.get(setting.name)
    if (before !== undefined) {
      findings.push(
        finding('mosquitto-option-repeated', placeOf(setting), {
          evidence: `${setting.name} is given in ${placeOf(before)} already`,
        }),
      )
    }
    known.set(setting.name, setting)
  }
  return findings
}

function lateMode({ settings }: Configuration): readonly Finding[] {
  const at = settings.findIndex(({ name }) => name === 'per_listener_settings')
  const mode = settings[at]
  if (mode === undefined) return []
  const before = settings.slice(0, at).find(({ name }) => optionOf(name)?.scope === 'security')
  if (before === undefined) return []
  const evidence = `${before.name} stands in ${placeOf(before)}, before it`
  return [finding('mosquitto-per-listener-late', placeOf(mode), { evidence })]
}

function strayed({ strayed: settings, listeners, isPerListener }: Configuration): readonly Finding[] {
  const [first, ...others] = settings
  const meant = listeners.find(({ at }) => at !== null)
  if (first === undefined || meant === undefined) return []
  const names = [first, ...others].map(({ name }) => name).join(', ')
  const why = isPerListener ? ' with per_listener_settings' : ''
  return [
    finding('mosquitto-setting-misplaced', placeOf(first), {
      evidence: `${names} before the first listener hold${others.length === 0 ? 's' : ''}${why} for a default listener on port 1883, not for ${listenerName(meant)}`,
      cure: `move ${settings.length === 1 ? 'it' : 'them'} below \`listener ${meant.at?.value ?? ''}\``,
    }),
  ]
}
